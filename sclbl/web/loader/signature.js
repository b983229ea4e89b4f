import { invalid } from "./errors.js";

/** Arrays of each type of number, as they lie in a program's memory. */
export const TYPES = {
  float64: Float64Array, float32: Float32Array, float16: Uint16Array,
  int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
  bool: Uint8Array, label: Int32Array, text: Uint32Array,
};

const product = (shape) => shape.reduce((width, size) => width * size, 1);

const columnOf = ([name, kind, dtype, missing, takes], position) => ({
  position,
  label: String(name ?? position),
  text: kind === "text",
  kind,
  held: dtype ?? (kind === "float32" ? kind : "float64"),
  missing: missing ?? "nan",
  takes: takes ?? ["none", "nan"],
});

/**
 * The signature of a manifest, with what encoding and running look up made ready.
 *
 * @param {object} manifest
 */
export const readSignature = (manifest) => {
  const given = manifest.signature;
  const { count, kind, dtype, missing, takes } = given.columns;
  const columns = Array.isArray(given.columns)
    ? given.columns.map(columnOf)
    : Array.from({ length: Math.min(count, 2 ** 18) }, (_, i) => columnOf([, kind, dtype, missing, takes], i));
  const numeric = columns.filter((column) => !column.text);
  const inputs = (given.inputs ?? []).map((input) => ({ ...input, width: product(input.shape ?? []) }));
  return {
    ...given,
    columns,
    numeric,
    texts: columns.filter((column) => column.text),
    type: numeric.length && numeric.every((column) => column.kind === "float32") ? "float32" : "float64",
    inputs,
    beside: inputs.filter((input) => input.kind !== "parameter"),
    results: (method) => [given.outputs[method], ...(given.outputs[method].further ?? [])],
  };
};
