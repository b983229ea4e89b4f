import { refuse } from "./errors.js";
import { EXACT, hold } from "./numbers.js";
import { kindOf, listed, called, shown } from "./shown.js";
import { TYPES } from "./signature.js";

/** How a cell of text says which missing value it is; 1 is a text. */
const CODES = { none: 0, nan: 2, na: 3 };
/** Units of text that a program is given at once, unless one row has more. */
const TEXT = 2 ** 20;

export const isTyped = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView);
export const isList = (value) => Array.isArray(value) || isTyped(value);
export const isRecord = (value) => kindOf(value) === "Object";

// ---------------------------------------------------------------- what holds the rows

const isScalar = (value) => typeof value !== "object" || (!isList(value) && !isRecord(value));
const formOf = (value) => (isList(value) ? `a list of ${value.length}` : isRecord(value) ? "a dict" : "one value");

/** Refuses values of which one has another form than the first. */
const alike = (values, names) => {
  const forms = Array.from(values, formOf);
  const other = forms.findIndex((form) => form !== forms[0]);
  if (other > 0) {
    const [one, first] = [other, 0].map((i) => (names ? `column ${called(names[i])}` : `row ${i}`));
    refuse("shape", `${one} is ${forms[other]} and ${first} is ${forms[0]}`, names ? null : other, names?.[other]);
  }
  return forms[0];
};

/*
 * A source is one view of rows: how many, their width or names, and `at(row, key)`, where a key is
 * a name or a position. `typed(row, key)` is the typed array that a value stands in, if one does.
 */
const recordsOf = (rows) => ({
  rows: rows.length,
  names: Object.keys(rows[0]).filter((key) => rows[0][key] !== undefined),
  at: (row, key) => rows[row][key],
  own: (row, key) => Object.hasOwn(rows[row], key),
});

const listsOf = (rows, byColumn) => ({
  rows: rows.length,
  width: rows[0]?.length ?? 0,
  at: (row, key) => rows[row][key],
  typed: (row) => isTyped(rows[row]) && rows[row],
  byColumn,
});

/** Rows whose cells lie one after the other. */
const gridOf = ({ rows, flat }, width) => ({
  rows,
  width,
  at: (row, key) => flat[row * width + key],
  typed: () => isTyped(flat) && flat,
});

const sourceOf = (rows, { columns, texts, layout }) => {
  if (isTyped(rows)) {
    const width = rows.length % columns.length ? rows.length : columns.length;
    return gridOf({ rows: rows.length / width, flat: rows }, width);
  }
  if (isRecord(rows)) {
    const names = Object.keys(rows);
    const form = alike(Object.values(rows), names);
    if (form && !isList(rows[names[0]])) return recordsOf([rows]);
    const [first] = Object.values(rows);
    return {
      rows: first?.length ?? 0,
      names,
      at: (row, key) => rows[key][row],
      typed: (row, key) => isTyped(rows[key]) && rows[key],
      byColumn: 1,
    };
  }
  if (!Array.isArray(rows)) refuse("shape", `${shown(rows)} is not rows`);
  const form = alike(rows);
  if (form === "a dict") return recordsOf(rows);
  if (form !== "one value") {
    if (rows.some((values) => !isTyped(values) && values.some((value) => !isScalar(value)))) refuse("shape", "the input is nested more than two deep (3 dimensions)");
    return listsOf(rows);
  }
  // Texts are the rows of an only column; other values are the cells of one row.
  const free = texts.length && layout === "array";
  const isCell = (value) => typeof value === "string" || (free && (value === null || (typeof value === "number" && !Number.isInteger(value))));
  return listsOf(columns.length === 1 && rows.every(isCell) ? rows.map((value) => [value]) : [rows], 1);
};

/** The keys, in the rows, of a signature's columns. */
const match = ({ names, width }, { columns }) => {
  if (!names) {
    if (width !== columns.length) refuse("columns", `the rows have ${width} columns and the model takes ${columns.length}`);
    return columns.map((column) => column.position);
  }
  const wanted = columns.map((column) => column.label);
  const held = new Set(names);
  const missing = wanted.filter((name) => !held.has(name));
  if (missing.length) refuse("columns", `the rows lack ${listed(missing)}`, null, missing[0]);
  return wanted;
};

// ---------------------------------------------------------------- cells to blocks

const encoder = new TextEncoder();

/** A growing block of UTF-8, where each text of it ends, and which are missing. */
export const textBlock = (count) => {
  const offsets = new Uint32Array(count + 1);
  const kinds = new Uint8Array(count);
  let data = new Uint8Array(16 * count + 64);
  let [end, index] = [0, 0];
  return {
    /** Adds a text, or the missing value that null is, where there is one; returns whether it can. */
    add: (value, missing) => {
      const there = typeof value === "string";
      const kind = there ? 1 : missing && (value === null ? CODES[missing] : value !== value ? CODES.nan : undefined);
      if (kind === undefined || (there && /\p{Cs}/u.test(value))) return false;
      const most = end + 3 * (there && value.length);
      if (most > data.length) {
        const larger = new Uint8Array(2 * most);
        larger.set(data);
        data = larger;
      }
      if (there) end += encoder.encodeInto(value, data.subarray(end)).written;
      kinds[index] = kind;
      offsets[++index] = end;
      return true;
    },
    done: () => ({ offsets, kinds, data: data.slice(0, end) }),
  };
};

/** The table of a signature: its rows, and what gives a part of them. */
export const table = (signature, rows, shaped) => {
  const { columns, numeric, texts, type, shape } = signature;
  const source = shape ? gridOf(shaped(rows, signature), columns.length) : sourceOf(rows, signature);
  const { at, typed, own, byColumn } = source;
  const keys = source.rows || source.names?.length || source.width ? match(source, signature) : [];
  const types = [type, ...new Set(numeric.map((column) => column.held).filter((held) => held !== type)), type];

  // Numbers that lie as the program takes them, of which none can be refused here.
  const lies = isTyped(rows) && rows instanceof TYPES[type] && !texts.length && numeric.every(({ held, takes }) => held === type && takes.includes("nan"));

  const encode = (start, end) => {
    if (lies) return { numeric: rows.subarray(start * columns.length, end * columns.length), text: [] };
    const block = numeric.length ? new TYPES[type]((end - start) * numeric.length) : null;
    const blocks = texts.map(() => textBlock(end - start));
    let fault = [Infinity];
    // Of several cells Python refuses one by its own order: what lacks a column, what is no number,
    // what a column's type does not hold, then text, column by column.
    const blame = (row, { position, kind, label, held, order, takes }) => {
      const key = keys[position];
      const value = at(row, key);
      const lacks = value === undefined || (own && !own(row, key));
      const plain = hold(value, "float64") !== undefined && (value === value || takes.includes("nan"));
      const rank = kind === "text" ? 2e9 + 3 * order + (lacks ? 0 : typeof value === "string" ? 2 : 1)
        : lacks ? order - 1e9 : value !== value && typed?.(row, key) ? 1e9 + order
        : (byColumn ? order * 99 : 0) + (plain && types.lastIndexOf(held));
      if (rank < fault[0]) {
        fault = lacks ? [rank, "columns", `row ${row} lacks ${called(label)}`, row, label]
          : [rank, "dtype", `row ${row}, column ${called(label)} holds ${shown(kind === "text" ? value : value ?? NaN)}, which is no ${held}`, row, label];
      }
    };
    let place = 0;
    for (let row = start; row < end; row++) {
      for (const column of columns) {
        const { held, order, position } = column;
        const key = keys[position];
        const value = at(row, key);
        if (held === "text") {
          if (!blocks[order].add(value, column.missing)) blame(row, column);
        } else if (held === "float64" && typeof value === "number" && value === value) block[place++] = value;
        else {
          const near = hold(value, held, typed?.(row, key));
          if (near === undefined || (value !== value && !column.takes.includes("nan")) || (held[0] !== "f" && Math.abs(Number(near)) > EXACT)) blame(row, column);
          block[place++] = Number(near);
        }
      }
    }
    if (fault[1]) refuse(...fault.slice(1), fault[0]);
    return { numeric: block, text: blocks.map((one) => one.done()) };
  };

  return {
    rows: source.rows,
    encode,
    /** Where a part ends: after rows enough, or where their text is long. */
    reach: (start, end) => {
      let [last, size] = [start, 0];
      while (last < end && (last === start || size < TEXT)) {
        for (const { position } of texts) size += at(last, keys[position])?.length || 0;
        last++;
      }
      return last;
    },
    /** Rows as they are, in the signature's order. */
    plain: (start, end) =>
      Array.from({ length: end - start }, (_, i) => columns.map(({ position, label, missing, kind }) => {
        const value = at(start + i, keys[position]);
        if (Math.abs(typeof value === "number" ? value : 0) === Infinity) refuse("infinite_value", `row ${start + i}, column ${called(label)} is infinite, which JSON does not hold`, start + i, label);
        if (value !== value && kind === "text" && missing !== "nan") refuse("missing_value", `row ${start + i}, column ${called(label)} is NaN, which JSON does not hold`, start + i, label);
        return value;
      })),
  };
};
