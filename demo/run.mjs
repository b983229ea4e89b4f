// Predict rows with a program in any JavaScript engine, knowing nothing but docs/abi.md.
// Usage: node run.mjs program.wasm rows.json method   (rows: an array of objects)
import { readFileSync } from "node:fs";

const [wasmPath, rowsPath, method] = process.argv.slice(2);
const started = performance.now();
const module = new WebAssembly.Module(readFileSync(wasmPath));
const program = new WebAssembly.Instance(module).exports; // a program imports nothing
const [section] = WebAssembly.Module.customSections(module, "sclbl");
const manifest = JSON.parse(new TextDecoder().decode(section));
const loaded = performance.now();

const rows = JSON.parse(readFileSync(rowsPath, "utf8"));
const { columns, outputs } = manifest.signature;
const output = outputs[method];
if (!output) throw new Error(`the program has no method ${method}`);
if (manifest.signature.inputs || output.further || output.ragged) {
  throw new Error("this host is for a table and one plain result; docs/abi.md tells the rest");
}
const list = Array.isArray(columns)
  ? columns.map(([name, kind, , missing], i) => ({ name: name ?? i, kind, missing }))
  : Array.from({ length: columns.count }, (_, i) => ({ ...columns, name: i }));
const numeric = list.filter((c) => c.kind !== "text");
const text = list.filter((c) => c.kind === "text");
const FloatArray = manifest.numeric_dtype === "float32" ? Float32Array : Float64Array;

// Memory may grow when a block is taken, so every view is made after the last `alloc`.
function alloc(bytes) {
  const address = program.alloc(bytes);
  if (address === 0) throw new Error("the program is out of memory");
  return address >>> 0;
}
const view = (Type, address, length) => new Type(program.memory.buffer, address, length);

const numericAt = numeric.length ? alloc(rows.length * numeric.length * FloatArray.BYTES_PER_ELEMENT) : 0;
const textAt = text.length ? alloc(text.length * 12) : 0;
// JSON has one null: it is the column's own missing value, None, NaN or pandas.NA.
const CODES = { none: 0, nan: 2, na: 3 };
const encoded = text.map(({ name, missing }) => {
  const cells = rows.map((row) => (row[name] == null ? null : new TextEncoder().encode(row[name])));
  const size = cells.reduce((sum, cell) => sum + (cell?.length ?? 0), 0);
  return { cells, offsets: alloc((rows.length + 1) * 4), bytes: alloc(size), kinds: alloc(rows.length), gone: CODES[missing ?? "nan"] };
});
const WIDTHS = { float64: 8, float32: 4, int64: 8, uint64: 8, bool: 1, label: 4, text: 8 };
const outAt = alloc(rows.length * output.width * WIDTHS[output.storage]);
const inputsAt = alloc(16);
const outputsAt = alloc(4);
view(Uint32Array, inputsAt, 4).set([numericAt, textAt, 0, 0]);
view(Uint32Array, outputsAt, 1).set([outAt]);

const block = view(FloatArray, numericAt, rows.length * numeric.length);
rows.forEach((row, r) =>
  numeric.forEach(({ name }, c) => (block[r * numeric.length + c] = row[name] == null ? NaN : Number(row[name]))),
);
encoded.forEach(({ cells, offsets, bytes, kinds, gone }, column) => {
  view(Uint32Array, textAt + column * 12, 3).set([offsets, bytes, kinds]);
  const at = view(Uint32Array, offsets, rows.length + 1);
  cells.forEach((cell, r) => {
    at[r + 1] = at[r] + (cell?.length ?? 0);
    view(Uint8Array, kinds, rows.length)[r] = cell === null ? gone : 1;
    if (cell) view(Uint8Array, bytes + at[r], cell.length).set(cell);
  });
});

const before = performance.now();
const code = program[method](rows.length, inputsAt, outputsAt);
const after = performance.now();
if (code !== 0) {
  const [, row, column] = view(Int32Array, program.error.value, 3);
  throw new Error(`error ${code} in row ${row}, column ${list[column]?.name ?? "(computed)"}`);
}

const READ = {
  float64: () => view(Float64Array, outAt, rows.length * output.width),
  float32: () => view(Float32Array, outAt, rows.length * output.width),
  int64: () => view(BigInt64Array, outAt, rows.length * output.width),
  uint64: () => view(BigUint64Array, outAt, rows.length * output.width),
  bool: () => Array.from(view(Uint8Array, outAt, rows.length * output.width), Boolean),
  label: () =>
    Array.from(view(Int32Array, outAt, rows.length * output.width), (v, i) => output.labels[i % output.width][v]),
  text: () => {
    const records = view(Uint32Array, outAt, rows.length * output.width * 2);
    return Array.from({ length: records.length / 2 }, (_, i) =>
      records[2 * i + 1] >= 0xfffffffd // one of the three missing ones
        ? null
        : new TextDecoder().decode(view(Uint8Array, records[2 * i], records[2 * i + 1])),
    );
  },
};
const flat = Array.from(READ[output.storage](), (v) => (typeof v === "bigint" ? Number(v) : v));
const result = rows.map((_, r) => flat.slice(r * output.width, (r + 1) * output.width));
console.log(JSON.stringify({ result, load_ms: loaded - started, call_ms: after - before }));
