import { refuse, SclblError } from "./errors.js";
import { called, shown } from "./shown.js";
import { readManifest, readSignature, TYPES } from "./signature.js";

/** What messages call the cells of text that are missing. */
const MISSING = { 0: "None", 2: "NaN", 3: "pandas.NA" };
/** The greatest number that models of float32 take as it is. */
const USUAL = 2 ** 128 - 2 ** 104;
/** What a program says of a cell, by its error code. */
const REFUSALS = {
  1: ["missing_value", "is missing"],
  2: ["infinite_value", "is infinite or too large for the model's precision"],
  6: ["out_of_range", "is outside of the range of numbers that the model takes"],
  7: ["out_of_reach", "is too far from the rows that the model was fitted on"],
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How a program's memory holds a result: an array type, and its elements a row. */
const layout = ({ storage, width, ragged }) =>
  ragged ? [Uint32Array, 4] : [TYPES[storage], storage === "text" ? 2 * width : width];

/**
 * Makes a compiled module ready to run.
 *
 * @param {WebAssembly.Module} module
 */
export const start = async (module) => {
  const manifest = readManifest(module);
  const signature = readSignature(manifest);
  const { columns, numeric, texts, beside, outputs, inputs, type, one_row: one, results } = signature;
  if (WebAssembly.Module.imports(module).length) refuse("invalid_program", "the program imports something");
  const stopped = (error) => {
    throw error instanceof SclblError ? error : new SclblError("program", `the program stopped by itself: ${error?.message}; fetch or compile it again`);
  };
  const { exports } = await WebAssembly.instantiate(module).catch(stopped);
  const { memory, alloc, reset, error } = exports;
  if (!memory || !error || [alloc, reset, ...Object.keys(outputs).map((name) => exports[name])].some((one) => typeof one !== "function")) {
    refuse("invalid_program", "the program lacks what its manifest promises");
  }

  const take = (size) => alloc(size) >>> 0 || refuse("limit", `the program has no memory for a block of ${size} bytes`);
  /** Copies an array into the program's memory; returns its address. */
  const put = (array) => {
    if (!array) return 0;
    const at = take(array.byteLength);
    new array.constructor(memory.buffer, at, array.length).set(array);
    return at;
  };
  const words = (list) => put(Uint32Array.from(list));
  /** A copy of what the program wrote. */
  const copy = (Type, at, count) => new Type(memory.buffer, at, count).slice();

  const refused = (code, { first, rows, numeric: numbers, text }, row, column) => {
    if (code === 5) refuse("limit", "the program has no memory left for these rows");
    const there = columns[column];
    const label = there ? there.label : !columns.length && column >= 0 ? String(column) : null;
    const [name, what] = REFUSALS[code] ?? ["program", `is refused (code ${code})`];
    const say = (code, what) => refuse(code, `row ${row + first}${label === null ? "" : `, column ${called(label)}`}${what}`, row + first, label);
    let known = "";
    if (there && row >= 0 && row < rows) {
      if (there.kind === "text") {
        const { offsets, data, kinds } = text[there.order];
        known = MISSING[kinds[row]] ?? shown(decoder.decode(data.subarray(offsets[row], offsets[row + 1])));
      } else {
        const value = numbers[row * numeric.length + there.order];
        known = shown(value);
        if (code < 3 && Math.abs(value) <= USUAL) say(name, `: what the model computes from it ${what}`);
      }
    }
    if (code === 3) say("unknown_category", ` holds ${known && `${known}, `}a category that the model was not fitted on`);
    say(name, ` ${what}`);
  };

  const read = (output, at, rows) => {
    const { storage, width, ragged } = output;
    const [Type, count] = layout(output);
    const block = copy(Type, at, rows * count);
    if (ragged) {
      const offsets = copy(Uint32Array, block[0], rows + 1);
      const lengths = Array.from({ length: rows }, (_, i) => offsets[i + 1] - offsets[i]);
      const keys = ragged === "sparse" ? copy(Uint32Array, block[1], offsets[rows]) : null;
      if (offsets[0] || lengths.some((length) => length < 0) || keys?.some((key) => key >= width)) refuse("program", "the program gave ragged rows that do not fit its memory");
      return { lengths, keys, values: copy(TYPES[storage], block[2], offsets[rows]) };
    }
    // What is longer than any memory is one of the three missing texts.
    return storage !== "text" ? block : Array.from({ length: rows * width }, (_, i) =>
      block[2 * i + 1] > 0xfffffffc ? null : decoder.decode(new Uint8Array(memory.buffer, block[2 * i], block[2 * i + 1])));
  };

  const widest = Math.max(...Object.values(outputs).map((output) => layout({ ...output, ragged: null })[1]));
  const bytes = numeric.length * (type === "float32" ? 4 : 8) + 8 * (texts.length + widest) +
    beside.reduce((sum, { kind, width }) => sum + (kind === "sparse" ? 0 : 8 * Math.max(width, 16)), 0);
  return {
    manifest,
    signature,
    /** The most rows that a call takes; where refusals are looked for depends on it. */
    chunk: one ? 1 : Math.min(Math.max(Math.floor(2 ** 18 / bytes), 64), 16384),
    /** Runs a method on blocks, in the storage types of its results. */
    call: (method, blocks) => {
      const { rows, numeric: numbers, text: cells } = blocks;
      try {
        const gives = results(method);
        reset();
        const places = gives.map((output) => {
          const [Type, count] = layout(output);
          return take(rows * count * Type.BYTES_PER_ELEMENT + 16);
        });
        const records = columns.length
          ? [put(numbers), texts.length && words(cells.flatMap(({ offsets, data, kinds }) => [put(offsets), put(data), put(kinds)])), 0, 0] : [];
        inputs.forEach((_, i) => {
          const { value, offsets, keys, text, values } = blocks.beside[i] ?? {};
          if (offsets) records.push(put(offsets), put(text ? text.offsets : keys), put(values), put(text?.data));
          else records.push(put(value ?? values), 0, 0, 0);
        });
        const code = exports[method](rows, words(records), words(places));
        if (code) refused(code, blocks, ...copy(Int32Array, error.value, 3).subarray(1));
        return { rows, results: gives.map((output, i) => read(output, places[i], rows)) };
      } catch (failure) {
        return stopped(failure);
      }
    },
  };
};
