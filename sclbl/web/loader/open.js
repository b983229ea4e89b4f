import { beside, cellsOf } from "./beside.js";
import { refuse, SclblError } from "./errors.js";
import { arrayOf, hold } from "./numbers.js";
import { isRecord, table } from "./rows.js";
import { listed, shown } from "./shown.js";

/**
 * Rows that are ready to be encoded a part at a time.
 *
 * @param {object} signature what `readSignature` returned
 * @param {string} method the method that is to be called
 * @param {unknown} rows
 * @param {Record<string, number | bigint | boolean>} [parameters]
 * @returns {{rows: number, encode: (start: number, end: number) => object}} `encode` may take fewer
 *   rows than it is asked to, as `rows` of what it returns says: texts may be long
 */
export const open = (signature, method, rows, parameters = {}) => {
  const { inputs, beside: others, columns } = signature;
  const output = signature.output(method);
  const own = output.parameters ?? [];
  const wrong = Object.keys(parameters).find((name) => !own.includes(name));
  if (wrong !== undefined) refuse("parameter", `${method} has no parameter ${shown(wrong)}`);

  const names = others.map((given) => given.name);
  if (columns.length) names.unshift("table");
  const several = names.length > 1;
  /** Reads a part; what others raise when they are read is a refusal of the rows. */
  const reading = (input, work) => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SclblError)) refuse("input", `the rows cannot be read: reading them raised ${error?.name}`);
      if (several) error.input ??= input;
      throw error;
    }
  };
  const readers = reading(null, () => {
    if (several && !isRecord(rows)) refuse("shape", "the model takes several inputs");
    const given = several ? rows : { [names[0]]: rows };
    const lost = names.find((name) => !Object.hasOwn(given, name));
    const more = Object.keys(given).find((name) => !names.includes(name));
    if (lost ?? more) refuse("columns", `the inputs ${lost ? `lack ${shown(lost)}` : `have ${shown(more)}`}`);
    const found = others.map((input) => [input.name, reading(input.name, () => beside(input, given[input.name]))]);
    if (columns.length) found.push(["table", reading("table", () => table(signature, given.table, cellsOf))]);
    return found;
  });
  const count = readers[0][1].rows;
  if (readers.some(([, reader]) => reader.rows !== count)) {
    refuse("shape", `the inputs have different numbers of rows: ${readers.map(([name, reader]) => `${shown(name)} ${reader.rows}`).join(", ")}`);
  }
  if (!count && !output.empty) refuse("shape", "there are no rows to predict (0 rows)");

  const values = new Map();
  for (const { name, kind, dtype } of inputs) {
    const value = parameters[name] ?? null;
    if (kind !== "parameter" || value === null) continue;
    const held = (typeof value === "boolean") === (dtype === "bool") ? hold(value, dtype) : undefined;
    if (held === undefined) refuse("parameter", `the parameter ${shown(name)} is ${shown(value)}, which ${dtype} does not hold`);
    values.set(name, { value: arrayOf(dtype, [held]) });
  }
  return {
    rows: count,
    encode: (start, end) => {
      const last = readers.reduce((least, [, { reach }]) => reach?.(start, least) ?? least, end);
      const found = new Map(readers.map(([name, reader]) => [name, reading(name, () => reader.encode(start, last))]));
      return {
        numeric: null, text: [], ...(columns.length && found.get("table")), first: start, rows: last - start,
        beside: inputs.map(({ name }) => found.get(name) ?? values.get(name) ?? null),
      };
    },
  };
};
