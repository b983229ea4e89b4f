// Predict rows in JavaScriptCore's shell, which has no TextEncoder: the rows were encoded elsewhere.
//
//   node host.mjs --blocks churn.wasm rows.tsv > blocks.json
//   jsc host.jsc.js -- churn.wasm blocks.json
const TYPES = { float64: Float64Array, float32: Float32Array, int64: BigInt64Array, label: Int32Array };

const [wasm, given] = arguments;
const module = new WebAssembly.Module(readFile(wasm, "binary"));
const [section] = WebAssembly.Module.customSections(module, "sclbl");
// UTF-8 without a TextDecoder.
const escaped = [...new Uint8Array(section)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`);
const { signature } = JSON.parse(decodeURIComponent(escaped.join("")));
const blocks = JSON.parse(readFile(given));
const program = new WebAssembly.Instance(module).exports; // a program imports nothing

function put(bytes) {
  const address = program.alloc(bytes.length) >>> 0;
  if (address === 0) throw new Error("the program's memory is full");
  // Memory may have grown, and then has another buffer.
  new Uint8Array(program.memory.buffer).set(bytes, address);
  return address;
}

const words = (...values) => put(new Uint8Array(new Uint32Array(values).buffer));

function call(method) {
  const numbers = put(blocks.numbers);
  const records = words(...blocks.texts.flatMap((parts) => parts.map(put)));
  const inputs = words(numbers, records, 0, 0);
  const { storage, width, labels } = signature.outputs[method];
  const Type = TYPES[storage];
  const result = put(new Uint8Array(blocks.rows * width * Type.BYTES_PER_ELEMENT));
  const outputs = words(result);
  if (program[method](blocks.rows, inputs, outputs) !== 0) {
    const [code, row, column] = new Int32Array(program.memory.buffer, program.error.value, 3);
    const where = column < 0 ? "a computed value" : signature.columns[column][0];
    throw new Error(`refused: code ${code}, row ${row}, column ${where}`);
  }
  const found = [...new Type(program.memory.buffer, result, blocks.rows * width)];
  const values = storage === "label" ? found.map((number) => labels[0][number]) : found;
  program.reset();
  return Array.from({ length: blocks.rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}

// An error that nobody catches ends the shell with a code that is not 0.
const labels = call("predict");
const chances = call("predict_proba");
labels.forEach((label, row) => print([...label, ...chances[row]].join("\t")));
