// Runs programs on encoded rows in JavaScriptCore's own shell: jsc engine.jsc.js -- plan.json
// A plan is a list of {program, method, rows, numbers, cells, bytes}; blocks are hexadecimal.

const plans = JSON.parse(readFile(arguments[0]));
for (const { program, method, rows, numbers, cells, bytes } of plans) {
  const module = new WebAssembly.Module(readFile(program, "binary"));
  const run = new WebAssembly.Instance(module).exports;
  const put = (hex) => {
    const at = run.alloc(hex.length / 2) >>> 0;
    const into = new Uint8Array(run.memory.buffer, at, hex.length / 2);
    for (let i = 0; i < into.length; i++) into[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
    return at;
  };
  const words = (list) => {
    const at = run.alloc(4 * list.length) >>> 0;
    new Uint32Array(run.memory.buffer, at, list.length).set(list);
    return at;
  };
  run.reset();
  const out = run.alloc(bytes) >>> 0;
  const inputs = words([put(numbers), words(cells.map(put)), 0, 0]);
  const code = run[method](rows, inputs, words([out]));
  if (code !== 0) throw new Error(`error ${code} of ${program} ${method}`);
  const result = new Uint8Array(run.memory.buffer, out, bytes);
  print(Array.from(result, (byte) => byte.toString(16).padStart(2, "0")).join(""));
}
