// Reads the rows of cases with the loader's sources; see tests/web/cases.py.
// Standard input: a line of JSON for each case. Standard output: a line for each, its blocks or its error.
import { createInterface } from "node:readline";

const loader = process.argv[2];
const { open } = await import(`${loader}/open.js`);
const { readSignature } = await import(`${loader}/signature.js`);

const TYPED = {
  float64: Float64Array, float32: Float32Array, int8: Int8Array, int16: Int16Array, int32: Int32Array,
  int64: BigInt64Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
};
const PLAIN = { nan: NaN, inf: Infinity, "-inf": -Infinity, lone: "a\ud800", "lone tail": "\udc00é" };

export const valueOf = (value) => {
  if (Array.isArray(value)) return value.map(valueOf);
  if (value === null || typeof value !== "object") return value;
  const kind = value.$;
  if (kind === undefined) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, valueOf(one)]));
  if (kind === "int") return BigInt(value.v);
  if (kind === "date") return new Date(0);
  return kind in PLAIN ? PLAIN[kind] : TYPED[kind].from(valueOf(value.v));
};

/** Arrays as base64 of their bytes. */
const packed = (held) => {
  if (ArrayBuffer.isView(held)) return Buffer.from(held.buffer, held.byteOffset, held.byteLength).toString("base64");
  if (held === null || typeof held !== "object") return held;
  return Array.isArray(held) ? held.map(packed) : Object.fromEntries(Object.entries(held).map(([name, one]) => [name, packed(one)]));
};

const jsonOf = (batch) => {
  try {
    return batch.json(0, batch.rows);
  } catch ({ code, message }) {
    return { code, message };
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const { signature, rows, parameters } = JSON.parse(line);
  let found;
  try {
    const batch = open(readSignature({ signature }), "predict", valueOf(rows), valueOf(parameters));
    found = packed(batch.encode(0, batch.rows));
    found.json = jsonOf(batch);
  } catch (error) {
    const { name, code, row, column, input, message, stack } = error;
    found = { error: name === "SclblError" ? { code, row, column, input, message } : { stack } };
  }
  console.log(JSON.stringify(found));
}
