import { refuse } from "./errors.js";
import { EXACT, hold, isNumber } from "./numbers.js";
import { article, listed, shown, shownFloat, typeName } from "./shown.js";

/** How a cell of text says which missing value it is; 1 is a text. */
export const CODES = { none: 0, nan: 2, na: 3 };
/** Units of text that a program is given at once, unless one row has more. */
const TEXT = 2 ** 20;
const NAMES = { none: "None", nan: "NaN", na: "pandas.NA" };

export const isTyped = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView);
export const isList = (value) => Array.isArray(value) || isTyped(value);
export const isRecord = (value) => typeName(value) === "dict";
const isScalar = (value) => !isList(value) && !isRecord(value);

// ---------------------------------------------------------------- what holds the rows

/*
 * A source is one view of rows: how many, their width or names, and `at(row, key)`, where a key is
 * a name or a position. `typed(row, key)` is the typed array that a value stands in, if one does.
 */
const recordsOf = (rows) => ({
  rows: rows.length,
  names: Object.keys(rows[0]).filter((key) => rows[0][key] !== undefined),
  at: (row, key) => rows[row][key],
  lacks: (row, key) => !Object.hasOwn(rows[row], key) || rows[row][key] === undefined,
});

const columnsOf = (columns) => {
  const names = Object.keys(columns);
  if (names.length && names.every((name) => isScalar(columns[name]))) return recordsOf([columns]);
  for (const name of names) {
    if (!isList(columns[name])) refuse("shape", `column ${shown(name)} ${isScalar(columns[name]) ? "is one value and others are lists" : "has 0 dimensions"}`, null, name);
  }
  const rows = columns[names[0]]?.length ?? 0;
  if (names.some((name) => columns[name].length !== rows)) {
    refuse("shape", `columns differ in length (${names.slice(0, 8).map((name) => `${shown(name)}: ${columns[name].length}`).join(", ")})`);
  }
  return {
    rows, names, byColumn: 1,
    at: (row, key) => columns[key][row],
    typed: (row, key) => isTyped(columns[key]) && columns[key],
  };
};

const listsOf = (rows) => {
  const width = rows[0]?.length ?? 0;
  const row = rows.findIndex((values) => values.length !== width);
  if (row >= 0) refuse("shape", `row ${row} has ${rows[row].length} values and row 0 has ${width}`, row);
  return { rows: rows.length, width, at: (row, key) => rows[row][key], typed: (row) => isTyped(rows[row]) && rows[row] };
};

const listOf = (rows, { columns, texts, layout }) => {
  if (isRecord(rows[0])) {
    const row = rows.findIndex((value) => !isRecord(value));
    if (row >= 0) refuse("shape", `row 0 is a dict and row ${row} is a ${typeName(rows[row])}`, row);
    return recordsOf(rows);
  }
  const row = rows.findIndex(isScalar);
  if (row < 0) {
    if (rows.some((values) => isRecord(values) || (!isTyped(values) && !values.every(isScalar)))) refuse("shape", "the input is nested more than two deep (3 dimensions)");
    return listsOf(rows);
  }
  if (!rows.every(isScalar)) refuse("shape", `row ${row} is one value and others are lists`, row);
  // Texts are the rows of an only column; other values are the cells of one row.
  const free = texts.length && layout === "array";
  const one = columns.length === 1 && rows.every((value) => typeof value === "string" || (free && (value === null || typeName(value) === "float")));
  return { ...listsOf(one ? rows.map((value) => [value]) : [rows]), byColumn: 1 };
};

/** Rows whose cells lie one after the other. */
const gridOf = ({ rows, flat }, width) => ({
  rows, width, at: (row, key) => flat[row * width + key], typed: () => isTyped(flat) && flat,
});

const sourceOf = (rows, signature) => {
  if (isTyped(rows)) {
    const { length } = signature.columns;
    const width = rows.length % length ? rows.length : length;
    return gridOf({ rows: rows.length / width, flat: rows }, width);
  }
  return Array.isArray(rows) ? listOf(rows, signature)
    : isRecord(rows) ? columnsOf(rows) : refuse("shape", `${article(rows)} is not rows`);
};

/** The keys, in the rows, of a signature's columns. */
const match = ({ names, width }, { columns, layout }) => {
  if (!names) {
    if (width !== columns.length) refuse("columns", `the rows have ${width} columns and the model takes ${columns.length}`);
    return columns.map((column) => column.position);
  }
  const wanted = columns.map((column) => column.label);
  const held = new Set(names);
  const missing = wanted.filter((name) => !held.has(name));
  if (missing[0] !== undefined) {
    if (layout === "array") refuse("columns", `the model's columns have no names, and the rows name theirs (${listed(names)})`);
    refuse("columns", `${missing.length} column${missing[1] === undefined ? " is" : "s are"} missing: ${listed(missing)}; the rows have ${listed(names)}`, null, missing[0]);
  }
  return wanted;
};

// ---------------------------------------------------------------- cells to blocks

const isFloats = (typed) => /Float/.test(typed?.constructor?.name);

/** A growing block of UTF-8, and where each text of it ends. */
export const textBlock = (count) => {
  const encoder = new TextEncoder();
  const offsets = new Uint32Array(count + 1);
  let data = new Uint8Array(16 * count + 64);
  let [end, index] = [0, 0];
  return {
    add: (text) => {
      const most = end + 3 * text.length;
      if (most > data.length) {
        const larger = new Uint8Array(2 * most);
        larger.set(data);
        data = larger;
      }
      end += encoder.encodeInto(text, data.subarray(end)).written;
      offsets[++index] = end;
    },
    done: (kinds) => ({ offsets, data: data.slice(0, end), kinds }),
  };
};

/** Whether UTF-8 cannot hold a text. */
const isLone = (text) => /\p{Cs}/u.test(text);
const LONE = " is not valid Unicode text (it holds a lone surrogate)";
export const checkText = (text, row) => {
  if (isLone(text)) refuse("dtype", `row ${row} holds ${shown(text)}, which${LONE.slice(3)}`, row);
};

/**
 * The table of a signature: `{rows, encode(start, end), reach(start, end)}`.
 *
 * Of several cells that are refused Python names one by its own order: rows that lack a column,
 * then what is no number, then what a column's type does not hold, then text, column by column.
 */
export const table = (signature, rows, cellsOf) => {
  const { columns, numeric, texts, type, shape } = signature;
  const source = shape ? gridOf(cellsOf(rows, signature), columns.length) : sourceOf(rows, signature);
  const { at, typed, lacks, byColumn } = source;
  const keys = source.rows || source.names?.[0] !== undefined || source.width ? match(source, signature) : [];
  const types = [...new Set(numeric.map((column) => column.held).filter((held) => held !== type)), type];
  const encode = (start, end) => {
    const block = numeric.length ? new (type === "float32" ? Float32Array : Float64Array)((end - start) * numeric.length) : null;
    const kinds = texts.map(() => new Uint8Array(end - start).fill(1));
    const blocks = texts.map(() => textBlock(end - start));
    let fault = null;
    const refused = (rank, code, what, row, label) => {
      if (!fault || rank < fault[0]) fault = [rank, code, `row ${row}, column ${shown(label, Infinity)}${what}`, row, label];
    };
    const absent = (rank, row, key, label) => {
      if (lacks ? lacks(row, key) : at(row, key) === undefined) {
        refused(rank, "columns", ` is missing`, row, label);
        fault[2] = `row ${row} has no column ${shown(label, Infinity)}${row ? ", which row 0 has" : ""}`;
      }
    };
    const number = (value, row, key, { held, label, takes }, order) => {
      const array = typed?.(row, key);
      const near = hold(value, held, array || shape);
      if (near !== undefined && (value === value || takes.includes("nan")) && (held[0] === "f" || Math.abs(Number(near)) <= EXACT)) return Number(near);
      const rank = byColumn ? order * 100 : 0;
      const say = (more, what) => refused(more, "dtype", what, row, label);
      const written = array && !isFloats(array) ? value : shownFloat(value);
      absent(order - 1e9, row, key, label);
      if (typeof value === "string") say(rank, `: ${shown(value)} is text, but the model takes numbers`);
      else if (typeof value === "bigint" && (value > EXACT || value < -EXACT)) {
        const digits = value.toString(2).replace("-", "").length;
        say(rank, `: ${digits > 132 ? `an integer of ${digits} bits` : value} is beyond 2**53, where float64 no longer holds every integer`);
      } else if (!isNumber(value) && value !== null) say(rank, ` holds ${typeName(value)}`);
      else if (value !== value && !takes.includes("nan")) {
        const known = array || takes.includes("none") ? takes : [...takes, "none"];
        say(array ? 1e9 + order : rank, `: NaN is another value to the model than the missing number of this column, which is ${known.map((kind) => NAMES[kind]).join(" or ") || "none at all"}`);
      } else {
        say(rank + 1 + types.indexOf(held), held[0] === "f"
          ? `: ${written} is ${array || shape ? `not a ${held} number` : `too large for ${held}`}, and the column was ${held} in the model's example_input`
          : ` is ${value === null || value !== value ? "missing" : written}, which ${held} does not hold`);
      }
      return NaN;
    };
    const text = (value, row, key, { label, missing }, order) => {
      const rank = 2e9 + 3 * order;
      const say = (more, what) => refused(rank + more, "dtype", what, row, label);
      if (typeof value === "string") {
        if (isLone(value)) say(2, `: ${shown(value)}${LONE}`);
        return value;
      }
      absent(rank, row, key, label);
      kinds[order][row - start] = CODES[value === null ? missing : "nan"];
      if (value !== null && value === value) {
        say(1, isNumber(value)
          ? `: ${isFloats(typed?.(row, key)) ? shownFloat(value) : shown(value, Infinity)} is a number, but the model takes text` : ` holds ${typeName(value)}`);
      }
      return "";
    };
    let place = 0;
    for (let row = start; row < end; row++) {
      let [n, t] = [0, 0];
      for (const column of columns) {
        const key = keys[column.position];
        const value = at(row, key);
        if (column.kind === "text") {
          blocks[t].add(text(value, row, key, column, t));
          t++;
        } else {
          block[place++] = value === value && column.held === "float64" && typeof value === "number" ? value : number(value, row, key, column, n);
          n++;
        }
      }
    }
    if (fault) refuse(...fault.slice(1));
    return { numeric: block, text: blocks.map((one, i) => one.done(kinds[i])) };
  };
  /** Where a part ends: after rows enough, or where their text is long. */
  const reach = (start, end) => {
    let [last, size] = [start, 0];
    while (last < end && (last === start || size < TEXT)) {
      for (const { position } of texts) size += at(last, keys[position])?.length || 0;
      last++;
    }
    return last;
  };
  return { rows: source.rows, encode, reach: texts.length ? reach : undefined };
};
