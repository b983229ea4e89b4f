/** Values as Python's messages show them, so that both languages refuse in the same words. */

const ESCAPES = { 9: "t", 10: "n", 13: "r", 39: "'", 92: "\\" };

/** A text as Python's `repr` writes it. */
const quoted = (text) => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\\'\p{C}\p{Z}]/gu, (sign) => {
    if (sign === " " || (sign === "'" && quote !== sign)) return sign;
    const code = sign.codePointAt(0);
    const hex = code.toString(16);
    return "\\" + (ESCAPES[code] ?? (hex[4] ? "U" + hex.padStart(8, "0") : hex[2] ? "u" + hex.padStart(4, "0") : "x" + hex.padStart(2, "0")));
  });
  return quote + inside + quote;
};

/** The kind of an object: Array, Object, Date, Float64Array, … */
export const kindOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

/** A value as messages show it, in so many letters at most; of an object what it is. */
export const shown = (value, most = 60) => {
  const type = typeof value;
  const size = type === "number" ? Math.abs(value) : 0;
  const kind = kindOf(value);
  const text = type === "string" ? quoted([...value].slice(0, most + 1).join(""))
    : size >= 1e16 || (size && size < 1e-4) ? value.toExponential().replace(/([+-])(\d)$/, "$10$2").replace("Infinity", "inf")
    : /number|bigint/.test(type) ? String(value)
    : type === "boolean" ? (value ? "True" : "False")
    : value === null ? "None" : `a ${{ Array: "list", Object: "dict", Date: "datetime" }[kind] ?? kind}`;
  const letters = [...text];
  return letters.length > most ? letters.slice(0, most - 4).join("") + "..." : text;
};

/** A column as messages call it. */
export const called = (label) => shown(label, Infinity);

/** The names of columns, the first ten of them. */
export const listed = (names) =>
  names.slice(0, 10).map(called).join(", ") + (names.length > 10 ? ` and ${names.length - 10} more` : "");
