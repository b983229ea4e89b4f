// Predict rows with a program in any JavaScript engine, knowing nothing of sclbl but docs/abi.md.
//
//   node host.mjs churn.wasm rows.tsv
//   deno run --allow-read host.mjs churn.wasm rows.tsv
//
// rows.tsv has a header, fields separated by tabs, and nothing where a value is missing. Of each row
// the answers of two methods are printed, a label and probabilities. With --blocks in front the
// encoded rows are printed instead, as JSON, for engines that read no files of text (host.jsc.js).
import { readFileSync } from "node:fs";
import process from "node:process";

const CELL = { text: 1, none: 0, nan: 2, na: 3 };
const TYPES = { float64: Float64Array, float32: Float32Array, int64: BigInt64Array, label: Int32Array };

/** The blocks that a program reads: numbers row after row, and each column of text in three. */
export function encode(signature, rows) {
  const columns = signature.columns.map(([name, kind, , missing = "nan"]) => ({ name, kind, missing }));
  const numbers = columns.filter(({ kind }) => kind !== "text");
  const texts = columns.filter(({ kind }) => kind === "text");
  const cells = rows.flatMap((row) => numbers.map(({ name }) => (row[name] === "" ? NaN : Number(row[name]))));
  return {
    rows: rows.length,
    numbers: new Uint8Array(new Float64Array(cells).buffer),
    texts: texts.map(({ name, missing }) => {
      const parts = rows.map((row) => new TextEncoder().encode(row[name]));
      const offsets = new Uint32Array(rows.length + 1);
      parts.forEach((part, i) => (offsets[i + 1] = offsets[i] + part.length));
      return [
        new Uint8Array(offsets.buffer),
        Uint8Array.from(parts.flatMap((part) => [...part])),
        Uint8Array.from(parts, (part) => (part.length ? CELL.text : CELL[missing])),
      ];
    }),
  };
}

/** The values of a method, one list a row. */
export function call(program, signature, method, blocks) {
  const put = (bytes) => {
    const address = program.alloc(bytes.byteLength) >>> 0;
    if (address === 0) throw new Error("the program's memory is full");
    // Memory may have grown, and then has another buffer.
    new Uint8Array(program.memory.buffer).set(bytes, address);
    return address;
  };
  const words = (...values) => put(new Uint8Array(new Uint32Array(values).buffer));
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

const given = process.argv.slice(2);
const onlyBlocks = given[0] === "--blocks";
const [wasm, table] = onlyBlocks ? given.slice(1) : given;
const module = new WebAssembly.Module(readFileSync(wasm));
const [section] = WebAssembly.Module.customSections(module, "sclbl");
const { signature } = JSON.parse(new TextDecoder().decode(section));
const [header, ...lines] = readFileSync(table, "utf8").trimEnd().split("\n").map((line) => line.split("\t"));
const rows = lines.map((line) => Object.fromEntries(header.map((name, i) => [name, line[i]])));
const blocks = encode(signature, rows);
if (onlyBlocks) {
  console.log(JSON.stringify(blocks, (_, value) => (value instanceof Uint8Array ? [...value] : value)));
} else {
  const program = new WebAssembly.Instance(module).exports; // a program imports nothing
  try {
    const labels = call(program, signature, "predict", blocks);
    const chances = call(program, signature, "predict_proba", blocks);
    labels.forEach((label, row) => console.log([...label, ...chances[row]].join("\t")));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
