import { beside, shaped } from "./beside.js";
import { rank, refuse, SclblError } from "./errors.js";
import { toJson } from "./json.js";
import { arrayOf, hold } from "./numbers.js";
import { isRecord, table } from "./rows.js";
import { called, shown } from "./shown.js";

/**
 * Rows that are ready to be encoded a part at a time.
 *
 * @param {object} signature what `readSignature` returned
 * @param {string} method the method that is to be called
 * @param {unknown} rows
 * @param {Record<string, number | bigint | boolean>} [parameters]
 * @returns {{rows: number, encode: (start: number, end: number) => object, json: (start: number, end: number) => string}}
 *   `encode` may take fewer rows than it is asked to, as `rows` of what it returns says: texts may
 *   be long; a list that it is given takes its refusal; `json` writes rows that `encode` took as a server must read them
 */
export const open = (signature, method, rows, parameters) => {
  parameters ??= {};
  const { inputs, beside: others, columns } = signature;
  const [{ empty, parameters: own = [] }] = signature.results(method);
  const wrong = Object.keys(parameters).find((name) => !own.includes(name));
  if (wrong !== undefined) refuse("parameter", `${method} has no parameter ${shown(wrong)}; it has ${own.join(", ") || "none"}`);

  const names = others.map((given) => given.name);
  if (columns.length) names.push("table");
  const several = names.length > 1;
  /** Reads a part; what others raise when they are read is a refusal of the rows. */
  const reading = (input, work) => {
    try {
      return work();
    } catch (error) {
      const known = error instanceof SclblError;
      if (several && known) error.input ??= input;
      // Faults of one input are said before those of the next.
      if (known) rank(error, 1e10 * names.indexOf(input));
      throw known ? error : new SclblError("input", `the rows cannot be read: reading them raised ${error?.name}; give plain objects, lists or typed arrays`);
    }
  };
  const each = (take) => Object.fromEntries(readers.map((reader, i) => [names[i], reading(names[i], () => take(reader))]));
  const readers = reading(null, () => {
    if (several && !isRecord(rows)) refuse("shape", "the model takes several inputs");
    const given = several ? rows : { [names[0]]: rows };
    const lost = names.find((name) => !Object.hasOwn(given, name));
    const more = Object.keys(given).find((name) => !names.includes(name));
    if (lost ?? more) refuse("columns", `the inputs ${lost ? `lack ${shown(lost)}` : `have ${shown(more)}`}`);
    return names.map((name, i) =>
      reading(name, () => (others[i] ? beside(others[i], given[name]) : table(signature, given[name], shaped))));
  });
  const count = readers[0].rows;
  if (readers.some((reader) => reader.rows !== count)) {
    // What the rows hold is said first.
    each((reader) => reader.encode(0, reader.rows));
    refuse("shape", `the inputs have different numbers of rows: ${readers.map((reader, i) => `${called(names[i])} ${reader.rows}`).join(", ")}`);
  }
  if (!count && !empty) refuse("shape", "there are no rows to predict (0 rows)");

  const given = inputs.map(({ name, kind, dtype }) => {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : null;
    if (kind !== "parameter" || value == null) return null;
    const held = (typeof value === "boolean") === (dtype === "bool") ? hold(value, dtype) : undefined;
    if (held === undefined) refuse("parameter", `the parameter ${called(name)} is ${shown(value)}, which is no ${dtype}; give one`);
    return { value: arrayOf(dtype, [held]) };
  });
  return {
    rows: count,
    encode: (start, end, faults) => {
      const last = columns.length ? readers.at(-1).reach(start, end) : end;
      let found = {};
      try {
        found = each((reader) => reader.encode(start, last));
      } catch (error) {
        if (faults?.push(error) === undefined) throw error;
      }
      return { numeric: null, text: [], ...(columns.length && found.table), first: start, rows: last - start, beside: inputs.map(({ name }, i) => given[i] ?? (Object.hasOwn(found, name) ? found[name] : null)) };
    },
    json: (start, end) => toJson(signature, each((reader) => reader.plain(start, end)), parameters),
  };
};

/** The buffers of encoded rows, or of what a program returned, for `postMessage` to transfer. */
export const buffers = (held) =>
  ArrayBuffer.isView(held) ? [held.buffer] : held && typeof held === "object" ? Object.values(held).flatMap(buffers) : [];
