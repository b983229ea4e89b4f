/** Values as Python's messages show them, so that both languages refuse in the same words. */

/** Whether a number stands for an integer of Python, where messages tell them from floats. */
export const isWhole = (value) => Number.isSafeInteger(value) && !Object.is(value, -0);

/** A float as Python writes it: `1.0`, `1e+16`, `1e-05`, `-0.0`, `nan`. */
export const shownFloat = (value) => {
  const size = Math.abs(value);
  if (!(size < Infinity)) return String(value).replace("inity", "").toLowerCase();
  if (size >= 1e16 || (size && size < 1e-4)) return value.toExponential().replace(/([+-])(\d)$/, "$10$2");
  return (Object.is(value, -0) ? "-0" : value) + (Number.isInteger(value) ? ".0" : "");
};

/** What Python calls the type of a value. */
export const typeName = (value) => {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return { Null: "NoneType", String: "str", Boolean: "bool", BigInt: "int", Array: "list", Object: "dict", Date: "datetime" }[tag] ??
    (tag === "Number" ? (isWhole(value) ? "int" : "float") : ArrayBuffer.isView(value) ? "ndarray" : tag);
};

/** A value as Python's `repr` writes it, in so many letters at most; of others their type. */
export const shown = (value, most = 60) => {
  let text;
  if (typeof value === "string") {
    const some = [...value].slice(0, most + 1).join("");
    const quote = some.includes("'") && !some.includes('"') ? '"' : "'";
    text = quote + some.replace(/[\\'\p{C}\p{Z}]/gu, (sign) => {
      if (sign === " " || (sign === "'" && quote === '"')) return sign;
      const code = sign.codePointAt(0);
      const short = { 9: "t", 10: "n", 13: "r", 39: "'", 92: "\\" }[code];
      const size = code < 256 ? 2 : code < 65536 ? 4 : 8;
      return "\\" + (short ?? " xuU"[Math.log2(size)] + code.toString(16).padStart(size, "0"));
    }) + quote;
  } else if (typeof value === "number") text = isWhole(value) ? String(value) : shownFloat(value);
  else if (typeof value === "bigint") text = String(value);
  else if (typeof value === "boolean") text = value ? "True" : "False";
  else if (value === null) text = "None";
  else text = article(value);
  const signs = [...text];
  return signs.length > most ? signs.slice(0, most - 4).join("") + "..." : text;
};

/** The name of a value's type with its article. */
export const article = (value) => {
  const name = typeName(value);
  return (/^[aeiou]/i.test(name) ? "an " : "a ") + name;
};

/** The names of columns, in Python's quotes, the first ten of them. */
export const listed = (names) =>
  names.slice(0, 10).map((name) => shown(name, Infinity)).join(", ") +
  (names.length > 10 ? ` and ${names.length - 10} more` : "");
