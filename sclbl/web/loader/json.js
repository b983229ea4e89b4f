import { refuse } from "./errors.js";
import { arrayOf } from "./numbers.js";
import { CODES } from "./rows.js";
import { shown } from "./shown.js";
import { readJson } from "./signature.js";

/** A number as the server must read it: to the same bits, whether it reads an integer or a float. */
const written = (value, nan = "null") => {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0.0" : String(value);
  if (value !== value) return nan ?? refuse("missing_value", "JSON holds no NaN in rows of several axes");
  if (!Number.isFinite(value)) refuse("infinite_value", "JSON holds no infinity");
  return /[.e]/.test(value) ? String(value) : `${value}.0`;
};

/** The number that a float16's bits stand for. */
const wide = (bits) => {
  const [power, rest] = [(bits >> 10) & 31, bits & 1023];
  const size = power ? (1 + rest / 1024) * 2 ** (power - 15) : rest * 2 ** -24;
  return (bits >> 15 ? -1 : 1) * (power < 31 ? size : rest ? NaN : Infinity);
};

const textAt = ({ offsets, data }, i) => JSON.stringify(new TextDecoder("utf-8", { ignoreBOM: true }).decode(data.subarray(offsets[i], offsets[i + 1])));
const array = (items) => `[${items.join()}]`;
const object = (pairs) => `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
const rowsOf = (rows, one) => array(Array.from({ length: rows }, (_, row) => one(row)));

/** Flat texts as lists in lists of a shape. */
const axes = (items, shape) => {
  let found = items;
  for (const size of [...shape].reverse()) {
    found = Array.from({ length: found.length / size }, (_, i) => array(found.slice(i * size, (i + 1) * size)));
  }
  return found.join();
};

const tableRows = ({ columns, numeric, texts, shape }, blocks) =>
  rowsOf(blocks.rows, (row) => {
    let [n, t] = [row * numeric.length, 0];
    const cells = columns.map(({ kind, label, missing }) => {
      if (kind !== "text") return written(blocks.numeric[n++], shape ? null : "null");
      const cellsOf = blocks.text[t++];
      const present = cellsOf.kinds[row];
      if (present === 1) return textAt(cellsOf, row);
      if (present !== CODES[missing]) refuse("dtype", `row ${row + blocks.first}, column ${shown(label)} is NaN, and JSON's one missing value is another there`, row + blocks.first, label);
      return "null";
    });
    return axes(cells, shape ?? [columns.length]);
  });

const besideRows = ({ kind, dtype, shape = [], width }, { offsets, keys, text, values }, rows) => {
  const numbers = values && Array.from(values, (value) => written(dtype === "float16" ? wide(value) : value));
  if (kind === "tensor") return rowsOf(rows, (row) => axes(numbers.slice(row * width, (row + 1) * width), shape));
  return rowsOf(rows, (row) => {
    const [from, to] = [offsets[row], offsets[row + 1]];
    const items = numbers ? numbers.slice(from, to) : Array.from({ length: to - from }, (_, i) => textAt(text, from + i));
    if (kind === "list") return array(items);
    if (kind === "sparse") return object([["columns", array([...keys.slice(from, to)])], ["values", array(items)]]);
    return `{${items.map((item, i) => `${textAt(text, from + i)}:${item}`).join()}}`;
  });
};

/**
 * Encoded rows as the JSON from which a server reads the very same blocks.
 *
 * @param {object} signature
 * @param {object} blocks
 * @returns {string}
 */
export const toJson = (signature, blocks) => {
  const { inputs, columns } = signature;
  const rows = columns.length ? [["table", tableRows(signature, blocks)]] : [];
  const values = [];
  inputs.forEach((input, i) => {
    const given = blocks.beside[i];
    if (input.kind !== "parameter") rows.push([input.name, besideRows(input, given, blocks.rows)]);
    else if (given) values.push([input.name, input.dtype === "bool" ? Boolean(given.value[0]) : written(given.value[0])]);
  });
  const more = values.length ? [["parameters", object(values)]] : [];
  return object([rows.length > 1 ? ["inputs", object(rows)] : ["rows", rows[0][1]], ...more]);
};

/**
 * A server's answer as what a program returns; give it to `answer`.
 *
 * @param {object} signature
 * @param {string} method
 * @param {string} text
 */
export const fromJson = (signature, method, text) => {
  const { results: found } = readJson(text);
  const outputs = signature.results(method);
  return {
    rows: found.length,
    results: outputs.map(({ storage, ragged }, k) => {
      const entries = outputs.length > 1 ? found.map((row) => row[k]) : found;
      const number = (value) => (value === null ? NaN : value);
      const arrayed = (values) => (storage === "label" || storage === "text" ? values : arrayOf(storage, values.map(number)));
      if (!ragged) return arrayed(entries.flat(Infinity));
      const items = entries.map((entry) => entry.values ?? entry);
      const offsets = new Uint32Array(found.length + 1);
      items.forEach((row, i) => (offsets[i + 1] = offsets[i] + row.length));
      return { offsets, keys: ragged === "sparse" ? Uint32Array.from(entries.flatMap((entry) => entry.columns)) : null, values: arrayed(items.flat()) };
    }),
  };
};
