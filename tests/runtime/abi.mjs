// A host written from docs/abi.md alone. Reads requests, one JSON a line, from standard input and
// answers each with one JSON line. Nothing here knows sclbl's code.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

const STORAGE = { float64: 8, float32: 4, int64: 8, uint64: 8, bool: 1, label: 4, text: 8 };
// Missing texts: a number in the request and in the answer, the code of which one it is.
const MISSING = { 0xffffffff: 0, 0xfffffffe: 2, 0xfffffffd: 3 };

class Program {
  constructor(path) {
    const module = new WebAssembly.Module(readFileSync(path));
    const sections = WebAssembly.Module.customSections(module, "sclbl");
    this.sections = sections.length;
    this.manifest = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(sections[0]));
    this.imports = WebAssembly.Module.imports(module).length;
    this.exports = new WebAssembly.Instance(module).exports;
    const { columns } = this.manifest.signature;
    const kinds = Array.isArray(columns)
      ? columns.map((column) => column[1])
      : Array(columns.count).fill(columns.kind);
    this.texts = kinds.filter((kind) => kind === "text").length;
    this.numbers = kinds.length - this.texts;
  }

  alloc(bytes) {
    const address = this.exports.alloc(bytes) >>> 0;
    if (address === 0) throw new Error(`no memory for ${bytes} bytes`);
    if (address % 16) throw new Error(`${address} is not aligned to 16 bytes`);
    return address;
  }

  put(bytes) {
    const address = this.alloc(bytes.length);
    new Uint8Array(this.exports.memory.buffer).set(bytes, address);
    return address;
  }

  words(values) {
    return this.put(new Uint8Array(Uint32Array.from(values).buffer));
  }

  error() {
    const at = this.exports.error.value >>> 0;
    return [...new Int32Array(this.exports.memory.buffer.slice(at, at + 12))];
  }

  // Rows: { rows, numeric: base64 or null, text: [[string or code, ...], ...] by column }.
  write({ rows, numeric, text = [] }) {
    const numbers = numeric ? this.put(Buffer.from(numeric, "base64")) : 0;
    const records = text.map((column) => {
      const raw = column.map((value) => Buffer.from(typeof value === "string" ? value : "", "utf-8"));
      const ends = [0];
      for (const bytes of raw) ends.push(ends[ends.length - 1] + bytes.length);
      const kinds = column.map((value) => (typeof value === "string" ? 1 : value));
      return [
        this.words(ends),
        this.put(Buffer.concat(raw)),
        kinds.some((kind) => kind !== 1) ? this.put(Uint8Array.from(kinds)) : 0,
      ];
    });
    const texts = records.length ? this.words(records.flat()) : 0;
    return { rows, numbers, texts, inputs: this.words([numbers, texts, 0, 0]) };
  }

  width(method) {
    const { storage, width } = this.manifest.signature.outputs[method];
    return width * STORAGE[storage];
  }

  run(method, request) {
    this.exports.reset();
    const { rows, inputs } = this.write(request);
    const size = rows * this.width(method);
    const out = this.alloc(size);
    const code = this.exports[method](rows, inputs, this.words([out]));
    if (code !== 0) return { code, error: this.error() };
    const { storage } = this.manifest.signature.outputs[method];
    if (storage !== "text") {
      return { code, out: Buffer.from(this.exports.memory.buffer, out, size).toString("base64") };
    }
    const pairs = new Uint32Array(this.exports.memory.buffer.slice(out, out + size));
    const found = [];
    for (let k = 0; k < pairs.length; k += 2) {
      const [address, length] = [pairs[k], pairs[k + 1]];
      if (length in MISSING) {
        found.push(MISSING[length]);
        continue;
      }
      const bytes = new Uint8Array(this.exports.memory.buffer, address, length);
      found.push(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    }
    return { code, out: found };
  }

  // Calls with arguments as they are; a name in braces is an address or a size known here.
  // `args`: the rows, the two words of the table's record, the address of the result; or `raw`, the
  // three arguments themselves. `poke` overwrites words of the text records, `offsets` and `kinds`
  // those of the first column.
  call(method, request) {
    this.exports.reset();
    const { rows, numbers, texts, inputs } = this.write(request);
    const out = this.alloc(rows * this.width(method));
    const outputs = this.words([out]);
    const buffer = this.exports.memory.buffer;
    const names = { rows, numbers, texts, inputs, outputs, out, end: buffer.byteLength };
    const value = (v) => (typeof v === "string" ? evaluate(v, names) : v);
    for (const [word, v] of Object.entries(request.poke ?? {})) {
      new Uint32Array(buffer, texts + 4 * Number(word), 1)[0] = value(v);
    }
    for (const [row, v] of Object.entries(request.offsets ?? {})) {
      const first = new Uint32Array(buffer, texts, 1)[0];
      new Uint32Array(buffer, first + 4 * Number(row), 1)[0] = value(v);
    }
    for (const [row, v] of Object.entries(request.kinds ?? {})) {
      const first = new Uint32Array(buffer, texts + 8, 1)[0];
      new Uint8Array(buffer, first + Number(row), 1)[0] = v;
    }
    const [count, first, second, place] = (request.args ?? ["rows", "numbers", "texts", "out"]).map(value);
    new Uint32Array(buffer, inputs, 2).set([first, second]);
    new Uint32Array(buffer, outputs, 1).set([place]);
    const code = this.exports[method](...(request.raw?.map(value) ?? [count, inputs, outputs]));
    return { code, error: code ? this.error() : null };
  }
}

// "end - 8": sums and differences of names and numbers.
function evaluate(text, names) {
  return text
    .split(" ")
    .reduce(
      ([total, sign], part) =>
        part === "+" || part === "-"
          ? [total, part === "+" ? 1 : -1]
          : [total + sign * (part in names ? names[part] : Number(part)), 1],
      [0, 1],
    )[0];
}

const programs = new Map();
const answers = {
  load({ name, path }) {
    const program = new Program(path);
    programs.set(name, program);
    return {
      manifest: program.manifest,
      sections: program.sections,
      imports: program.imports,
      exports: Object.fromEntries(
        Object.entries(program.exports).map(([key, value]) => [
          key,
          typeof value === "function" ? value.length : value.constructor.name,
        ]),
      ),
    };
  },
  run: ({ name, method, ...request }) => programs.get(name).run(method, request),
  call: ({ name, method, ...request }) => programs.get(name).call(method, request),
  memory({ name, sizes }) {
    const { exports } = programs.get(name);
    exports.reset();
    const found = sizes.map((size) => exports.alloc(size) >>> 0);
    const bytes = exports.memory.buffer.byteLength;
    exports.reset();
    return { found, bytes, again: exports.alloc(1) >>> 0 };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = answers[ask](request);
  } catch (fault) {
    answer = { trap: `${fault.name}: ${fault.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
