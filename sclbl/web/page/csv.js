import { CellFault, NUMBER, readCell } from "./cells.js";

/** A file that cannot be predicted: why, in words, with its row and column where they are known. */
export class FileFault extends Error {}

const quoted = (name) => `“${name.length > 80 ? `${name.slice(0, 80)}…` : name}”`;

/**
 * Reads CSV (RFC 4180) as it comes, some text at a time.
 *
 * `feed(text, last)` returns the records that are whole by then: `{ cells, raw, line }`, where `raw` is
 * the record as it was written, without its line's end.
 */
export const openCsv = () => {
  let rest = "";
  let line = 1;

  /** One record from `start` on: `[cells, end, next]`; null where it goes on beyond the text. */
  const record = (text, start, last) => {
    const cells = [];
    let at = start;
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0) {
            if (!last) return null;
            throw new FileFault(`Line ${line} is not CSV: it ends within double quotes, which were opened there or before and not closed; close them, and write a quote that stands for itself twice ("").`);
          }
          cell += text.slice(at + 1, close);
          at = close + 1;
          if (at === text.length && !last) return null;
          if (text[at] !== '"') break;
          cell += '"';
        }
        if (at < text.length && !",\r\n".includes(text[at])) {
          throw new FileFault(`Line ${line} is not CSV: something follows a closing double quote; write a quote that stands for itself twice ("").`);
        }
      } else {
        let end = at;
        while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end++;
        cell = text.slice(at, end);
        at = end;
      }
      cells.push(cell);
      if (text[at] === ",") {
        at++;
        continue;
      }
      const end = at;
      if (at === text.length) return last ? [cells, end, at] : null;
      if (text[at] === "\r") {
        if (at + 1 === text.length && !last) return null;
        at += text[at + 1] === "\n" ? 2 : 1;
      } else at++;
      return [cells, end, at];
    }
  };

  const feed = (text, last = false) => {
    rest += text;
    const found = [];
    let start = 0;
    while (start < rest.length) {
      const got = record(rest, start, last);
      if (!got) break;
      const [cells, end, next] = got;
      const raw = rest.slice(start, end);
      found.push({ cells, raw, line });
      line += raw.split(/\r\n|\r|\n/).length;
      start = next;
    }
    rest = rest.slice(start);
    return found;
  };
  return { feed };
};

const SEPARATORS = { ";": "semicolons", "\t": "tabs", "|": "bars" };

const refuseSeparator = (header) => {
  if (/^sep=/i.test(header[0])) {
    throw new FileFault(`The first line of this file is ${quoted(header.join(","))}, which only spreadsheets read, and not the names of the columns; delete that line.`);
  }
  for (const [mark, name] of Object.entries(SEPARATORS)) {
    if (header.length === 1 && header[0].includes(mark)) {
      throw new FileFault(`The fields of this file seem to be separated by ${name}; they must be separated by commas: save it as “CSV UTF-8 (comma delimited)”.`);
    }
  }
};

/** Refuses a header that is a row: all numbers, which do not count the columns. */
const refuseRow = (header) => {
  const counts = [0, 1].some((first) => header.every((name, k) => name === String(k + first)));
  if (!counts && header.every((name) => NUMBER.test(name))) {
    throw new FileFault(`The first line of this file is ${quoted(header.join(","))}, which are numbers and no names of columns; put a line with their names above the rows.`);
  }
};

/**
 * Where in a record each column of a signature stands.
 *
 * @param {string[]} header
 * @param {{name: string | null, label: string}[]} columns
 */
export const placesOf = (header, columns, named) => {
  if (!named) {
    if (header.length === columns.length) {
      refuseRow(header);
      return columns.map((_, k) => k);
    }
    refuseSeparator(header);
    throw new FileFault(`The header has ${header.length} columns and the model takes ${columns.length}, by position; give exactly these.`);
  }
  const places = new Map();
  header.forEach((name, k) => {
    if (places.has(name)) throw new FileFault(`The header has more than one column ${quoted(name)}; rename them.`);
    places.set(name, k);
  });
  const lacking = columns.filter((column) => !places.has(column.name));
  if (lacking.length) {
    refuseSeparator(header);
    throw new FileFault(`The header lacks ${lacking.slice(0, 8).map((column) => quoted(column.name)).join(", ")}; its columns are ${header.slice(0, 20).map(quoted).join(", ")}.`);
  }
  return columns.map((column) => places.get(column.name));
};

/** The cells of a record as a row of the model; `row` counts from 0. */
export const rowOf = ({ cells, line }, places, columns, width, row) => {
  if (cells.length !== width) {
    throw new FileFault(`Row ${row} (line ${line}) has ${cells.length} fields and the header has ${width}; a field with a comma in it stands in double quotes, and decimals have a point.`);
  }
  return columns.map((column, k) => {
    const text = cells[places[k]];
    if (text === "") return null;
    try {
      return readCell(column.kind, text);
    } catch (error) {
      if (!(error instanceof CellFault)) throw error;
      throw new FileFault(`Row ${row} (line ${line}), column ${quoted(column.label)}: ${error.message}.`);
    }
  });
};

const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A number as Python writes a float: all its digits. */
const float = (value) => {
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? "inf" : "-inf";
  if (size && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/([+-])(\d)$/, "$10$2");
  return `${Object.is(value, -0) ? "-0" : value}${Number.isInteger(value) ? ".0" : ""}`;
};

/** A value of a result, or a label, of a type as `sclbl run` writes it: nothing for what is missing. */
export const written = (value, dtype) => {
  if (value === null || Number.isNaN(value)) return "";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" && /^float/.test(dtype) ? float(value) : String(value);
};

/** A record as it stood, with more fields behind it. */
export const lineOf = (raw, texts) => `${raw}${texts.map((text) => `,${field(text)}`).join("")}\n`;
