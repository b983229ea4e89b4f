import { CellFault, readCell } from "./cells.js";

const KINDS = { number: "float64", integer: "integer", boolean: "boolean", text: "text" };

/** The elements of a field: its box, what is filled in, where its error stands. */
const partsOf = (form, k) => {
  const box = form.querySelector(`[data-field="${k}"]`);
  const id = `f${k}`;
  return {
    box,
    control: box.querySelector(`#${id}`),
    other: box.querySelector(`#${id}o`),
    missing: box.querySelector(`#${id}m`),
    slider: box.querySelector(".slider"),
    error: box.querySelector(".error"),
  };
};

const readJson = (text) => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CellFault(`this is not JSON: ${error.message}`);
  }
};

/** The value of one field; undefined for a parameter that is left at its default. */
const readField = (field, { control, other, missing }) => {
  if (missing?.checked) return null;
  const text = control.value;
  if (field.role === "parameter" && text.trim() === "") return undefined;
  if (field.kind === "json") return readJson(text);
  if (field.kind === "choice") {
    if (text !== "other") return JSON.parse(text);
    if (other.value === "") throw new CellFault("fill this in, or mark it as missing");
    return typeof field.categories[0] === "string" ? other.value : readCell("float64", other.value);
  }
  if (field.kind !== "text" && text.trim() === "") {
    throw new CellFault(field.missing ? "fill this in, or mark it as missing" : "fill this in");
  }
  return readCell(KINDS[field.kind], text);
};

/**
 * A form over the fields in the page's data.
 *
 * `changed` is called when something was typed or chosen.
 */
export const openForm = (form, fields, changed) => {
  const parts = fields.map((_, k) => partsOf(form, k));

  const settle = ({ control, other, missing, slider }) => {
    const gone = Boolean(missing?.checked);
    control.disabled = gone;
    if (slider) slider.disabled = gone;
    if (other) other.hidden = gone || control.value !== "other";
  };

  const mark = ({ control, error, box }, text) => {
    box.classList.toggle("wrong", Boolean(text));
    error.textContent = text;
    if (text) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };

  /** @returns {{rows: unknown, parameters: object} | null} null where a field is at fault, which it says */
  const read = () => {
    const row = [];
    const inputs = {};
    const parameters = {};
    let sound = true;
    fields.forEach((field, k) => {
      try {
        const value = readField(field, parts[k]);
        mark(parts[k], "");
        if (field.role === "column") row.push(value);
        else if (field.role === "row") inputs[field.name] = [value];
        else if (value !== undefined) parameters[field.name] = value;
      } catch (error) {
        if (!(error instanceof CellFault)) throw error;
        mark(parts[k], error.message);
        sound = false;
      }
    });
    if (!sound) return null;
    if (row.length) inputs.table = [row];
    const given = Object.values(inputs);
    return { rows: given.length === 1 ? given[0] : inputs, parameters };
  };

  /** Shows a refusal at the field that it names; false where it names none. */
  const blame = (error) => {
    const named = [error.column, error.input, error.parameter].filter((name) => name != null).map(String);
    let k = fields.findIndex((field, at) => named.includes(field.role === "column" ? String(field.name) : field.name) ||
      (field.role === "column" && named.includes(String(at)) && typeof field.name === "number"));
    if (k < 0 && error.code === "parameter") k = fields.findIndex((field) => field.role === "parameter" && error.message.includes(field.name));
    if (k < 0 && fields.length === 1) k = 0;
    if (k < 0) return false;
    mark(parts[k], error.message.replace(/^row 0, /, ""));
    return true;
  };

  /** Takes away what the program refuses whatever else is filled in. `tries(k, value)` answers whether. */
  const narrow = async (refused) => {
    for (const [k, field] of fields.entries()) {
      if (field.role !== "column") continue;
      const { control, missing } = parts[k];
      if (missing && !missing.checked && (await refused(k, null))) missing.parentElement.hidden = true;
      if (field.kind === "choice" && control.value !== "other") {
        const strange = typeof field.categories[0] === "string" ? "\u{fffd}?" : -987654321.5;
        if (await refused(k, strange)) control.querySelector('[value="other"]').remove();
      }
    }
  };

  for (const one of parts) {
    settle(one);
    one.slider?.addEventListener("input", () => {
      one.control.value = one.slider.value;
    });
    one.control.addEventListener("input", () => {
      if (one.slider && one.control.value.trim() !== "") one.slider.value = one.control.value;
    });
  }
  form.addEventListener("input", () => {
    parts.forEach(settle);
    changed();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  return { read, blame, narrow };
};
