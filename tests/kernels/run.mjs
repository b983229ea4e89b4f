// Run a kernel on blocks of bytes and write what they are then.
// Usage: node run.mjs folder size...   (folder: kernel.wasm and blocks; makes found)
import { readFileSync, writeFileSync } from "node:fs";

const [folder, ...sizes] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(`${folder}/kernel.wasm`));
const kernel = new WebAssembly.Instance(module).exports;
const bytes = readFileSync(`${folder}/blocks`);
const places = sizes.map((size) => kernel.alloc(Number(size)) >>> 0);
let from = 0;
places.forEach((at, i) => {
  const size = Number(sizes[i]);
  new Uint8Array(kernel.memory.buffer, at, size).set(bytes.subarray(from, from + size));
  from += size;
});
kernel.run(...places);
const found = places.map((at, i) => Buffer.from(kernel.memory.buffer, at, Number(sizes[i])));
writeFileSync(`${folder}/found`, Buffer.concat(found));
