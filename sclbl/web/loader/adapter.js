import { encode, slice } from "./encode.js";
import { Program } from "./program.js";
import { answer, merge } from "./results.js";

export const openBatch = (signature, method, rows, parameters) => {
  const blocks = encode(signature, method, rows, parameters);
  return { rows: blocks.rows, encode: (a, b) => ({ ...slice(blocks, a, b), first: a }) };
};
export const start = async (module) => {
  const held = await Program.start(module);
  const { manifest, signature, chunk } = held;
  return { manifest, signature, chunk, call: (method, part) => held.call(method, part, part.first) };
};
export const answers = (signature, method, raws) => answer(signature, method, merge(raws));
