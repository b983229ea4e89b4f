import { refuse } from "./errors.js";
import { arrayOf, inLists, isNumber } from "./numbers.js";
import { isTyped } from "./rows.js";
import { must, readJson } from "./signature.js";

/** What marks a number that JSON.stringify would write otherwise: no row holds such a text. */
const MARK = "\ud800";

/** Values as the server must read them: to the same bits, whether it reads an integer or a float. */
const written = (_, value) => {
  if (isTyped(value)) return Array.from(value);
  if (typeof value === "bigint") return MARK + value;
  if (typeof value !== "number") return value;
  if (Math.abs(value) === Infinity) refuse("infinite_value", "the rows hold an infinity, which JSON does not hold");
  const odd = Number.isInteger(value) && (Object.is(value, -0) || !Number.isSafeInteger(value));
  if (!odd) return value;
  const text = String(value);
  return MARK + (value ? text + (text.includes("e") ? "" : ".0") : "-0.0");
};

/** The body of a request that holds rows of each input, by name. */
export const toJson = ({ shape, columns }, { table, ...rows }, parameters) => {
  const own = table && { table: shape ? inLists(table.flat(), [table.length, ...shape]) : table };
  const inputs = { ...own, ...rows };
  const [only, ...more] = Object.values(inputs);
  const given = Object.entries(parameters).filter(([, value]) => value != null);
  if (given.some(([, value]) => value !== value)) refuse("parameter", "JSON holds no NaN; run the program here");
  const some = given.length ? { parameters: Object.fromEntries(given) } : {};
  const text = JSON.stringify(more.length ? { inputs, ...some } : { rows: only, ...some }, written);
  return text.replace(/"\\ud800([^"]*)"/g, "$1");
};

const isResult = (value) => value === null || isNumber(value) || /^-?Infinity$/.test(value);

/**
 * A server's answer as what a program returns; give it to `answer`. Throws where it cannot be one.
 *
 * @param {object} signature
 * @param {string} method
 * @param {string} text
 * @param {number} rows that it was asked for
 * @param {string} sha256 of the program that was to answer
 */
export const fromJson = (signature, method, text, rows, sha256) => {
  const { results: found, sha256: own = sha256 } = readJson(text);
  const outputs = signature.results(method);
  must(found.length === rows && own === sha256);
  return {
    rows,
    results: outputs.map(({ storage, ragged, width }, k) => {
      const entries = outputs[1] ? found.map((row) => row[k]) : found;
      const held = (values) => {
        if (/label|text/.test(storage)) return values;
        must(values.every(isResult));
        return arrayOf(storage, values.map((value) => value ?? NaN));
      };
      if (!ragged) {
        const values = entries.flat(Infinity);
        must(values.length === rows * width);
        return held(values);
      }
      const items = entries.map((entry) => (Array.isArray(entry) ? entry : entry.values));
      return {
        lengths: items.map((item) => item.length),
        keys: ragged === "sparse" ? Uint32Array.from(entries.flatMap((entry) => entry.columns)) : null,
        values: held(items.flat()),
      };
    }),
  };
};
