import { TYPES } from "./signature.js";

/** float64 holds every integer up to here. */
export const EXACT = 2 ** 53;

/** Whether a value stands for a number. */
export const isNumber = (value) => ["number", "boolean", "bigint"].includes(typeof value);

/** The nearest float16 of a number. */
export const half = (value) => {
  const size = Math.abs(value);
  const magic = 1.5 * 2 ** (Math.max(-14, Math.floor(Math.log2(size))) + 42);
  return size < 65520 ? Math.sign(value) * (size + magic - magic) : value * Infinity;
};

/** The bits of a float16. */
const bits = (value) => {
  const size = Math.abs(value);
  const power = Math.floor(Math.log2(size));
  return (Object.is(Math.sign(value), -0) || value < 0 ? 0x8000 : 0) +
    (size < Infinity ? (power < -14 ? size * 2 ** 24 : (size / 2 ** power + power + 14) * 1024) : value === value ? 0x7c00 : 0x7e00);
};

/** Numbers as an array of a type. */
export const arrayOf = (dtype, values) => TYPES[dtype].from(values, /int64/.test(dtype) ? BigInt : dtype === "float16" ? bits : Number);

/**
 * A value as a type holds it: exactly, or the nearest float where it has no width of its own.
 *
 * @param {unknown} value
 * @param {string} dtype
 * @param {unknown} [typed] whether it stood in a typed array, so that it has a width
 * @returns {number | bigint | undefined} undefined where the type does not hold it
 */
export const hold = (value, dtype, typed) => {
  if (value !== null && !isNumber(value)) return undefined;
  const big = typeof value === "bigint";
  const number = value === null ? NaN : Number(value);
  if (dtype[0] === "f") {
    const near = dtype === "float32" ? Math.fround(number) : dtype === "float16" ? half(number) : number;
    const same = number !== number || near === number || (!typed && Math.abs(near) < Infinity);
    return same && !(big && (value > EXACT || value < -EXACT)) ? near : undefined;
  }
  const length = Number(dtype.replace(/\D+/, "")) || 1;
  const signed = dtype[0] === "i";
  return Number.isInteger(number) && value < 2 ** (length - signed) && value >= (signed && -(2 ** (length - 1))) ? (big ? value : number) : undefined;
};

/** Flat values as lists in lists of a shape. */
export const inLists = (flat, shape) =>
  shape.slice(1).reduceRight((found, size) => Array.from({ length: found.length / size }, (_, i) => found.slice(i * size, (i + 1) * size)), flat);
