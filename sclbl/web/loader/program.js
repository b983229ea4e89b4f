import { invalid, refuse, SclblError } from "./errors.js";
import { CODES } from "./rows.js";
import { shown, shownFloat } from "./shown.js";
import { readSignature, TYPES } from "./signature.js";

/** The length that stands for each missing text, and the least of them. */
const GONE = 0xfffffffd;
const KINDS = ["None", null, "NaN", "pandas.NA"];
/** Bytes of rows, and of their text, that are given to a program at once, as in Python. */
const CHUNK_BYTES = 256 * 1024;
const TEXT_BYTES = 1024 * 1024;
/** The greatest number that models of float32 take as it is. */
const USUAL = 2 ** 128 - 2 ** 104;
const REFUSALS = {
  1: ["missing_value", "missing (NaN, as of 0/0 or of a negative number's logarithm)", " is missing, and missing values are refused there; fill it in, leave the row out, or fit a model that takes missing values"],
  2: ["infinite_value", "infinite or too large for the model's precision", " is infinite or too large for the model's precision; correct the value"],
  6: ["out_of_range", null, " is outside of the range of numbers that the model takes; correct the value, or leave the row out"],
  7: ["out_of_reach", null, " is too far from the rows that the model was fitted on, which has no answer for it; correct the row"],
};
const KEYS = ["abi", "signature", "numeric_dtype", "source", "spec", "report", "example", "compiler", "code"];

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The manifest in a compiled module.
 *
 * @param {WebAssembly.Module} module
 */
export const readManifest = (module) => {
  const [section] = WebAssembly.Module.customSections(module, "sclbl");
  if (!section) invalid("carries no manifest, so it is not a sclbl program");
  let manifest;
  try {
    manifest = JSON.parse(decoder.decode(section));
  } catch (error) {
    invalid(`'s manifest is not JSON (${error.message})`);
  }
  if (manifest?.abi !== 2) invalid(`has ABI ${manifest?.abi}, and this loader runs ABI 2`);
  const other = Object.keys(manifest).find((key) => !KEYS.includes(key));
  if (other) invalid(`has a manifest with a key ${shown(other, 80)}, which is unknown`);
  return manifest;
};

/** A program that is ready to run. */
export class Program {
  #exports;

  /**
   * @param {WebAssembly.Module} module
   * @param {WebAssembly.Instance} instance
   * @param {object} [manifest]
   */
  constructor(module, instance, manifest = readManifest(module)) {
    this.manifest = manifest;
    this.signature = readSignature(manifest);
    this.#exports = instance.exports;
    const { numeric, texts, beside, outputs, type, one_row: one } = this.signature;
    const widths = Object.values(outputs).map((output) => output.width * (output.storage === "text" ? 2 : 1));
    const row = numeric.length * (type === "float32" ? 4 : 8) + 8 * texts.length + 8 * Math.max(...widths) +
      beside.reduce((sum, given) => sum + (given.kind === "sparse" ? 0 : 8 * Math.max(given.width, 16)), 0);
    /** Rows that are given to the program at once. */
    this.chunk = one ? 1 : Math.min(Math.max(Math.floor(CHUNK_BYTES / row), 64), 16384);
  }

  /**
   * Makes a program of a compiled module.
   *
   * @param {WebAssembly.Module} module
   * @returns {Promise<Program>}
   */
  static async start(module) {
    const manifest = readManifest(module);
    if (WebAssembly.Module.imports(module).length) invalid("imports something, which no program of sclbl does");
    return new Program(module, await WebAssembly.instantiate(module), manifest);
  }

  /**
   * Runs a method on encoded rows a chunk at a time: an iterator whose last value is the results.
   *
   * @param {string} method
   * @param {object} blocks what `encode` returned
   * @param {number} [first] the number of the first of these rows, for messages
   */
  *running(method, blocks, first = 0) {
    const outputs = this.signature.results(method);
    const results = outputs.map(({ storage, width }) =>
      storage === "text" ? new Array(blocks.rows * width) : new TYPES[storage](blocks.rows * width));
    let start = 0;
    do {
      const end = this.#end(blocks, start);
      this.#chunk(method, blocks, start, end, outputs, results, first);
      start = end;
      if (start < blocks.rows) yield;
    } while (start < blocks.rows);
    return { rows: blocks.rows, results };
  }

  /** Runs a method on encoded rows; see `running`. */
  call(method, blocks, first) {
    const steps = this.running(method, blocks, first);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** Where a chunk of rows ends: where there are enough, or their text is long. */
  #end({ rows, text }, start) {
    let end = Math.min(start + this.chunk, rows);
    for (const { offsets } of text) {
      while (end > start + 1 && offsets[end] - offsets[start] > TEXT_BYTES) end--;
    }
    return end;
  }

  #alloc(size) {
    const at = this.#exports.alloc(size) >>> 0;
    if (!at) refuse("limit", `the program has no memory for a block of ${size} bytes; give it fewer rows a call`);
    return at;
  }

  /** Copies an array into the program's memory; returns its address. */
  #put(array) {
    const at = this.#alloc(array.byteLength);
    new array.constructor(this.#exports.memory.buffer, at, array.length).set(array);
    return at;
  }

  #text({ offsets, data }, start, end) {
    const first = offsets[start];
    return [this.#put(offsets.slice(start, end + 1).map((at) => at - first)), this.#put(data.subarray(first, offsets[end]))];
  }

  #table({ rows, numeric, text }, start, end) {
    const width = numeric && numeric.length / rows;
    const numbers = numeric ? this.#put(numeric.subarray(start * width, end * width)) : 0;
    const cells = text.flatMap((column) => [
      ...this.#text(column, start, end),
      column.kinds ? this.#put(column.kinds.subarray(start, end)) : 0,
    ]);
    return [numbers, cells.length ? this.#put(Uint32Array.from(cells)) : 0, 0, 0];
  }

  #chunk(method, blocks, start, end, outputs, results, first) {
    const { memory, error, reset } = this.#exports;
    const rows = end - start;
    try {
      reset();
      const places = outputs.map(({ storage, width }) =>
        this.#alloc(rows * width * (storage === "text" ? 8 : TYPES[storage].BYTES_PER_ELEMENT)));
      const inputs = this.#put(Uint32Array.from(this.#table(blocks, start, end)));
      const code = this.#exports[method](rows, inputs, this.#put(Uint32Array.from(places)));
      if (code) {
        const [, row, column] = new Int32Array(memory.buffer, error.value, 3);
        this.#refuse(code, blocks, row < 0 ? row : row + start, column, first);
      }
      outputs.forEach((output, k) => this.#read(output, places[k], start, rows, results[k]));
    } catch (failure) {
      if (failure instanceof SclblError) throw failure;
      refuse("program", `the program stopped by itself: ${failure?.message}; fetch or compile it again`);
    }
  }

  #read({ storage, width }, at, start, rows, into) {
    const { buffer } = this.#exports.memory;
    const count = rows * width;
    if (storage !== "text") {
      into.set(new TYPES[storage](buffer, at, count), start * width);
      return;
    }
    const pairs = new Uint32Array(buffer, at, 2 * count);
    for (let i = 0; i < count; i++) {
      const length = pairs[2 * i + 1];
      into[start * width + i] = length >= GONE ? null : decoder.decode(new Uint8Array(buffer, pairs[2 * i], length));
    }
  }

  /** Refuses a row as Python does, for an error code of the program. */
  #refuse(code, blocks, row, column, first) {
    if (code === 5) refuse("limit", "the program has no memory left for these rows; give it fewer rows a call");
    const { columns, numeric, texts, type } = this.signature;
    const named = columns[column];
    const label = named ? named.label : !columns.length && column >= 0 ? String(column) : null;
    const where = `row ${row + first}` + (label === null ? "" : `, column ${shown(label)}`);
    const there = named && row >= 0 && row < blocks.rows;
    const number = there && !named.text ? blocks.numeric[row * numeric.length + numeric.indexOf(named)] : null;
    const say = (name, message) => refuse(name, where + message, row + first, label);
    if (code === 1 && named?.text) say("missing_value", " holds a missing value that the model refuses there (None, NaN and pandas.NA are three values to it); fill it in, or fit the model with an imputer for it");
    if (code === 3) {
      let value = "";
      if (there && named.text) {
        const { offsets, data, kinds } = blocks.text[texts.indexOf(named)];
        value = KINDS[kinds ? kinds[row] : 1] ?? shown(decoder.decode(data.subarray(offsets[row], offsets[row + 1])), 40);
      } else if (there && number !== number) value = "NaN";
      else if (there) {
        value = named.kind === "boolean" && (number === 0 || number === 1) ? shown(Boolean(number))
          : ["integer", "boolean"].includes(named.kind) && Number.isInteger(number) ? String(BigInt(number)) : shownFloat(number);
      }
      say("unknown_category", ` holds ${value && value + ", "}a category that the model was not fitted on; correct the value, or fit a model that takes unknown categories`);
    }
    const known = REFUSALS[code];
    if (!known) refuse("program", `the program refused its arguments (code ${code}, ${where})`);
    const [name, computed, message] = known;
    if (computed && number !== null && Math.abs(number) <= USUAL) say(name, `: what the model computes from it is ${computed}; correct the value, or leave the row out`);
    say(name, message);
  }
}
