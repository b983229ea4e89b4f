// A host written from docs/abi.md alone. Reads requests, one JSON a line, from standard input and
// answers each with one JSON line. Nothing here knows sclbl's code.
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

const SIZES = { float64: 8, float32: 4, int64: 8, uint64: 8, bool: 1, label: 4, text: 8 };
// Missing texts: a number in the request and in the answer, the code of which one it is.
const MISSING = { 0xffffffff: 0, 0xfffffffe: 2, 0xfffffffd: 3 };
const decode = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

class Program {
  constructor(path) {
    const module = new WebAssembly.Module(readFileSync(path));
    const sections = WebAssembly.Module.customSections(module, "sclbl");
    this.sections = sections.length;
    this.manifest = JSON.parse(decode(sections[0]));
    this.imports = WebAssembly.Module.imports(module).length;
    this.exports = new WebAssembly.Instance(module).exports;
    const { columns, inputs = [], outputs } = this.manifest.signature;
    this.kinds = [...(columns.length === 0 ? [] : ["table"]), ...inputs.map((input) => input.kind)];
    this.outputs = outputs;
  }

  alloc(bytes) {
    const address = this.exports.alloc(bytes) >>> 0;
    if (address === 0) throw new Error(`no memory for ${bytes} bytes`);
    if (address % 16) throw new Error(`${address} is not aligned to 16 bytes`);
    return address;
  }

  // The memory as it is now: it may have grown.
  view(Type, address, length) {
    return new Type(this.exports.memory.buffer, address, length);
  }

  put(bytes) {
    const address = this.alloc(bytes.length);
    this.view(Uint8Array, address, bytes.length).set(bytes);
    return address;
  }

  words(values) {
    return this.put(new Uint8Array(Uint32Array.from(values).buffer));
  }

  base64(text) {
    return this.put(Buffer.from(text, "base64"));
  }

  // Texts one after the other: where each begins and the last one ends, and the bytes.
  texts(values) {
    const raw = values.map((value) => Buffer.from(typeof value === "string" ? value : "", "utf-8"));
    const ends = [0];
    for (const bytes of raw) ends.push(ends[ends.length - 1] + bytes.length);
    return { ends: this.words(ends), bytes: this.put(Buffer.concat(raw)) };
  }

  error() {
    return [...this.view(Int32Array, this.exports.error.value >>> 0, 3)];
  }

  // The table: { numeric: base64 or null, text: [[string or code, ...], ...] by column }.
  table({ numeric, text = [] }, name, names) {
    names[`${name}.numbers`] = numeric ? this.base64(numeric) : 0;
    const records = text.flatMap((column, k) => {
      const { ends, bytes } = this.texts(column);
      const kinds = column.map((value) => (typeof value === "string" ? 1 : value));
      const cells = kinds.some((kind) => kind !== 1) ? this.put(Uint8Array.from(kinds)) : 0;
      Object.assign(names, { [`${name}.ends${k}`]: ends, [`${name}.kinds${k}`]: cells });
      return [ends, bytes, cells];
    });
    names[`${name}.texts`] = records.length ? this.words(records) : 0;
    return [names[`${name}.numbers`], names[`${name}.texts`], 0, 0];
  }

  // An input beside it: { data: base64 } of a tensor or a parameter, null for its default, or
  // { offsets, keys: base64, values: base64, texts: [string, ...] }.
  beside(kind, given, name, names) {
    if (given === null) return [0, 0, 0, 0];
    if (kind === "tensor" || kind === "parameter") {
      names[`${name}.data`] = this.base64(given.data);
      return [names[`${name}.data`], 0, 0, 0];
    }
    const offsets = this.words(given.offsets);
    const values = given.values ? this.base64(given.values) : 0;
    let [second, fourth] = [0, 0];
    if (given.texts) {
      const { ends, bytes } = this.texts(given.texts);
      [second, fourth] = [ends, bytes];
    } else if (given.keys) second = this.base64(given.keys);
    Object.assign(names, {
      [`${name}.offsets`]: offsets, [`${name}.keys`]: second, [`${name}.values`]: values,
      [`${name}.bytes`]: fourth,
    });
    return [offsets, second, values, fourth];
  }

  results(method) {
    const { further = [], ...first } = this.outputs[method];
    return [first, ...further];
  }

  // Writes a call's inputs and makes room for its results; what lies where has a name.
  write(method, { rows, inputs }) {
    const names = { rows };
    const records = this.kinds.map((kind, k) =>
      kind === "table"
        ? this.table(inputs[k], `in${k}`, names)
        : this.beside(kind, inputs[k], `in${k}`, names),
    );
    const places = this.results(method).map(({ ragged, storage, width }) =>
      this.alloc(ragged ? 16 : rows * width * SIZES[storage]),
    );
    places.forEach((place, k) => (names[`out${k}`] = place));
    names.inputs = this.words(records.flat());
    names.outputs = this.words(places);
    names.last = this.alloc(16);
    names.end = this.exports.memory.buffer.byteLength;
    return names;
  }

  bytes(address, count) {
    return Buffer.from(this.view(Uint8Array, address, count)).toString("base64");
  }

  read({ ragged, storage, width }, rows, address) {
    if (ragged) {
      const [starts, keys, values] = this.view(Uint32Array, address, 4);
      const count = this.view(Uint32Array, starts, rows + 1)[rows];
      return {
        offsets: this.bytes(starts, 4 * (rows + 1)),
        keys: ragged === "sparse" ? this.bytes(keys, 4 * count) : null,
        values: this.bytes(values, SIZES[storage] * count),
      };
    }
    if (storage !== "text") return this.bytes(address, rows * width * SIZES[storage]);
    const pairs = this.view(Uint32Array, address, 2 * rows * width);
    return Array.from({ length: rows * width }, (_, k) => {
      const [start, length] = [pairs[2 * k], pairs[2 * k + 1]];
      return length in MISSING ? MISSING[length] : decode(this.view(Uint8Array, start, length));
    });
  }

  run(method, request) {
    this.exports.reset();
    const names = this.write(method, request);
    const code = this.exports[method](names.rows, names.inputs, names.outputs);
    if (code !== 0) return { code, error: this.error() };
    const grown = this.exports.memory.buffer.byteLength - names.end;
    const out = this.results(method).map((output, k) => this.read(output, names.rows, names[`out${k}`]));
    // What is taken now may lie over ragged results.
    if (request.scrawl) this.view(Uint8Array, this.alloc(request.scrawl), request.scrawl).fill(255);
    return { code, out, grown };
  }

  // A call with arguments as they are, after words or bytes of the blocks were changed. What stands
  // in quotes is sums and differences of numbers and of names of blocks: of input k `in0.numbers`,
  // `in0.offsets`, ..., of result k `out0`, the lists `inputs` and `outputs`; `last` is 16 bytes, behind
  // which nothing is allocated, `end` the size of the memory.
  call(method, request) {
    this.exports.reset();
    const names = this.write(method, request);
    const value = (v) => (typeof v === "string" ? this.evaluate(v, names) : v);
    for (const [place, change] of request.poke ?? []) this.view(Uint32Array, value(place), 1)[0] = value(change);
    for (const [place, change] of request.bytes ?? []) this.view(Uint8Array, value(place), 1)[0] = change;
    const code = this.exports[method](...(request.raw ?? ["rows", "inputs", "outputs"]).map(value));
    return { code, error: code ? this.error() : null };
  }

  // "end - 8": sums and differences of names and numbers.
  evaluate(text, names) {
    let [total, sign] = [0, 1];
    for (const part of text.split(" ")) {
      if (part === "+" || part === "-") sign = part === "+" ? 1 : -1;
      else total += sign * (part in names ? names[part] : Number(part));
    }
    if (Number.isNaN(total)) throw new Error(`no block is called so: ${text}`);
    return total;
  }
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
