import { refuse } from "./errors.js";
import { half, hold, isBig, arrayOf } from "./numbers.js";
import { TYPES } from "./signature.js";

/** A number where it is safe, else a BigInt. */
const small = (value) => (typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value);
/** How values of a type are written as plain JavaScript. */
const plain = (dtype, values) => Array.from(values, dtype === "bool" ? Boolean : small);

/** Values in the type in which the model returns them, `[data, dtype]`, as far as it holds them. */
const cast = (dtype, storage, found) => {
  if (!TYPES[dtype]) return [plain(storage, found), dtype];
  if (dtype === storage) return [found, dtype];
  if (dtype === "float16") return [Float32Array.from(found, half), dtype];
  // These rows may hold fractions or missing values where the example held integers.
  if (dtype[0] !== "f" && storage !== "label" && found.some((value) => hold(value, dtype) === undefined)) return [found, storage];
  return [arrayOf(dtype, found), dtype];
};

/** Flat values as lists in lists of a shape. */
const lists = (data, dtype, shape) => {
  let found = plain(dtype, data);
  for (const size of shape.slice(1).reverse()) {
    found = Array.from({ length: found.length / size }, (_, i) => found.slice(i * size, (i + 1) * size));
  }
  return shape.length ? found : found[0];
};

/** Parts of a result as one. */
const joined = (parts) => {
  const [first] = parts;
  if (parts.length === 1 || !first) return first;
  if (Array.isArray(first)) return parts.flat();
  if (first.offsets) {
    let [before, all] = [0, [[0]]];
    for (const { offsets } of parts) {
      all.push(offsets.subarray(1).map((end) => end + before));
      before += offsets.at(-1);
    }
    return { offsets: joined(all.map((one) => Uint32Array.from(one))), keys: joined(parts.map((one) => one.keys)), values: joined(parts.map((one) => one.values)) };
  }
  const found = new first.constructor(parts.reduce((sum, one) => sum + one.length, 0));
  parts.reduce((at, one) => (found.set(one, at), at + one.length), 0);
  return found;
};

/** The results of one output: of each its data, dtype, shape, and a function that gives its values. */
const finish = (output, found, rows) => {
  const { storage, width, labels, splits, shape, ndim, ragged } = output;
  if (ragged) {
    const [values, dtype] = cast(output.dtype, storage, found.values);
    const { offsets, keys: columns } = found;
    const cut = (data, type, i) => plain(type, data.subarray(offsets[i], offsets[i + 1]));
    const row = (_, i) => (columns ? { columns: cut(columns, "", i), values: cut(values, dtype, i) } : cut(values, dtype, i));
    return [[columns ? { offsets, columns, values } : { offsets, values }, dtype, columns ? [rows, width] : [rows], () => Array.from({ length: rows }, row)]];
  }
  const chosen = storage !== "label" || Array.isArray(found) ? found
    : Array.from(found, (value, i) => labels[i % width][value] ?? refuse("program", "the program gave a class number that has no label"));
  const [data, dtype] = cast(output.dtype, storage, chosen);
  const entry = (part, own) => [part, dtype, own, () => lists(part, dtype, own)];
  if (!splits) return [entry(data, shape ? (ndim === shape.length ? shape : [rows, ...shape]) : ndim === 1 ? [rows] : [rows, width])];
  let from = 0;
  return splits.map((count) => {
    const [first, last] = [from, (from += count)];
    return entry(data.filter((_, i) => i % width >= first && i % width < last), [rows, count]);
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
  const pick = (take) => (outputs[0].splits || outputs[1] ? found.map(take) : take(found[0]));
  let values;
  return {
    method,
    data: pick((one) => one[0]),
    dtype: pick((one) => one[1]),
    shape: pick((one) => one[2]),
    get values() {
      return (values ??= pick((one) => one[3]()));
    },
  };
};
