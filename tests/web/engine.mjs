// Runs programs with the loader on the rows of tests/web/engines.py; in any engine.
// Outside of browsers: node engine.mjs sclbl.js jobs.json

const TYPED = {
  float64: Float64Array, float32: Float32Array, int32: Int32Array, int64: BigInt64Array,
};

const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

const rowsOf = (value) => {
  if (Array.isArray(value)) return value.map(rowsOf);
  if (value === null || typeof value !== "object") return value;
  return value.$ ? new TYPED[value.$](bytesOf(value.v).buffer)
    : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, rowsOf(one)]));
};

const textOf = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};

const raw = (data) => {
  if (ArrayBuffer.isView(data)) return textOf(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (data === null || Array.isArray(data) || typeof data !== "object") return data;
  return Object.fromEntries(Object.entries(data).map(([name, one]) => [name, raw(one)]));
};

/** What the loader at an address answers to each job. */
export const answers = async (loader, jobs) => {
  const { load } = await import(loader);
  const found = [];
  for (const { program, method, rows, parameters } of jobs) {
    const model = await load(bytesOf(program), { where: "local" });
    const answer = await model.run(method, rowsOf(rows), { parameters }).catch((error) => ({ error }));
    if (answer.error) {
      const { code, row, column, input, message } = answer.error;
      found.push({ code, row, column, input, message });
      continue;
    }
    const { data, dtype, shape, values } = answer;
    const many = Array.isArray(dtype);
    const list = (value) => (many ? value : [value]);
    found.push(list(dtype).map((type, i) => ({ dtype: type, shape: list(shape)[i], data: raw(list(data)[i]), rows: list(values)[i].length })));
    model.close();
  }
  return found;
};

const outside = globalThis.process?.argv?.[2];
if (outside) {
  const { readFileSync } = await import("node:fs");
  const { pathToFileURL } = await import("node:url");
  const jobs = JSON.parse(readFileSync(process.argv[3], "utf8"));
  process.stdout.write(JSON.stringify(await answers(pathToFileURL(outside).href, jobs)));
}
