/** Values as Python's messages show them, so that both languages refuse in the same words. */

/** A float as Python writes it: `1.0`, `1e+16`, `1e-05`, `-0.0`, `nan`. */
export const shownFloat = (value) => {
  if (Number.isFinite(value)) {
    const size = Math.abs(value);
    if (size >= 1e16 || (size && size < 1e-4)) {
      return value.toExponential().replace(/([+-])(\d)$/, "$10$2");
    }
    return Object.is(value, -0) ? "-0.0" : value + (Number.isInteger(value) ? ".0" : "");
  }
  return String(value).replace("Infinity", "inf").toLowerCase();
};

/** Whether a number of JavaScript stands for an integer of Python, where messages tell them apart. */
export const isInteger = (value) => Number.isSafeInteger(value) && !Object.is(value, -0);

/** A text in Python's quotes, with its escapes. */
const shownText = (text) => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text.replace(/[\\'\p{C}\p{Z}]/gu, (sign) => {
    const known = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", " ": " " }[sign];
    if (known) return known;
    if (sign === "'") return quote === sign ? "\\'" : sign;
    const number = sign.codePointAt(0).toString(16);
    const long = number.length > 4 ? 8 : number.length > 2 ? 4 : 2;
    return "\\" + { 2: "x", 4: "u", 8: "U" }[long] + number.padStart(long, "0");
  });
  return quote + inside + quote;
};

/** What Python calls the type of a value. */
export const typeName = (value) => {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const known = { Null: "NoneType", String: "str", Boolean: "bool", BigInt: "int", Array: "list",
    Object: "dict", Date: "datetime", Undefined: "undefined", Function: "function" }[tag];
  if (tag === "Number") return isInteger(value) ? "int" : "float";
  return known ?? (ArrayBuffer.isView(value) ? "ndarray" : tag);
};

/** The name of a value's type with its article. */
export const article = (value) => {
  const name = typeName(value);
  return (/^[aeiou]/i.test(name) ? "an " : "a ") + name;
};

/** A value as Python's `repr` writes it, in so many letters at most. */
export const shown = (value, most = Infinity) => {
  let text;
  if (typeof value === "string") text = shownText([...value].slice(0, most + 1).join(""));
  else if (typeof value === "number") text = isInteger(value) ? String(value) : shownFloat(value);
  else if (value === null) text = "None";
  else if (typeof value === "boolean") text = value ? "True" : "False";
  else text = typeof value === "bigint" ? String(value) : article(value);
  const signs = [...text];
  return signs.length > most ? signs.slice(0, most - 4).join("") + "..." : text;
};
