import { refuse } from "./errors.js";
import { half } from "./rows.js";
import { TYPES } from "./signature.js";

const isBig = (dtype) => /int64/.test(dtype);
/** A number where it is safe, else a BigInt. */
const small = (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** Values in the type in which the model returns them, as far as it holds them. */
const cast = (dtype, storage, found) => {
  if (dtype === storage) return [dtype, found];
  if (!(dtype in TYPES)) {
    const plain = storage === "bool" ? Boolean : small;
    return [dtype, Array.isArray(found) ? found : Array.from(found, plain)];
  }
  if (dtype[0] === "f") {
    const Type = dtype === "float16" ? Float32Array : TYPES[dtype];
    return [dtype, Type.from(found, dtype === "float16" ? half : Number)];
  }
  // These rows may hold fractions or missing values where the example held integers.
  if (found.some((value) => !Number.isInteger(Number(value)))) return [storage, found];
  const given = TYPES[dtype].from(found, isBig(dtype) ? BigInt : dtype === "bool" ? (value) => (value ? 1 : 0) : Number);
  return given.every((value, i) => value == found[i]) ? [dtype, given] : [storage, found];
};

/** Flat values as lists in lists of a shape. */
const nested = (data, dtype, shape) => {
  const plain = dtype === "bool" ? Boolean : isBig(dtype) ? small : (value) => value;
  let found = Array.from(data, plain);
  for (const size of shape.slice(1).reverse()) {
    found = Array.from({ length: found.length / size }, (_, i) => found.slice(i * size, (i + 1) * size));
  }
  return shape.length ? found : found[0];
};

const part = (data, rows, width, from, count) => {
  const found = data.slice(0, rows * count);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < count; k++) found[row * count + k] = data[row * width + from + k];
  }
  return found;
};

/** The results of one output: `[data, dtype, shape]` of each. */
const finish = (output, found, rows) => {
  const { storage, width, labels, splits, shape, ndim } = output;
  if (storage === "label" && !Array.isArray(found)) {
    found = Array.from(found, (value, i) => labels[i % width][value] ??
      refuse("program", "the program gave a class number that has no label; the file was altered, so fetch or compile it again"));
  }
  const [dtype, data] = cast(output.dtype, storage, found);
  if (splits) {
    let from = 0;
    return splits.map((count) => {
      const piece = part(data, rows, width, from, count);
      from += count;
      return [piece, dtype, [rows, count]];
    });
  }
  const own = shape ? (ndim === shape.length ? shape : [rows, ...shape]) : ndim === 1 ? [rows] : [rows, width];
  return [[data, dtype, own]];
};

/**
 * What `program.call` returned, as the model returns it.
 *
 * Of several results `data`, `dtype`, `shape` and `values` are lists with an entry for each.
 */
export const answer = (signature, method, { rows, results }) => {
  const found = signature.results(method).flatMap((output, k) => finish(output, results[k], rows));
  const [output] = signature.results(method);
  const many = output.splits || output.further;
  const pick = (take) => (many ? found.map(take) : take(found[0]));
  let values;
  return {
    method,
    data: pick((one) => one[0]),
    dtype: pick((one) => one[1]),
    shape: pick((one) => one[2]),
    get values() {
      return (values ??= pick((one) => nested(...one)));
    },
  };
};

const joined = (parts) => {
  if (Array.isArray(parts[0])) return parts.flat();
  const found = new parts[0].constructor(parts.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of parts) {
    found.set(one, at);
    at += one.length;
  }
  return found;
};

/** The results of consecutive rows as one. */
export const merge = (raws) => ({
  rows: raws.reduce((sum, raw) => sum + raw.rows, 0),
  results: raws[0].results.map((_, k) => joined(raws.map((raw) => raw.results[k]))),
});
