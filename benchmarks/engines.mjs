// Run one method on raw blocks and write the raw output.
// Usage: node engines.mjs program.wasm method plan.json out.bin
// plan: {rows, outBytes, numeric: path|null, text: [[offsets, bytes, kinds], ...]}
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
const numeric = plan.numeric ? place(readFileSync(plan.numeric)) : 0;
const records = plan.text.flatMap((column) => column.map((path) => place(readFileSync(path))));
const text = records.length ? place(new Uint8Array(new Uint32Array(records).buffer)) : 0;
const out = program.alloc(plan.outBytes) >>> 0;
const inputs = place(new Uint8Array(Uint32Array.from([numeric, text, 0, 0]).buffer));
const outputs = place(new Uint8Array(Uint32Array.from([out]).buffer));
const times = [];
for (let i = 0; i < 20; i++) {
  const begin = performance.now();
  const code = program[method](plan.rows, inputs, outputs);
  times.push(performance.now() - begin);
  if (code !== 0) throw new Error(`error ${code}`);
}
writeFileSync(outPath, new Uint8Array(program.memory.buffer, out, plan.outBytes));
console.log(JSON.stringify(times.sort((a, b) => a - b)[10] / 1000));
