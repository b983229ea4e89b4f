import { refuse } from "./errors.js";
import { shown } from "./shown.js";

/** Arrays of each type of number, as they lie in a program's memory. */
export const TYPES = {
  float64: Float64Array, float32: Float32Array, float16: Uint16Array,
  int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
  bool: Uint8Array, label: Int32Array, text: Uint32Array,
};
/** Elements that a row of anything has at most. */
const WIDEST = 2 ** 22;

const invalid = (why) => refuse("invalid_program", `the program ${why}`);

/** Reads JSON; integers that no float64 holds become BigInts. */
export const readJson = (text) =>
  JSON.parse(
    text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+([.e][-+.\de]+)?/gi, (token, more) =>
      token[0] === '"' || more || Number.isSafeInteger(Number(token)) ? token : `{"\\u0000":"${token}"}`),
    (_, value) => (value?.["\0"] ? BigInt(value["\0"]) : value),
  );

/** Throws where what a manifest, or a server, says cannot be. */
export const must = (right) => {
  if (!right) throw right;
};

/** The product of a shape. */
export const widthOf = (shape = []) => {
  const width = shape.reduce((product, size) => (must(Number.isInteger(size) && size > 0), product * size), 1);
  must(width <= WIDEST);
  return width;
};

/**
 * The signature of a manifest, with what encoding and running look up made ready.
 *
 * @param {object} manifest
 */
export const readSignature = ({ signature: given, numeric_dtype: numbers } = {}) => {
  try {
    const { count, kind, dtype, missing, takes } = given.columns;
    const list = count ? Array(widthOf([count])).fill([null, kind, dtype, missing, takes]) : given.columns;
    const orders = [0, 0];
    const columns = list.map(([name, kind, dtype, missing = "nan", takes = ["none", "nan"]], position) => {
      const held = dtype ?? (/text|float32/.test(kind) ? kind : "float64");
      must(TYPES[held]);
      return { position, kind, held, missing, takes, label: String(name ?? position), order: orders[kind === "text" ? 1 : 0]++ };
    });
    const numeric = columns.filter((column) => column.kind !== "text");
    const inputs = (given.inputs ?? []).map((input) => (must(TYPES[input.dtype]), { ...input, width: widthOf(input.shape) }));
    const { outputs } = given;
    const results = (method) => {
      if (!Object.hasOwn(outputs, method)) refuse("unsupported_method", `the program has no method ${shown(method)}; it offers ${Object.keys(outputs).join(", ")}`);
      return [outputs[method], ...(outputs[method].further ?? [])];
    };
    for (const { storage, width, labels } of Object.keys(outputs).flatMap(results)) {
      must(TYPES[storage] && widthOf([width]) && (storage !== "label" || labels.length));
    }
    const type = numeric.length && numeric.every((column) => column.kind === "float32") ? "float32" : "float64";
    must((numbers ?? type) === type);
    return {
      ...given, columns, numeric, inputs, results, type,
      texts: columns.filter((column) => column.kind === "text"),
      beside: inputs.filter((input) => input.kind !== "parameter"),
    };
  } catch {
    return invalid("has a manifest with no readable signature");
  }
};

/**
 * The manifest in a compiled module.
 *
 * @param {WebAssembly.Module} module
 */
export const readManifest = (module) => {
  const [section, more] = WebAssembly.Module.customSections(module, "sclbl");
  let manifest;
  try {
    must(!more);
    manifest = readJson(new TextDecoder("utf-8", { fatal: true }).decode(section));
  } catch {
    invalid("has no readable manifest");
  }
  if (manifest?.abi !== 2) invalid(`has ABI ${manifest?.abi}, and this loader runs ABI 2`);
  return manifest;
};
