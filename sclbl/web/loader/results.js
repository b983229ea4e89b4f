import { offsetsOf } from "./beside.js";
import { refuse } from "./errors.js";
import { arrayOf, half, hold, inLists } from "./numbers.js";
import { TYPES } from "./signature.js";

/** Values of a type as plain JavaScript: a number where it is safe, else a BigInt. */
const plainOf = (dtype, values) =>
  Array.from(values, dtype === "bool" ? Boolean : (value) => (typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value));

/** Values in the type in which the model returns them, `[data, dtype]`, as far as it holds them. */
const cast = ({ dtype, storage }, found) => {
  if (!TYPES[dtype]) return [plainOf(storage, found), dtype];
  if (dtype === "float16") return [Float32Array.from(found, half), dtype];
  // These rows may hold fractions or missing values where the example held integers.
  if (dtype !== storage && dtype[0] !== "f" && !found.every((value) => hold(value, dtype) !== undefined)) return [found, storage];
  return [dtype === storage ? found : arrayOf(dtype, found), dtype];
};

/** Parts of a result as one. */
const joined = (parts) => {
  const [first] = parts;
  if (!first || !parts[1]) return first;
  if (Array.isArray(first)) return parts.flat();
  if (first.lengths) return Object.fromEntries(Object.keys(first).map((key) => [key, joined(parts.map((part) => part[key]))]));
  const found = new first.constructor(parts.reduce((sum, one) => sum + one.length, 0));
  parts.reduce((at, one) => (found.set(one, at), at + one.length), 0);
  return found;
};

/** The results of one output: of each its data, dtype, shape, and a function that gives its values. */
const finish = (output, found, rows) => {
  const { storage, width, labels, splits, shape, ndim, ragged } = output;
  if (ragged) {
    const [values, dtype] = cast(output, found.values);
    const { lengths, keys: columns } = found;
    const offsets = offsetsOf(lengths);
    const cut = (data, type, i) => plainOf(type, data.slice(offsets[i], offsets[i + 1]));
    const row = (_, i) => (columns ? { columns: cut(columns, "", i), values: cut(values, dtype, i) } : cut(values, dtype, i));
    return [[{ offsets, columns, values }, dtype, columns ? [rows, width] : [rows], () => lengths.map(row)]];
  }
  const chosen = storage !== "label" || Array.isArray(found) ? found
    : Array.from(found, (value, i) => labels[i % width][value] ?? refuse("program", "the program gave a class number that has no label"));
  const [data, dtype] = cast(output, chosen);
  const entry = (part, own) => [part, dtype, own, () => (own.length ? inLists(plainOf(dtype, part), own) : plainOf(dtype, part)[0])];
  if (!splits) return [entry(data, shape ? (ndim === shape.length ? shape : [rows, ...shape]) : ndim === 1 ? [rows] : [rows, width])];
  let from = 0;
  return splits.map((count) => {
    const first = from;
    from += count;
    return entry(data.filter((_, i) => i % width >= first && i % width < first + count), [rows, count]);
  });
};

/**
 * What a program returned for parts of some rows, as the model returns it.
 *
 * Of several results `data`, `dtype`, `shape` and `values` are lists with an entry for each.
 */
export const answer = (signature, method, raws) => {
  const outputs = signature.results(method);
  const rows = raws.reduce((sum, raw) => sum + raw.rows, 0);
  const found = outputs.flatMap((output, k) => finish(output, joined(raws.map((raw) => raw.results[k])), rows));
  const pick = (i) => (outputs[0].splits || outputs[1] ? found.map((one) => one[i]) : found[0][i]);
  let values;
  return {
    method,
    data: pick(0),
    dtype: pick(1),
    shape: pick(2),
    get values() {
      return (values ??= [pick(3)].flat().map((make) => make()), found[1] ? values : values[0]);
    },
  };
};
