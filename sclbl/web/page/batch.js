import { FileFault, lineOf, openCsv, placesOf, rowOf, written } from "./csv.js";

/** Rows that are predicted at once, between turns of the page. */
const ROWS = 512;
/** How long the page may be kept busy, in ms. */
const TURN = 12;

const EMPTY = "The file is empty; its first line must name the columns.";

/** Columns of a signature as the readers of a file take them. */
const columnsOf = ({ columns }) =>
  Array.isArray(columns)
    ? columns.map(([name, kind], k) => ({ name, kind, label: String(name ?? k) }))
    : Array.from({ length: columns.count }, (_, k) => ({ name: null, kind: columns.kind, label: String(k) }));

/** What the columns of a method's result are called: as `sclbl run` calls them. */
const namesOf = (signature, method) => {
  const output = signature.outputs[method];
  if (output.ndim === 1) return [method];
  if (output.names?.length === output.width) return output.names;
  const { labels: known, dtype } = signature.outputs.predict ?? {};
  const labels = method === "predict" ? undefined : known?.map((own) => own.map((label) => written(label, dtype)));
  if (labels && output.splits?.length === labels.length && output.splits.every((size, k) => size === labels[k].length)) {
    return labels.flatMap((own, k) => own.map((label) => `${method}_${k}_${label}`));
  }
  if (labels?.length === 1 && labels[0].length === output.width) return labels[0].map((label) => `${method}_${label}`);
  return Array.from({ length: output.width }, (_, k) => `${method}_${k}`);
};

/** A name that no column of a file has. */
const unused = (name, header) => {
  for (let count = 2, found = name; ; found = `${name}_${count++}`) if (!header.includes(found)) return found;
};

/** The values of each row of an answer, as text. */
const rowsOf = (output, { values, dtype }) => {
  if (!output.splits) return values.map((value) => [value].flat(Infinity).map((one) => written(one, dtype)));
  return values[0].map((_, row) => values.flatMap((part, k) => part[row].map((one) => written(one, dtype[k]))));
};

/** Lets others have their turn, where the page was busy for long enough. */
const turns = () => {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN) return;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  };
};

/** Pieces of a file's text; a byte order mark is no part of it. */
const textOf = async function* (file) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const size = 64 * 1024;
  try {
    for (let at = 0; at < file.size; at += size) {
      const bytes = await file.slice(at, at + size).arrayBuffer();
      yield [decoder.decode(bytes, { stream: true }), at + bytes.byteLength];
    }
    yield [decoder.decode(), file.size];
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new FileFault("The file is not UTF-8, or no CSV at all; save it as “CSV UTF-8 (comma delimited)”.");
  }
};

/** A refusal of some rows, with the row of the whole file. */
const placed = (error, first, records) => {
  const end = error.message.endsWith(".") ? "" : ".";
  if (error.row == null) return new FileFault(error.message + end);
  const row = first + error.row;
  const where = `row ${row} (line ${records[error.row].line})`;
  const text = error.message.startsWith(`row ${error.row}`) ? error.message.replace(`row ${error.row}`, where) : `${where}: ${error.message}`;
  return new FileFault(text.replace(/^row/, "Row") + end);
};

/**
 * Predicts a file; returns the parts of the new one, and how many rows it had.
 *
 * @param {(rows: number, share: number) => void} tell
 */
const predictFile = async (model, method, file, signal, tell) => {
  const { signature } = model.manifest;
  const output = signature.outputs[method];
  const columns = columnsOf(signature);
  const csv = openCsv();
  const turn = turns();
  const parts = [];
  let [header, places, done, waiting] = [null, null, 0, []];

  const predict = async () => {
    const rows = waiting.map((record, k) => rowOf(record, places, columns, header.length, done + k));
    await turn();
    let answer;
    try {
      answer = await model.run(method, rows, { signal });
    } catch (error) {
      if (error.row === undefined) throw error;
      throw placed(error, done, waiting);
    }
    const found = rowsOf(output, answer);
    parts.push(waiting.map((record, k) => lineOf(record.raw, found[k])).join(""));
    done += waiting.length;
    waiting = [];
    await turn();
  };

  for await (const [text, read] of textOf(file)) {
    for (const record of csv.feed(text, read === file.size && text === "")) {
      if (header === null) {
        // As Python reads it, a blank line names no column.
        if (record.raw === "") throw new FileFault(EMPTY);
        header = record.cells;
        places = placesOf(header, columns, signature.layout === "table");
        parts.push(lineOf(record.raw, namesOf(signature, method).map((name) => unused(name, header))));
        continue;
      }
      // A blank line is a row only where there is one column, which it leaves empty.
      if (record.raw === "" && header.length > 1) continue;
      waiting.push(record);
      if (waiting.length === ROWS) {
        signal.throwIfAborted();
        await predict();
        tell(done, read / file.size);
      }
    }
    await turn();
  }
  if (header === null) throw new FileFault(EMPTY);
  if (waiting.length) await predict();
  if (!done) throw new FileFault("The file has a header and no rows.");
  return [parts, done];
};

/** Takes files by choice or by drop, and gives one back with the predictions. */
export const openBatch = (data, model, methodOf) => {
  const find = (id) => document.getElementById(id);
  const [drop, input, box, bar, said, stop, save] = ["drop", "file", "batch", "progress", "progress-text", "stop", "save"].map(find);
  let under = null;
  let url = null;

  const predict = async (file) => {
    under?.abort();
    const own = (under = new AbortController());
    const method = methodOf();
    if (url) URL.revokeObjectURL(url);
    url = null;
    Object.assign(box, { hidden: false });
    Object.assign(save, { hidden: true });
    Object.assign(stop, { hidden: false });
    Object.assign(bar, { value: 0, hidden: false });
    said.className = "";
    said.textContent = "Reading …";
    const begun = performance.now();
    try {
      if (model.manifest.signature.outputs[method].ragged || model.manifest.signature.outputs[method].further) {
        throw new FileFault(`What ${method} returns is no table; choose another method above.`);
      }
      const [parts, rows] = await predictFile(model, method, file, own.signal, (done, share) => {
        bar.value = share;
        said.textContent = `${done.toLocaleString("en")} rows …`;
      });
      if (own !== under) return;
      url = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
      Object.assign(save, { href: url, hidden: false, download: `${file.name.replace(/\.csv$/i, "")}-${method}.csv` });
      bar.value = 1;
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      said.textContent = `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"} predicted in ${seconds} s, ${model.where === "local" ? "here in this page" : "by the server"}, with ${method}.`;
    } catch (error) {
      if (own !== under) return;
      bar.hidden = true;
      said.className = "refused";
      said.textContent = own.signal.aborted ? "Stopped. Nothing was kept." : `${error.message} Nothing was kept.`;
    } finally {
      if (own === under) stop.hidden = true;
    }
  };

  stop.addEventListener("click", () => under?.abort());
  // The same file may be chosen again: mended, or for another method.
  input.addEventListener("click", () => (input.value = ""));
  input.addEventListener("change", () => input.files[0] && predict(input.files[0]));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover" || kind === "dragenter");
      const file = kind === "drop" && event.dataTransfer.files[0];
      if (file) predict(file);
    });
  }
};
