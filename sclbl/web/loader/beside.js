import { refuse } from "./errors.js";
import { arrayOf, hold, inLists, isNumber } from "./numbers.js";
import { isList, isRecord, isTyped, textBlock } from "./rows.js";
import { called, shown } from "./shown.js";
import { TYPES, widthOf } from "./signature.js";

/** Refuses what a row holds: shapes are said before text, and text before numbers. */
const isNo = (code, row, value, what) =>
  refuse(code, `row ${row} holds ${shown(value)}, which is no ${what}`, row, null, code !== "dtype" ? 0 : what === "text" ? 1 : 2);

/** Values in the type of an input; refuses one that it does not hold. */
const valuesOf = (dtype, values, rowOf, typed) =>
  arrayOf(dtype, values.map((value, i) => hold(value, dtype, typed) ?? isNo("dtype", rowOf(i), value ?? NaN, dtype)));

// ---------------------------------------------------------------- rows of several axes

/** Lists in lists as `[shape, flat]`; those that differ in length have the shape `[0]`. */
const flatten = (rows) => {
  const shape = [];
  const flat = [];
  let ragged = false;
  const walk = (value, depth) => {
    const list = isList(value);
    // What came first says how deep lists are, and how long.
    if (!flat.length && list && shape.length === depth) shape.push(value.length);
    ragged ||= list ? shape[depth] !== value.length : shape.length !== depth;
    if (!list) flat.push(value);
    else if (!ragged) value.forEach((one) => walk(one, depth + 1));
  };
  walk(rows, 0);
  return ragged ? [[0], []] : [shape, flat];
};

/** Rows of several axes, `{rows, flat}`; a typed array holds them in C order. */
export const shaped = (rows, { shape: own = [], one_row: one }) => {
  const width = widthOf(own);
  let [shape, flat] = isTyped(rows) ? [[rows.length], rows] : flatten(rows);
  if (isTyped(rows) && rows.length % width === 0) shape = [rows.length / width, ...own];
  else if (own.length && String(shape) === String(own)) shape = [1, ...own];
  if (!shape.length || String(shape.slice(1)) !== String(own) || (one && shape[0] > 1)) {
    refuse("shape", `the rows have shape (${shape.join(", ")}${shape.length === 1 ? "," : ""})`);
  }
  return { rows: shape[0], flat };
};

const tensor = (given, rows) => {
  const { name, dtype, width, shape = [] } = given;
  const { rows: count, flat } = shaped(isRecord(rows) && String(Object.keys(rows)) === name ? rows[name] : rows, given);
  const cut = (start, end) => flat.slice(start * width, end * width);
  return {
    rows: count,
    encode: (start, end) => {
      const part = cut(start, end);
      const same = part instanceof TYPES[dtype] && !/float16|bool/.test(dtype);
      return { values: same ? part : valuesOf(dtype, Array.from(part), (i) => start + Math.floor(i / width), isTyped(flat)) };
    },
    plain: (start, end) => inLists(Array.from(cut(start, end)), [end - start, ...shape]),
  };
};

// ---------------------------------------------------------------- rows whose length varies

const itemsOf = (row, number) => (isList(row) ? Array.from(row) : isNo("shape", number, row, "list"));

const textsOf = (texts, rowOf) => {
  const block = textBlock(texts.length);
  texts.forEach((text, i) => block.add(text) || isNo("dtype", rowOf(i), text, "text"));
  return block.done();
};

/** By kind: the keys and the values of a row. */
const PARTS = {
  list: (row, number) => [[], itemsOf(row, number)],
  sparse: (row, number, width) => {
    const wrong = () => isNo("shape", number, row, "sparse row");
    if (isList(row)) {
      if (row.length !== width) wrong();
      const items = Array.from(row);
      const columns = [...items.keys()].filter((k) => !isNumber(items[k]) || Number(items[k]) !== 0);
      return [columns, columns.map((k) => items[k])];
    }
    if (!isRecord(row) || String(Object.keys(row).sort()) !== "columns,values" || !isList(row.columns) || row.columns.length !== row.values?.length) wrong();
    const seen = new Set();
    for (const column of row.columns) {
      const key = /number|bigint/.test(typeof column) && Number.isInteger(Number(column)) ? Number(column) : -1;
      if (key < 0 || key >= width || seen.has(key)) refuse("columns", `row ${number} holds ${shown(column)}, which is no column`, number, shown(column));
      seen.add(key);
    }
    return [[...seen], itemsOf(row.values, number)];
  },
  features: (row, number) => {
    if (!isRecord(row) && !(isList(row) && !row.length)) isNo("shape", number, row, "dict");
    // A text says which one of several things is there.
    const pairs = Object.entries(row).map(([name, value]) => (typeof value === "string" ? [`${name}=${value}`, 1] : [name, value]));
    return [pairs.map(([name]) => name), pairs.map(([, value]) => value)];
  },
};

const ragged = ({ kind, dtype, width }, rows) => {
  const typed = kind === "sparse" && isTyped(rows);
  let held = kind !== "list" && isRecord(rows) ? [rows] : rows;
  if (typed) held = Array.from({ length: Math.ceil(rows.length / width) }, (_, i) => rows.subarray(i * width, (i + 1) * width));
  if (!isList(held)) refuse("shape", `${shown(rows)} is not rows`);
  if (kind === "sparse" && isNumber(held[0])) held = [held];
  return {
    rows: held.length,
    encode: (start, end) => {
      const parts = Array.from(held.slice(start, end), (row, i) => PARTS[kind](row, start + i, width));
      const lengths = parts.map(([, values]) => values.length);
      const offsets = offsetsOf(lengths);
      const rowOf = (item) => start + offsets.findIndex((at) => at > item) - 1;
      const [keys, values] = [0, 1].map((k) => parts.flatMap((part) => part[k]));
      const isText = dtype === "text";
      return {
        offsets,
        text: isText || kind === "features" ? textsOf(isText ? values : keys, rowOf) : null,
        keys: kind === "sparse" ? Uint32Array.from(keys) : null,
        values: isText ? null : valuesOf(dtype, values, rowOf, typed),
      };
    },
    plain: (start, end) => held.slice(start, end),
  };
};

/** Where rows of these lengths begin, and where the last one ends. */
export const offsetsOf = (lengths) => {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => (offsets[i + 1] = offsets[i] + length));
  return offsets;
};

/** An input beside the table: its rows, and what gives a part of them. */
export const beside = (given, rows) => (given.kind === "tensor" ? tensor : ragged)(given, rows);
