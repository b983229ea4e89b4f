// Time one method of a program, and the same network in onnxruntime-web (wasm, one thread).
// Usage: node networks.mjs program.wasm method network.onnx in.bin out.bin seconds [onnxruntime-web]
// The last argument is the folder of the package; without it only the program is timed.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [wasm, method, onnx, inPath, outPath, seconds, web] = process.argv.slice(2);
const input = new Float32Array(new Uint8Array(readFileSync(inPath)).buffer);

// Returns a function that runs the program, and one that returns its results.
function bind(bytes) {
  const module = new WebAssembly.Module(bytes);
  const program = new WebAssembly.Instance(module).exports;
  const [section] = WebAssembly.Module.customSections(module, "sclbl");
  const { signature } = JSON.parse(new TextDecoder().decode(section));
  const count = signature.outputs[method].width;
  const numeric = program.alloc(input.byteLength) >>> 0;
  const out = program.alloc(count * 4) >>> 0;
  const inputs = program.alloc(16) >>> 0;
  const outputs = program.alloc(4) >>> 0;
  new Float32Array(program.memory.buffer, numeric, input.length).set(input);
  new Uint32Array(program.memory.buffer, inputs, 4).set([numeric, 0, 0, 0]);
  new Uint32Array(program.memory.buffer, outputs, 1)[0] = out;
  const run = () => {
    const code = program[method](1, inputs, outputs);
    if (code !== 0) throw new Error(`error ${code}`);
  };
  return [run, () => new Float32Array(program.memory.buffer, out, count)];
}

const [ours, results] = bind(readFileSync(wasm));
let theirs = null;
if (web) {
  const ort = await import(pathToFileURL(join(web, "dist", "ort.mjs")));
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(onnx), { executionProviders: ["wasm"] });
  const meta = session.inputMetadata[0].shape;
  const shape = meta.map((d) => (typeof d === "number" ? d : 1));
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", input, shape) };
  theirs = () => session.run(feeds);
}

// In turns, so that a disturbance of the machine hits both alike.
const times = { ours: [], theirs: [] };
const end = performance.now() + 1000 * Number(seconds);
for (let turn = 0; performance.now() < end; turn++) {
  let begin = performance.now();
  ours();
  if (turn >= 20) times.ours.push(performance.now() - begin);
  if (!theirs) continue;
  begin = performance.now();
  await theirs();
  if (turn >= 20) times.theirs.push(performance.now() - begin);
}
writeFileSync(outPath, results());
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1] / 1000;
console.log(JSON.stringify({ ours: median(times.ours), theirs: theirs ? median(times.theirs) : null }));
