import { refuse } from "./errors.js";
import { article, isInteger, shown, shownFloat, typeName } from "./shown.js";
import { TYPES } from "./signature.js";

/** float64 holds every integer up to here. */
export const EXACT = 2 ** 53;
/** How a cell of text says which missing value it is; 1 is a text. */
export const CODES = { none: 0, nan: 2, na: 3 };
const NAMES = { none: "None", nan: "NaN", na: "pandas.NA" };
/** Rows that are read before others have their turn. */
const SLICE = 2048;

export const isTyped = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView);
export const isList = (value) => Array.isArray(value) || isTyped(value);
export const isRecord = (value) => Object.prototype.toString.call(value) === "[object Object]";
const isScalar = (value) => !isList(value) && !isRecord(value);
const listed = (names) =>
  names.slice(0, 10).map((name) => shown(name)).join(", ") +
  (names.length > 10 ? ` and ${names.length - 10} more` : "");
const where = (row, label) => `row ${row}, column ${shown(label)}`;

// ---------------------------------------------------------------- what holds the rows

/**
 * One view of rows: how many, their names, and `at(row, key)`, where a key is a name or a position.
 *
 * `typed(row, key)` is the typed array that a value stands in, if one does. `complete(key)` throws
 * where a record lacks a key.
 */
const recordsOf = (records) => ({
  rows: records.length,
  names: Object.keys(records[0]).filter((key) => records[0][key] !== undefined),
  at: (row, key) => records[row][key],
  complete: (key) => {
    const row = records.findIndex((record) => !Object.hasOwn(record, key) || record[key] === undefined);
    if (row >= 0) {
      refuse("columns", `row ${row} has no column ${shown(key)}, which row 0 has; give every row the same columns, with null where a value is missing`, row, key);
    }
  },
});

const columnsOf = (columns) => {
  const names = Object.keys(columns);
  if (names.length && names.every((name) => isScalar(columns[name]))) return recordsOf([columns]);
  for (const name of names) {
    if (isList(columns[name])) continue;
    refuse("shape", `column ${shown(name)} ${isScalar(columns[name]) ? "is one value and others are lists" : "has 0 dimensions"}; give every column a list of the same length`, null, name);
  }
  const rows = columns[names[0]]?.length ?? 0;
  if (names.some((name) => columns[name].length !== rows)) {
    const sizes = names.slice(0, 8).map((name) => `${shown(name)}: ${columns[name].length}`);
    refuse("shape", `columns differ in length (${sizes.join(", ")}); give every column the same number of rows`);
  }
  return {
    rows, names, byColumn: true,
    at: (row, key) => columns[key][row],
    typed: (row, key) => isTyped(columns[key]) && columns[key],
  };
};

const rowsOf = (rows, width) => {
  for (let row = 0; row < rows.length; row++) {
    if (rows[row].length !== width) {
      refuse("shape", `row ${row} has ${rows[row].length} values and row 0 has ${width}; give every row the same number of values`, row);
    }
  }
  return {
    rows: rows.length, width,
    at: (row, key) => rows[row][key],
    typed: (row) => isTyped(rows[row]) && rows[row],
  };
};

const listOf = (rows, signature) => {
  const [first] = rows;
  if (isRecord(first)) {
    const row = rows.findIndex((value) => !isRecord(value));
    if (row >= 0) refuse("shape", `row 0 is a dict and row ${row} is a ${typeName(rows[row])}; give every row as an object`, row);
    return recordsOf(rows);
  }
  const row = rows.findIndex(isScalar);
  if (row < 0) {
    if (rows.some((values) => isRecord(values) || (!isTyped(values) && values.some((value) => !isScalar(value))))) {
      refuse("shape", "the input is nested more than two deep (3 dimensions); give a list of rows, each a list of values");
    }
    return rowsOf(rows, first?.length ?? 0);
  }
  if (!rows.every(isScalar)) refuse("shape", `row ${row} is one value and others are lists; give every row as a list`, row);
  // Texts are the rows of an only column; other values are the cells of one row.
  const one = signature.columns.length === 1 && rows.every(
    (value) => typeof value === "string" ||
      (signature.texts.length && signature.layout === "array" && (value === null || typeName(value) === "float")));
  return { ...(one ? rowsOf(rows.map((value) => [value]), 1) : rowsOf([rows], rows.length)), byColumn: true };
};

const open = (rows, signature) => {
  if (isTyped(rows)) {
    const { length } = signature.columns;
    const width = rows.length % length ? rows.length : length;
    return { rows: rows.length / width, width, at: (row, key) => rows[row * width + key], typed: () => rows };
  }
  if (Array.isArray(rows)) return listOf(rows, signature);
  if (isRecord(rows)) return columnsOf(rows);
  return refuse("shape", `${article(rows)} is not rows; give a list of objects or of lists, an object of columns, or a typed array`);
};

// ---------------------------------------------------------------- which columns are which

/** Letters that two texts have in common, as Python's difflib finds them. */
const common = (a, b) => {
  let [size, x, y] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      let k = 0;
      while (i + k < a.length && a[i + k] === b[j + k]) k++;
      if (k > size) [size, x, y] = [k, i, j];
    }
  }
  return size && size + common(a.slice(0, x), b.slice(0, y)) + common(a.slice(x + size), b.slice(y + size));
};

const suggested = (name, names) => {
  let [best, near] = [0.6, null];
  const word = [...name.toLowerCase()];
  for (const other of names) {
    const letters = [...other.toLowerCase()];
    if (Math.max(word.length, letters.length) > 100) continue;
    const score = (2 * common(letters, word)) / (word.length + letters.length);
    if (score > best || (score === best && (near === null || other.toLowerCase() > near.toLowerCase()))) {
      [best, near] = [score, other];
    }
  }
  return shown(name) + (near === null ? "" : ` (did you mean ${shown(near)}?)`);
};

/** The keys, in the rows, of a signature's columns. */
const match = (source, { columns, layout }) => {
  const { names } = source;
  const wanted = columns.map((column) => column.label);
  if (!names) {
    if (source.width !== wanted.length) refuse("columns", `the rows have ${source.width} columns and the model takes ${wanted.length}; give the columns of example_input, in its order`);
    return wanted.map((_, i) => i);
  }
  const held = new Set(names);
  const missing = wanted.filter((name) => !held.has(name));
  if (missing.length) {
    if (layout === "array") refuse("columns", `the model's columns have no names, and the rows name theirs (${listed(names)}); give each row as a list of ${wanted.length} values`);
    const known = new Set(wanted);
    const others = names.filter((name) => !known.has(name));
    const near = missing.slice(0, 10).map((name) => suggested(name, others)).join(", ");
    const more = missing.length > 10 ? ` and ${missing.length - 10} more` : "";
    refuse("columns", `${missing.length} column${missing.length > 1 ? "s are" : " is"} missing: ${near}${more}; the rows have ${listed(names)}. Add what is missing, with null for a value that is not known`, null, missing[0]);
  }
  return wanted;
};

// ---------------------------------------------------------------- numbers

/** The nearest float16 of a number. */
export const half = (value) => {
  const size = Math.abs(value);
  if (!(size < 65520)) return value * Infinity;
  const magic = 1.5 * 2 ** (Math.max(-14, Math.floor(Math.log2(size))) + 42);
  return Math.sign(value) * (size + magic - magic);
};

/** Whether an integer type, or bool, holds a number exactly, as float64 does. */
const holds = (dtype, value) => {
  const bits = Number(dtype.replace(/\D+/, ""));
  const signed = dtype[0] === "i";
  const high = bits ? Math.min(2 ** (bits - signed) - 1, EXACT) : 1;
  return Number.isInteger(value) && value <= high && value >= (signed ? Math.max(-(2 ** (bits - 1)), -EXACT) : 0);
};

const refuseMissing = (takes, row, label) => {
  const known = takes.map((kind) => NAMES[kind]).join(" or ") || "none at all";
  refuse("dtype", `${where(row, label)}: NaN is another value to the model than the missing number of this column, which is ${known}; give that one, or a number`, row, label);
};

const refuseInteger = (value, row, label) => {
  const digits = value.toString(2).replace("-", "").length;
  const said = String(value).replace("-", "").length > 40 ? `an integer of ${digits} bits` : value;
  refuse("dtype", `${where(row, label)}: ${said} is beyond 2**53, where float64 no longer holds every integer; give identifiers as text, or scale the numbers`, row, label);
};

const refuseType = (value, row, label) => {
  if (value === undefined) refuse("columns", `row ${row} has no column ${shown(label)}; give null where a value is missing`, row, label);
  refuse("dtype", `${where(row, label)} holds ${typeName(value)}; models take numbers, booleans and text, one value a cell`, row, label);
};

const number = (value, typed, takes, row, label) => {
  if (value === null) return NaN;
  if (typeof value === "boolean" || (typed && typeof value === "bigint")) return Number(value);
  if (typeof value === "number") {
    if (!typed && !takes.includes("nan")) refuseMissing(takes.includes("none") ? takes : [...takes, "none"], row, label);
    return value;
  }
  if (typeof value === "bigint") {
    if (value > EXACT || value < -EXACT) refuseInteger(value, row, label);
    return Number(value);
  }
  if (typeof value === "string") refuse("dtype", `${where(row, label)}: ${shown(value, 60)} is text, but the model takes numbers; convert the column to numbers, with null where a value is missing`, row, label);
  return refuseType(value, row, label);
};

/** Refuses a number that its column's type does not hold. */
const check = (value, source, row, key, { held, label }) => {
  const typed = source.typed?.(row, key);
  const written = typed && !/Float/.test(typed.constructor.name) ? source.at(row, key) : null;
  if (typeof written === "bigint" && (written > EXACT || written < -EXACT)) refuseInteger(written, row, label);
  const said = written ?? shownFloat(value);
  if (held[0] === "f") {
    const near = held === "float64" ? value : held === "float32" ? Math.fround(value) : half(value);
    if (typed ? near !== value && value === value : Number.isFinite(value) && !Number.isFinite(near)) {
      refuse("dtype", `${where(row, label)}: ${said} is ${typed ? `not a ${held} number` : `too large for ${held}`}, and the column was ${held} in the model's example_input; give such numbers`, row, label);
    }
  } else if (!holds(held, value)) {
    refuse("dtype", `${where(row, label)} is ${value === value ? said : "missing"}, which ${held} does not hold; the column was ${held} in the model's example_input: give such numbers`, row, label);
  }
};

/** The numeric columns as one dense block. */
function* numbers(source, keys, columns, type) {
  const { length } = columns;
  const wide = new Float64Array(source.rows * length);
  const all = columns.map((_, i) => i);
  for (const chosen of source.byColumn ? all.map((i) => [i]) : [all]) {
    for (let row = 0; row < source.rows; row++) {
      for (let k = 0; k < chosen.length; k++) {
        const i = chosen[k];
        const value = source.at(row, keys[i]);
        wide[row * length + i] = typeof value === "number" && value === value
          ? value : number(value, source.typed?.(row, keys[i]), columns[i].takes, row, columns[i].label);
      }
      if (row % SLICE === SLICE - 1) yield;
    }
    // Columns that are held to another type than the block's come first, as in Python.
    const types = new Set(chosen.map((i) => columns[i].held));
    if (types.delete(type)) types.add(type);
    for (const held of types) {
      if (held === "float64" && !source.typed) continue;
      const those = chosen.filter((i) => columns[i].held === held);
      for (let row = 0; row < source.rows; row++) {
        for (const i of those) check(wide[row * length + i], source, row, keys[i], columns[i]);
        if (row % SLICE === SLICE - 1) yield;
      }
    }
  }
  for (const i of source.typed ? all.filter((i) => !columns[i].takes.includes("nan")) : []) {
    for (let row = 0; row < source.rows; row++) {
      if (wide[row * length + i] !== wide[row * length + i] && source.typed(row, keys[i])) refuseMissing(columns[i].takes, row, columns[i].label);
    }
  }
  return type === "float64" ? wide : Float32Array.from(wide, columns.every((c) => c.held === type) ? undefined : half);
}

// ---------------------------------------------------------------- text

/** A growing block of UTF-8, and where each text of it ends. */
export const textBlock = (rows) => {
  const encoder = new TextEncoder();
  const offsets = new Uint32Array(rows + 1);
  let data = new Uint8Array(16 * rows + 64);
  let end = 0;
  return {
    add: (row, text) => {
      const most = end + 3 * text.length;
      if (most > data.length) {
        const larger = new Uint8Array(2 * most);
        larger.set(data.subarray(0, end));
        data = larger;
      }
      end += encoder.encodeInto(text, data.subarray(end)).written;
      offsets[row + 1] = end;
    },
    done: (kinds = null) => ({ offsets, data: data.slice(0, end), kinds }),
  };
};

/** Refuses a text that UTF-8 cannot hold. */
export const refuseSurrogate = (text, row, label, place = `${where(row, label)}: `) =>
  refuse("dtype", `${place}${shown(text, 60)} is not valid Unicode text (it holds a lone surrogate); decode the source with its right encoding`, row, label);

/** A column of text in Arrow's layout. */
function* texts(source, key, { label, missing }) {
  const block = textBlock(source.rows);
  const kinds = new Uint8Array(source.rows).fill(1);
  let [some, lone] = [false, -1];
  for (let row = 0; row < source.rows; row++) {
    let value = source.at(row, key);
    if (typeof value !== "string") {
      if (value !== null && value === value) {
        if (["number", "boolean", "bigint"].includes(typeof value)) {
          const typed = source.typed?.(row, key);
          const said = typed && /Float/.test(typed.constructor.name) ? shownFloat(value) : shown(value);
          refuse("dtype", `${where(row, label)}: ${said} is a number, but the model takes text; give the text that the model was fitted on`, row, label);
        }
        refuseType(value, row, label);
      }
      kinds[row] = CODES[value === null ? missing : "nan"];
      [value, some] = ["", true];
    } else if (lone < 0 && /\p{Cs}/u.test(value)) lone = row;
    block.add(row, value);
    if (row % SLICE === SLICE - 1) yield;
  }
  if (lone >= 0) refuseSurrogate(source.at(lone, key), lone, label);
  return block.done(some ? kinds : null);
}

// ---------------------------------------------------------------- the table

/** The rows of a table as blocks, a slice at a time. */
export function* table(signature, rows, empty) {
  const source = open(rows, signature);
  if (!source.rows && !empty) {
    refuse("shape", "there are no rows to predict (0 rows); give at least one, and skip empty batches");
  }
  const found = source.rows || source.names?.length || source.width ? match(source, signature) : [];
  const keysOf = (columns) => columns.map((column) => found[column.position]);
  const keys = keysOf(signature.numeric);
  let numeric = null;
  try {
    if (keys.length) numeric = yield* numbers(source, keys, signature.numeric, signature.type);
  } catch (error) {
    keys.forEach((key) => source.complete?.(key));
    throw error;
  }
  const text = [];
  for (const [i, key] of keysOf(signature.texts).entries()) {
    source.complete?.(key);
    text.push(yield* texts(source, key, signature.texts[i]));
  }
  return { rows: source.rows, numeric, text };
}
