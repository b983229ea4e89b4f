import { refuse, SclblError } from "./errors.js";
import { table } from "./rows.js";

/**
 * Encodes rows a slice at a time: an iterator whose last value is the blocks.
 *
 * @param {object} signature what `readSignature` returned
 * @param {string} method the method that is to be called
 * @param {unknown} rows
 * @param {Record<string, number | bigint | boolean>} [parameters]
 */
export function* encoding(signature, method, rows, parameters = {}) {
  const output = signature.outputs[method];
  const names = Object.keys(signature.outputs);
  if (!names.includes(method)) refuse("unsupported_method", `the program has no method '${method}'; it offers ${names.join(", ")}`);
  try {
    return { ...(yield* table(signature, rows, output.empty)), beside: [] };
  } catch (error) {
    if (error instanceof SclblError) throw error;
    return refuse("input", `the rows cannot be read: reading them raised ${error?.name}; give plain lists or objects of numbers and text, or typed arrays`);
  }
}

/** Encodes rows at once; see `encoding`. */
export const encode = (signature, method, rows, parameters) => {
  const steps = encoding(signature, method, rows, parameters);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
};

const textSlice = ({ offsets, data, kinds }, a, b) => ({
  offsets: offsets.slice(a, b + 1).map((at) => at - offsets[a]),
  data: data.slice(offsets[a], offsets[b]),
  kinds: kinds && kinds.slice(a, b),
});

const isText = (part) => part?.data;

const besideSlice = (given, rows, a, b) => {
  if (!given || given.value) return given;
  const { offsets } = given;
  if (!offsets) {
    const width = given.values.length / rows;
    return { values: given.values.slice(a * width, b * width) };
  }
  const [first, last] = [offsets[a], offsets[b]];
  const part = (held) => held && (isText(held) ? textSlice(held, first, last) : held.slice(first, last));
  return { offsets: offsets.slice(a, b + 1).map((at) => at - first), keys: part(given.keys), values: part(given.values) };
};

/** Some of the rows of blocks, copied, so that they can be given to a worker. */
export const slice = (blocks, a, b) => {
  const { rows, numeric } = blocks;
  const width = numeric && numeric.length / rows;
  return {
    rows: b - a,
    numeric: numeric && numeric.slice(a * width, b * width),
    text: blocks.text.map((column) => textSlice(column, a, b)),
    beside: blocks.beside.map((given) => besideSlice(given, rows, a, b)),
  };
};

/** The buffers of blocks, or of raw results, for `postMessage` to transfer. */
export const buffers = (held) =>
  ArrayBuffer.isView(held) ? [held.buffer] : held && typeof held === "object" ? Object.values(held).flatMap(buffers) : [];
