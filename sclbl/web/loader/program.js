import { refuse, SclblError } from "./errors.js";
import { CODES } from "./rows.js";
import { shown, shownFloat } from "./shown.js";
import { readManifest, readSignature, TYPES } from "./signature.js";

/** The least length that stands for a missing text. */
const MISSING = 0xfffffffd;
/** What messages call the cells of text that are missing. */
const GONE_NAMES = { 0: "None", 2: "NaN", 3: "pandas.NA" };
/** The greatest number that models of float32 take as it is. */
const USUAL = 2 ** 128 - 2 ** 104;
/** By the program's error code: ours, what a cell is, and what becomes of a usual number. */
const REFUSALS = {
  1: ["missing_value", " is missing, and missing values are refused there", "missing (NaN, as of 0/0 or of a negative number's logarithm)"],
  2: ["infinite_value", " is infinite or too large for the model's precision", "infinite or too large for the model's precision"],
  6: ["out_of_range", " is outside of the range of numbers that the model takes"],
  7: ["out_of_reach", " is too far from the rows that the model was fitted on, which has no answer for it"],
};

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How a program's memory holds a result: an array type, and its elements a row. */
const layout = ({ storage, width, ragged }) =>
  ragged ? [Uint32Array, 4] : [TYPES[storage], storage === "text" ? 2 * width : width];

/** The value of a cell for a message. */
const cell = ({ numeric, texts }, column, blocks, row) => {
  if (column.kind === "text") {
    const { offsets, data, kinds } = blocks.text[texts.indexOf(column)];
    return GONE_NAMES[kinds[row]] ?? shown(decoder.decode(data.subarray(offsets[row], offsets[row + 1])), 40);
  }
  const value = blocks.numeric[row * numeric.length + numeric.indexOf(column)];
  if (value !== value) return "NaN";
  if (column.kind === "boolean" && (value === 0 || value === 1)) return shown(value === 1);
  return column.kind[0] !== "f" && Number.isInteger(value) ? String(BigInt(value)) : shownFloat(value);
};

/**
 * Makes a compiled module ready to run.
 *
 * @param {WebAssembly.Module} module
 */
export const start = async (module) => {
  const manifest = readManifest(module);
  const signature = readSignature(manifest);
  const { columns, numeric, texts, beside, outputs, inputs, type, one_row: one } = signature;
  if (WebAssembly.Module.imports(module).length) refuse("invalid_program", "the program imports something");
  const stopped = (error) => {
    if (error instanceof SclblError) throw error;
    return refuse("program", `the program stopped by itself: ${error?.message}`);
  };
  const { exports } = await WebAssembly.instantiate(module).catch(stopped);
  const { memory, alloc, reset, error } = exports;
  if (!memory || !alloc || !reset || !error || !Object.keys(outputs).every((name) => exports[name] instanceof Function)) {
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

  const refused = (code, blocks, row, column) => {
    if (code === 5) refuse("limit", "the program has no memory left for these rows");
    const named = columns[column];
    const label = named?.label ?? (!columns.length && column >= 0 ? String(column) : null);
    const say = (name, what) => refuse(name, `row ${row + blocks.first}${label === null ? "" : `, column ${shown(label, Infinity)}`}${what}`, row + blocks.first, label);
    const known = named && row >= 0 && row < blocks.rows ? cell(signature, named, blocks, row) : "";
    if (code === 1 && named?.kind === "text") say("missing_value", " holds a missing value that the model refuses there (None, NaN and pandas.NA are three values to it)");
    if (code === 3) say("unknown_category", ` holds ${known && `${known}, `}a category that the model was not fitted on`);
    const [name, plain, computed] = REFUSALS[code] ?? ["program", ` is refused (code ${code})`];
    const usual = computed && known && named.kind !== "text" && Math.abs(blocks.numeric[row * numeric.length + numeric.indexOf(named)]) <= USUAL;
    say(name, usual ? `: what the model computes from it is ${computed}` : plain);
  };

  const read = (output, at, rows) => {
    const { storage, width, ragged } = output;
    const [Type, count] = layout(output);
    const block = copy(Type, at, rows * count);
    if (ragged) {
      const offsets = copy(Uint32Array, block[0], rows + 1);
      const items = offsets[rows];
      const keys = ragged === "sparse" ? copy(Uint32Array, block[1], items) : null;
      if (offsets[0] || offsets.some((end, i) => end < offsets[i - 1]) || keys?.some((key) => key >= width)) refuse("program", "the program gave ragged rows that do not fit its memory");
      return { offsets, keys, values: copy(TYPES[storage], block[2], items) };
    }
    if (storage !== "text") return block;
    return Array.from({ length: rows * width }, (_, i) =>
      block[2 * i + 1] >= MISSING ? null : decoder.decode(new Uint8Array(memory.buffer, block[2 * i], block[2 * i + 1])));
  };

  const widest = Math.max(...Object.values(outputs).map((output) => 8 * layout({ ...output, ragged: null })[1]));
  const bytes = numeric.length * (type === "float32" ? 4 : 8) + 8 * texts.length + widest +
    beside.reduce((sum, { kind, width }) => sum + (kind === "sparse" ? 0 : 8 * Math.max(width, 16)), 0);
  return {
    manifest,
    signature,
    /** The most rows that a call takes; where refusals are looked for depends on it. */
    chunk: one ? 1 : Math.min(Math.max(Math.floor(2 ** 18 / bytes), 64), 16384),
    /** Runs a method on blocks, in the storage types of its results. */
    call: (method, blocks) => {
      const { rows } = blocks;
      try {
        const results = signature.results(method);
        reset();
        const places = results.map((output) => {
          const [Type, count] = layout(output);
          return take(rows * count * Type.BYTES_PER_ELEMENT + 16);
        });
        const records = [];
        if (columns.length) {
          const cells = blocks.text.flatMap(({ offsets, data, kinds }) => [put(offsets), put(data), put(kinds)]);
          records.push(put(blocks.numeric), cells.length && words(cells), 0, 0);
        }
        inputs.forEach((_, i) => {
          const { value, offsets, keys, text, values } = blocks.beside[i] ?? {};
          if (offsets) records.push(put(offsets), text ? put(text.offsets) : put(keys), put(values), text ? put(text.data) : 0);
          else records.push(put(value ?? values), 0, 0, 0);
        });
        const code = exports[method](rows, words(records), words(places));
        if (code) refused(code, blocks, ...copy(Int32Array, error.value, 3).subarray(1));
        return { rows, results: results.map((output, i) => read(output, places[i], rows)) };
      } catch (failure) {
        return stopped(failure);
      }
    },
  };
};
