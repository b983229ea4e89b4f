// Run one method on raw blocks and write the raw output.
// Usage: node engines.mjs program.wasm method plan.json out.bin
// plan: {rows, outBytes, inputs: [[word, word, word, word], ...]}; a word of an input's record is null,
// the path of a block, or a list of paths, whose addresses are the block.
import { readFileSync, writeFileSync } from "node:fs";

const [wasm, method, planPath, outPath] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(planPath, "utf8"));
const program = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasm))).exports;
const place = (bytes) => {
  const at = program.alloc(bytes.length) >>> 0;
  if (at === 0) throw new Error("out of memory");
  new Uint8Array(program.memory.buffer, at, bytes.length).set(bytes);
  return at;
};
const words = (values) => place(new Uint8Array(Uint32Array.from(values).buffer));
const word = (given) =>
  given === null
    ? 0
    : Array.isArray(given)
      ? words(given.map((path) => place(readFileSync(path))))
      : place(readFileSync(given));
const records = plan.inputs.flatMap((record) => record.map(word));
const out = program.alloc(plan.outBytes) >>> 0;
const [inputs, outputs] = [words(records), words([out])];
const times = [];
for (let i = 0; i < 20; i++) {
  const begin = performance.now();
  const code = program[method](plan.rows, inputs, outputs);
  times.push(performance.now() - begin);
  if (code !== 0) throw new Error(`error ${code}`);
}
writeFileSync(outPath, new Uint8Array(program.memory.buffer, out, plan.outBytes));
console.log(JSON.stringify(times.sort((a, b) => a - b)[10] / 1000));
