import { TYPES } from "./signature.js";

/** float64 holds every integer up to here. */
export const EXACT = 2 ** 53;

/** Whether a value stands for a number. */
export const isNumber = (value) => ["number", "boolean", "bigint"].includes(typeof value);

/** Whether elements of a type are BigInts in JavaScript. */
export const isBig = (dtype) => /int64/.test(dtype);

/** The nearest float16 of a number. */
export const half = (value) => {
  const size = Math.abs(value);
  if (!(size < 65520)) return value * Infinity;
  const magic = 1.5 * 2 ** (Math.max(-14, Math.floor(Math.log2(size))) + 42);
  return Math.sign(value) * (size + magic - magic);
};

/** The bits of a float16. */
const bits = (value) => {
  const size = Math.abs(value);
  const power = Math.floor(Math.log2(size));
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (!(size < Infinity)) return sign + (value === value ? 0x7c00 : 0x7e00);
  return sign + (power < -14 ? size * 2 ** 24 : (size / 2 ** power + power + 14) * 1024);
};

/** How a number is put into an array of a type. */
const into = (dtype) => (isBig(dtype) ? BigInt : dtype === "float16" ? bits : Number);

/** Numbers as an array of a type. */
export const arrayOf = (dtype, values) => TYPES[dtype].from(values, into(dtype));

/**
 * A value as a type holds it: exactly, or the nearest float where it has no width of its own.
 *
 * @param {unknown} value
 * @param {string} dtype
 * @param {unknown} [typed] whether it stood in a typed array, so that it has a width
 * @returns {number | bigint | undefined} undefined where the type does not hold it
 */
export const hold = (value, dtype, typed) => {
  const kind = typeof value;
  if (value !== null && !isNumber(value)) return undefined;
  const number = value === null ? NaN : Number(value);
  if (dtype[0] === "f") {
    const near = dtype === "float32" ? Math.fround(number) : dtype === "float16" ? half(number) : number;
    const same = near === number || number !== number || (!typed && Math.abs(near) < Infinity);
    return same && (kind !== "bigint" || (value <= EXACT && value >= -EXACT)) ? near : undefined;
  }
  const length = Number(dtype.replace(/\D+/, "")) || 1;
  const signed = dtype[0] === "i";
  const low = signed ? -(2 ** (length - 1)) : 0;
  return Number.isInteger(number) && value < 2 ** (length - signed) && value >= low ? (kind === "bigint" ? value : number) : undefined;
};
