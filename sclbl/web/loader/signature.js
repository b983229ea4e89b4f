import { refuse } from "./errors.js";
import { shown } from "./shown.js";

/** Arrays of each type of number, as they lie in a program's memory. */
export const TYPES = {
  float64: Float64Array, float32: Float32Array, float16: Uint16Array,
  int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
  bool: Uint8Array, label: Int32Array, text: Uint32Array,
};
/** What a manifest may hold. */
const KEYS = "abi signature numeric_dtype source spec report example compiler code";
const KINDS = "float64 float32 integer boolean text tensor list sparse features parameter";
/** The most columns that are written as a count, and the most of anything. */
const [COUNTED, MOST] = [2 ** 18, 2 ** 22];

const invalid = (why) => refuse("invalid_program", `the program ${why}`);

/** Numbers of JSON as they are: integers that no float64 holds as BigInt. */
export const readJson = (text) =>
  JSON.parse(
    text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(\.\d+)?(e[-+]?\d+)?/gi, (token, fraction, power) =>
      token[0] === '"' || fraction || power || Number.isSafeInteger(Number(token)) ? token : `{"\\u0000":"${token}"}`),
    (_, value) => (value?.["\0"] ? BigInt(value["\0"]) : value),
  );

/**
 * The manifest in a compiled module.
 *
 * @param {WebAssembly.Module} module
 */
export const readManifest = (module) => {
  const [section] = WebAssembly.Module.customSections(module, "sclbl");
  if (!section) invalid("has no manifest, so it is not one of sclbl");
  let manifest;
  try {
    manifest = readJson(new TextDecoder("utf-8", { fatal: true }).decode(section));
  } catch {
    invalid("has a manifest that is not JSON");
  }
  if (manifest?.abi !== 2) invalid(`has ABI ${manifest?.abi}, and this loader runs ABI 2`);
  const other = Object.keys(manifest).find((key) => !KEYS.split(" ").includes(key));
  if (other) invalid(`has a manifest with a key ${shown(other)}`);
  return manifest;
};

/** Throws where what a manifest says cannot be. */
const must = (right) => {
  if (!right) throw 0;
};

const size = (number) => {
  must(Number.isInteger(number) && number > 0 && number <= MOST);
  return number;
};

const product = (shape) => size(shape.map(size).reduce((width, length) => width * length, 1));

const columnOf = ([name, kind, dtype, missing, takes], position) => {
  must(KINDS.includes(kind));
  return {
    position, kind,
    label: String(name ?? position),
    held: dtype ?? (kind === "float32" ? kind : "float64"),
    missing: missing ?? "nan",
    takes: takes ?? ["none", "nan"],
  };
};

/**
 * The signature of a manifest, with what encoding and running look up made ready.
 *
 * @param {object} manifest
 */
export const readSignature = (manifest) => {
  try {
    const given = manifest.signature;
    const { count, kind, dtype, missing, takes } = given.columns;
    must(!(count > COUNTED));
    const columns = (count ? Array(size(count)).fill([null, kind, dtype, missing, takes]) : given.columns).map(columnOf);
    const numeric = columns.filter((column) => column.kind !== "text");
    const inputs = (given.inputs ?? []).map((input) => {
      must(KINDS.includes(input.kind) && TYPES[input.dtype]);
      return { ...input, width: product(input.shape ?? []) };
    });
    const output = (method) =>
      Object.hasOwn(given.outputs, method) ? given.outputs[method]
        : refuse("unsupported_method", `the program has no method ${shown(method)}`);
    const results = (method) => [output(method), ...(output(method).further ?? [])];
    for (const { storage, width, labels } of Object.keys(given.outputs).flatMap(results)) {
      must(TYPES[storage] && size(width) && (storage !== "label" || labels.every((column) => column.length)));
    }
    return {
      ...given, columns, numeric, inputs, output, results,
      texts: columns.filter((column) => column.kind === "text"),
      type: numeric.length && numeric.every((column) => column.kind === "float32") ? "float32" : "float64",
      beside: inputs.filter((input) => input.kind !== "parameter"),
    };
  } catch {
    return invalid("has a manifest with no readable signature");
  }
};
