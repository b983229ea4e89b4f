import { SclblError, refuse } from "./errors.js";
import { sha256 } from "./sha256.js";
import { readManifest } from "./signature.js";
import { keep, recall } from "./store.js";

/**
 * Asks a server and reads its answer. What may be repeated is: no answer, and 503.
 * @template T
 * @param {string} url
 * @param {{token?: string, timeout: number, retries: number}} options
 * @param {(response: Response) => Promise<T>} read
 * @param {RequestInit} [init]
 * @returns {Promise<T>}
 */
export const ask = async (url, { token, timeout, retries }, read, { signal, ...init } = {}) => {
  // The default of `fetch` sends cookies to the page's own server alone.
  const headers = { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) };
  for (let tried = 0; ; ) {
    let wait = 250 << tried;
    let failed;
    try {
      const late = AbortSignal.timeout(timeout);
      const until = signal ? AbortSignal.any([signal, late]) : late;
      const response = await fetch(url, { ...init, headers, signal: until });
      const { ok, status } = response;
      if (ok) return await read(response);
      const said = await response.json().catch(() => 0);
      const { code, message, row, column, input } = said?.error ?? {};
      const known = [code, message].every((text) => typeof text === "string");
      failed = new SclblError(...(known ? [code, message, row, column, input] : ["request", `${url} answered ${status}`]));
      failed.status = status;
      wait = response.headers.get("retry-after") * 1000 || wait;
    } catch (error) {
      signal?.throwIfAborted();
      failed = new SclblError("unreachable", `no answer from ${url}: ${error.message}`);
    }
    if (tried++ >= retries || (failed.status ?? 503) !== 503) throw failed;
    await new Promise((done) => setTimeout(done, Math.min(wait, timeout)));
    signal?.throwIfAborted();
  }
};

/** What deployments named when they were last asked, by URL and token. */
const known = new Map();

/**
 * The version that a deployment's URL names: asked once an interval, by its number once a page.
 * Where the server does not answer, it is the one that was named last.
 * @param {string} url
 * @param {object} options
 * @returns {Promise<object>} the record as the server sends it; the same object while it is the same
 */
export const named = (url, options) => {
  const key = `${url} ${options.token}`;
  const last = known.get(key);
  const now = performance.now();
  // A number names one version, for as long as this page is open: servers may change their registry.
  const often = /(@|%40)\d+$/.test(url) ? Infinity : options.interval * 1000;
  if (now - last?.at < often) return last;
  const record = resolved(url, options, last);
  record.at = now;
  known.set(key, record);
  // An error is not kept: the next call asks again.
  record.catch(() => known.delete(key));
  return record;
};

const resolved = async (url, options, last) => {
  const key = encodeURIComponent(url);
  const kept = async () => JSON.parse(new TextDecoder().decode(await recall(key, options)));
  const before = (await last) ?? (await kept().catch(() => 0));
  try {
    // Where there is an answer already, none is waited for.
    const { timeout } = options;
    const how = before ? { ...options, timeout: Math.min(timeout, 5e3), retries: 0 } : options;
    const record = await ask(url, how, (response) => response.json());
    if (!/^[\da-f]{64}$/.test(record?.sha256)) refuse("request", `${url} answered what names no version; give the URL of a deployment`);
    const text = JSON.stringify(record);
    if (text === JSON.stringify(before)) return before;
    keep(key, new TextEncoder().encode(text), options);
    return record;
  } catch (error) {
    // A refusal of the server's own counts: what was deleted does not live on in pages.
    if (before && !(error.status < 500)) return before;
    throw error;
  }
};

/** Refuses a program that has another SHA-256 than it should have. */
export const same = (found, wanted, url) => {
  if (wanted && found !== wanted) {
    refuse("corrupted", `the program of ${url || "these bytes"} has the SHA-256 ${found}, not ${wanted}; it is not run`);
  }
};

/**
 * Refuses a program whose code or weights are other ones than when its manifest was written: that
 * holds the first digits of the SHA-256 of all but itself.
 */
const undamaged = async ({ code }, bytes) => {
  for (let at = 8; at < bytes.length; ) {
    const start = at;
    let [size, scale, byte] = [0, 1];
    do {
      byte = bytes[++at];
      size += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    const end = ++at + size;
    if (!bytes[start] && new TextDecoder().decode(bytes.subarray(at, at + 6)) === "\x05sclbl") {
      const rest = new Uint8Array(bytes.length - end + start);
      rest.set(bytes.subarray(0, start));
      rest.set(bytes.subarray(end), start);
      if (code !== undefined && code !== (await sha256(rest)).slice(0, 16)) {
        refuse("invalid_program", "the program's code or weights were altered after it was compiled");
      }
    }
    at = end;
  }
};

/**
 * A program, compiled, whose bytes have the SHA-256 that they should have.
 * @param {string | false} url where it is fetched
 * @param {Response | BufferSource | Blob} given what holds it, where there is no URL
 * @param {string} wanted the SHA-256, where one is known
 * @param {object} options
 * @returns {Promise<{module: WebAssembly.Module, sha256: string}>}
 */
export const program = async (url, given, wanted, options) => {
  let bytes = wanted && (await recall(wanted, options));
  let streamed;
  let whole;
  const read = async (response) => {
    const headers = { "content-type": "application/wasm" };
    streamed = WebAssembly.compileStreaming?.(new Response(response.clone().body, { headers }));
    // Whether these are the right bytes is said first.
    streamed?.catch(() => 0);
    return new Uint8Array(await response.arrayBuffer());
  };
  if (!bytes || (await sha256(bytes)) !== wanted) {
    // Programs may be large, and networks slow: ten minutes for what takes half of one elsewhere.
    const how = { ...options, timeout: options.timeout * 20 };
    bytes = await (url
      ? ask(url, how, read)
      : read(given instanceof Response ? given : new Response(given)));
    const found = await sha256(bytes);
    same(found, wanted, url);
    if (wanted) keep(wanted, bytes, options);
    else whole = found;
  }
  const module = await (streamed ?? WebAssembly.compile(bytes));
  if (whole) await undamaged(readManifest(module), bytes);
  return { sha256: wanted || whole, module };
};
