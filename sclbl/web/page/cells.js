/** What people type, and what a CSV holds, as the values that the loader takes. */

export const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
/** What may stand around a number, around a truth, and the digits of other scripts: as in Python. */
const SPACE = /^([^\S\ufeff]|\x85)+|([^\S\ufeff]|\x85)+$/g;
const WIDER = /^([^\S\ufeff]|[\x1c-\x1f\x85])+|([^\S\ufeff]|[\x1c-\x1f\x85])+$/g;
const digitOf = (sign) => {
  // Unicode's decimal digits stand together, from 0 to 9.
  let below = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(sign.codePointAt(0) - below - 1))) below++;
  return below % 10;
};
const NAMED = { nan: NaN, inf: Infinity, infinity: Infinity };
const TRUTHS = { true: true, false: false, 1: true, 0: false, "1.0": true, "0.0": false };

/** A fault in a cell, in words: "is not a number", and what to write instead. */
export class CellFault extends Error {}

const advice = (text) => {
  if (/^[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+$/.test(text)) return "; write decimals with a point";
  if (/^[+-]?\d{1,3}([, '\u2019\u00a0\u202f]\d{3})+(\.\d*)?$/.test(text)) return "; write numbers without marks between thousands";
  if (/^[$€£¥]|[%$€£¥]$/.test(text)) return "; write the number alone, without its unit";
  return "";
};

const short = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

const fault = (text, what) => new CellFault(`“${short(text)}” is not ${what}${advice(text)}`);

/**
 * @param {string} given as it is written
 * @returns {number | bigint} an integer beyond what a number holds is a BigInt, so that it is never rounded
 */
const readNumber = (given, what) => {
  const text = given.replace(SPACE, "").replace(/\p{Nd}/gu, digitOf);
  if (NUMBER.test(text)) {
    const value = Number(text);
    if (what !== "an integer" || !INTEGER.test(text)) return value;
    // An integer has no negative zero.
    return Number.isSafeInteger(value) ? value + 0 : BigInt(text.replace("+", ""));
  }
  const name = text.toLowerCase().replace(/^[+-]/, "");
  if (Object.hasOwn(NAMED, name)) return text[0] === "-" ? -NAMED[name] : NAMED[name];
  throw fault(given, what);
};

/**
 * The value of a cell of a column of some kind.
 *
 * @param {string} kind `float64`, `float32`, `integer`, `boolean` or `text`, as signatures say
 * @param {string} text
 */
export const readCell = (kind, text) => {
  if (kind === "text") return text;
  if (kind === "boolean") {
    const word = text.replace(WIDER, "").toLowerCase();
    if (Object.hasOwn(TRUTHS, word)) return TRUTHS[word];
    throw fault(text, "true or false");
  }
  return readNumber(text, kind === "integer" ? "an integer" : "a number");
};
