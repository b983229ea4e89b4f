/** Bars are shown of so many values at most; of more the largest. */
const BARS = 10;
const LISTED = 200;

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const cut = (text) => (text.length > LISTED ? `${text.slice(0, LISTED)}…` : text);

/** A text of others, apart from the direction of what surrounds it. */
const isolated = (text, className) => element("bdi", className, cut(text));

/** The shortest text of a float32 number. */
const single = (value) => {
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
};

/** A value as text: all its digits. */
export const worded = (value, dtype) => {
  if (value === null) return "missing";
  if (Array.isArray(value)) return `[${value.map((one) => worded(one, dtype)).join(", ")}]`;
  if (typeof value === "number" && dtype === "float32" && Number.isFinite(value)) return single(value);
  if (Object.is(value, -0)) return "-0";
  if (typeof value === "object") return JSON.stringify(value, (_, held) => (typeof held === "bigint" ? String(held) : held));
  return String(value);
};

const isShare = (value) => typeof value === "number" && value >= 0 && value <= 1;

/** A share for reading: 0 and 100 stand for themselves alone. */
const percent = (value) => {
  if (value === 0 || value === 1) return `${100 * value} %`;
  if (value < 0.001) return "< 0.1 %";
  return value > 0.999 ? "> 99.9 %" : `${(100 * value).toFixed(1)} %`;
};

const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const large = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** A number for reading: grouped, and rounded. */
const rounded = (value) => {
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return value.toPrecision(6);
  return (size < 1e4 ? small : large).format(value);
};

/** Values between 0 and 1 as bars, each with its label. */
const bars = (values, labels, top) => {
  const list = element("ul", "bars");
  const order = values.map((_, k) => k);
  if (top || values.length > BARS) order.sort((a, b) => values[b] - values[a]);
  for (const k of order.slice(0, top ?? BARS)) {
    const item = element("li");
    const bar = element("span", "bar");
    const fill = element("span", "fill");
    fill.style.width = `${100 * values[k]}%`;
    bar.setAttribute("aria-hidden", "true");
    bar.append(fill);
    const share = element("span", "share", percent(values[k]));
    share.title = worded(values[k]);
    share.dataset.value = worded(values[k]);
    item.append(isolated(String(labels[k] ?? k), "label"), bar, share);
    list.append(item);
  }
  if (order.length > list.children.length) list.append(element("li", "muted small", `and ${order.length - list.children.length} smaller ones`));
  return list;
};

const listing = (values, names, dtype) => {
  const list = element("dl", "facts values");
  values.slice(0, LISTED).forEach((value, k) => {
    const line = element("div");
    const name = element("dt");
    name.append(isolated(String(names?.[k] ?? k)));
    const said = element("dd");
    said.append(isolated(worded(value, dtype)));
    line.append(name, said);
    list.append(line);
  });
  if (values.length > LISTED) list.append(element("div", "muted small", `and ${values.length - LISTED} more`));
  return list;
};

/** One result of one row. */
const one = (value, output, { labels, top, dtype }) => {
  if (!Array.isArray(value)) {
    const exact = worded(value, dtype);
    const isNumber = typeof value === "number" && /^float/.test(dtype) && Number.isFinite(value);
    const reads = isNumber ? rounded(value) : exact;
    const said = element("div");
    const big = element("p", "big");
    big.append(isolated(reads));
    said.append(big);
    said.dataset.exact = exact;
    if (isNumber && reads.replaceAll(",", "") !== exact) said.append(element("p", "muted small", `exactly ${exact}`));
    return said;
  }
  const flat = value.flat(Infinity);
  const total = flat.reduce((sum, share) => sum + Number(share), 0);
  const shares = flat.length > 1 && flat.every(isShare) && (labels?.length === flat.length || Math.abs(total - 1) < 1e-3);
  const names = labels?.length === flat.length ? labels : output.names;
  return shares ? bars(flat, names ?? [], top) : listing(flat, names, dtype);
};

/**
 * Shows an answer of one row in an element; in place of what was there.
 *
 * @param {Element} place
 * @param {object} signature of the manifest
 * @param {object} answer
 * @param {{labels?: string[], top?: number}} [options]
 */
export const draw = (place, signature, answer, { labels, top } = {}) => {
  const output = signature.outputs[answer.method];
  const known = signature.outputs.predict?.labels;
  const several = Boolean(output.splits || output.further);
  const parts = several ? answer.values.map((values) => values[0]) : [signature.one_row ? answer.values : answer.values[0]];
  const shown = parts.map((value, k) => {
    const own = labels ?? (output.splits ? known?.[k] : known?.length === 1 ? known[0] : undefined);
    const dtype = several ? answer.dtype[k] : answer.dtype;
    const made = one(value, output, { labels: answer.method === "predict" ? labels : own, top, dtype });
    if (parts.length < 2) return made;
    const named = element("section");
    named.append(element("h3", "part", `Output ${k}`), made);
    return named;
  });
  place.append(...shown);
};
