import { refuse } from "./errors.js";
import { arrayOf, hold, isNumber } from "./numbers.js";
import { checkText, isList, isRecord, isTyped, textBlock } from "./rows.js";
import { isWhole, shown, typeName } from "./shown.js";
import { TYPES } from "./signature.js";

const holdsNot = (row, value, dtype) => refuse("dtype", `row ${row} holds ${shown(value)}, which ${dtype} does not hold`, row);

/** Values in the type of an input; refuses one that it does not hold. */
const valuesOf = ({ dtype }, values, rowOf, typed) =>
  arrayOf(dtype, values.map((value, i) => hold(value, dtype, typed) ?? holdsNot(rowOf(i), value, dtype)));

// ---------------------------------------------------------------- rows of several axes

/** Lists in lists as `{shape, flat}`; those that differ in length have the shape `[0]`. */
const flatten = (rows) => {
  const [shape, flat] = [[], []];
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
  return ragged ? { shape: [0], flat: [] } : { shape, flat };
};

/** Rows of several axes, `{rows, flat}`; a typed array holds them in C order. */
const shaped = (rows, { shape: own = [], one_row: one }, say) => {
  const width = own.reduce((product, size) => product * size, 1);
  if (isTyped(rows) && rows.length % width === 0 && !(one && rows.length > width)) return { rows: rows.length / width, flat: rows };
  const { shape, flat } = flatten(rows);
  const deep = own.length && String(shape) === String(own) ? [1, ...shape] : shape;
  if (!deep.length || String(deep.slice(1)) !== String(own) || (one && deep[0] > 1)) say(`shape (${shape.join(", ")}${shape.length === 1 ? "," : ""})`, flat);
  return { rows: deep[0], flat };
};

/** Rows of several axes as those of a table, whose cells lie one after the other. */
export const cellsOf = (rows, signature) => {
  const found = shaped(rows, signature, (shape) => refuse("shape", `the rows are an array of ${shape}`));
  const { flat } = found;
  const text = signature.texts.length;
  const wrong = isTyped(flat) ? -1 : flat.findIndex((value) => !(text ? value === null || value !== value || typeof value === "string" : isNumber(value)));
  if (wrong >= 0) {
    const row = Math.floor(wrong / signature.columns.length);
    refuse("shape", `row ${row} holds ${shown(flat[wrong])}, and the model takes ${text ? "text" : "numbers"} of its shape`, row);
  }
  return found;
};

const tensor = (given, rows) => {
  const { name, dtype, width } = given;
  const held = isRecord(rows) && String(Object.keys(rows)) === name ? rows[name] : rows;
  const { rows: count, flat } = shaped(held, given, (shape) => refuse("shape", `the input ${shown(name)} has ${shape}`));
  return {
    rows: count,
    encode: (start, end) => {
      const part = flat.slice(start * width, end * width);
      const same = part instanceof TYPES[dtype] && !/float16|bool/.test(dtype);
      return { values: same ? part : valuesOf(given, Array.from(part), (i) => start + Math.floor(i / width), isTyped(flat)) };
    },
  };
};

// ---------------------------------------------------------------- rows whose length varies

const itemsOf = (row, number) =>
  isList(row) ? Array.from(row) : refuse("shape", `row ${number} holds ${shown(row)} where a list of items belongs`, number);

const textsOf = (texts, rowOf) => {
  const block = textBlock(texts.length);
  texts.forEach((text, i) => {
    if (typeof text !== "string") holdsNot(rowOf(i), text, "text");
    checkText(text, rowOf(i));
    block.add(text);
  });
  return block.done();
};

/** The columns and values of a sparse row. */
const pairsOf = (row, number, width) => {
  const say = (code, what, column) => refuse(code, `row ${number} ${what}`, number, column);
  if (!isRecord(row)) {
    const items = itemsOf(row, number);
    if (items.length !== width) say("columns", `has ${items.length} columns`);
    const columns = [...items.keys()].filter((k) => !isNumber(items[k]) || Number(items[k]) !== 0);
    return [columns, columns.map((k) => items[k])];
  }
  if (String(Object.keys(row).sort()) !== "columns,values") say("shape", "is a dict of other keys than 'columns' and 'values'");
  const [columns, values] = [row.columns, row.values].map((list) => itemsOf(list, number));
  if (columns.length !== values.length) say("shape", `has ${columns.length} columns and ${values.length} values`);
  const seen = new Set();
  for (const column of columns) {
    const key = Number(column);
    if (typeof column !== "bigint" && !isWhole(column)) say("dtype", `has ${shown(column)} as the number of a column`);
    if (!(key >= 0 && key < width)) say("columns", `has the column ${shown(column)}`, shown(column));
    if (seen.has(key)) say("columns", `has the column ${key} twice`, String(key));
    seen.add(key);
  }
  return [[...seen], values];
};

/** The names and values of a row of features. */
const featuresOf = (row, number) => {
  if (!isRecord(row)) {
    const [pair] = itemsOf(row, number);
    if (pair !== undefined) refuse("shape", `row ${number} holds ${shown(pair)}`, number);
  }
  // A text says which one of several things is there.
  const pairs = Object.entries(row).map(([name, value]) => (typeof value === "string" ? [`${name}=${value}`, 1] : [name, value]));
  return [pairs.map(([name]) => name), pairs.map(([, value]) => value)];
};

const ragged = (given, rows) => {
  const { kind, dtype, width } = given;
  const typed = kind === "sparse" && isTyped(rows);
  let held = rows;
  if (kind !== "list" && isRecord(rows)) held = [rows];
  if (typed) held = Array.from({ length: Math.ceil(rows.length / width) }, (_, i) => rows.subarray(i * width, (i + 1) * width));
  if (!isList(held)) refuse("shape", `the rows are of type ${typeName(rows)}`);
  if (kind === "sparse" && held.length && isNumber(held[0])) held = [held];
  return {
    rows: held.length,
    encode: (start, end) => {
      const parts = Array.from(held.slice(start, end), (row, i) =>
        kind === "list" ? [[], itemsOf(row, start + i)] : kind === "sparse" ? pairsOf(row, start + i, width) : featuresOf(row, start + i));
      const offsets = new Uint32Array(parts.length + 1);
      parts.forEach(([, values], i) => (offsets[i + 1] = offsets[i] + values.length));
      const rowOf = (item) => start + offsets.findIndex((at) => at > item) - 1;
      const [keys, values] = [0, 1].map((k) => parts.flatMap((part) => part[k]));
      if (dtype === "text") return { offsets, text: textsOf(values, rowOf) };
      const text = kind === "features" && textsOf(keys, rowOf);
      return { offsets, text, keys: kind === "sparse" && Uint32Array.from(keys), values: valuesOf(given, values, rowOf, typed) };
    },
  };
};

/** The rows of an input beside the table: `{rows, encode(start, end)}`. */
export const beside = (given, rows) => (given.kind === "tensor" ? tensor : ragged)(given, rows);
