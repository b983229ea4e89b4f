import { SclblError, refuse } from "./errors.js";
import { keep, recall } from "./store.js";
import { sha256 } from "./sha256.js";

/**
 * Asks a server and reads its answer. What may be repeated is: no answer, and 503.
 * @template T
 * @param {string} url
 * @param {{token?: string, timeout: number, retries: number}} options
 * @param {(response: Response) => Promise<T>} read
 * @param {RequestInit} [init]
 * @returns {Promise<T>}
 */
export async function ask(url, { token, timeout, retries }, read, { signal, ...init } = {}) {
  // The default of `fetch` sends cookies to the page's own server alone.
  const headers = { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) };
  for (let tried = 0; ; tried++) {
    let wait = 250 * 2 ** tried;
    let failed;
    try {
      const late = AbortSignal.timeout(timeout);
      const response = await fetch(url, {
        ...init,
        headers,
        signal: signal ? AbortSignal.any([signal, late]) : late,
      });
      if (response.ok) return await read(response);
      const { status } = response;
      const said = (await response.json().catch(() => 0))?.error ?? {};
      failed = new SclblError(
        said.code ?? "request",
        said.message ?? `${url} answered ${status}; check the address`,
        said.row,
        said.column,
        said.input,
      );
      failed.status = status;
      if (status !== 503) throw failed;
      wait = response.headers.get("retry-after") * 1000 || wait;
    } catch (error) {
      signal?.throwIfAborted();
      if (error.status) throw error;
      failed = new SclblError(
        "unreachable",
        `no answer from ${url}: ${error.message}; check the address, and that the server runs`,
      );
    }
    if (tried >= retries) throw failed;
    await new Promise((done) => setTimeout(done, Math.min(wait, timeout)));
    signal?.throwIfAborted();
  }
}

/** What deployments named when they were last asked, by URL and token. */
const known = new Map();

/**
 * The version that a deployment's URL names: asked once an interval, a version by its number once.
 * Where the server does not answer, it is the one that was named last.
 * @param {string} url
 * @param {object} options
 * @returns {Promise<object>} the record as the server sends it; the same object while it is the same
 */
export function named(url, options) {
  const key = `${url} ${options.token}`;
  const last = known.get(key);
  const now = performance.now();
  if (last && (isFixed(url) || now - last.at < options.interval * 1000)) return last.record;
  const record = resolved(url, options, last?.record);
  const entry = { record, at: now };
  known.set(key, entry);
  // An error is not kept: the next call asks again.
  record.catch(() => known.get(key) === entry && known.delete(key));
  return record;
}

const isFixed = (url) => /@\d+$/.test(decodeURIComponent(url));

async function resolved(url, options, last) {
  const key = encodeURIComponent(url);
  const kept = async () => {
    const bytes = options.store !== "none" && (await recall(key));
    return bytes && JSON.parse(new TextDecoder().decode(bytes));
  };
  const before = (await last) || ((await kept().catch(() => 0)) ?? 0);
  if (before && isFixed(url)) return before;
  try {
    // What there is can be used: a server that does not answer is not waited for.
    const patience = before ? { ...options, timeout: Math.min(options.timeout, 5e3), retries: 0 } : options;
    const text = await ask(url, patience, (response) => response.text());
    const record = JSON.parse(text);
    if (!/^[0-9a-f]{64}$/.test(record.sha256)) throw new SyntaxError("no SHA-256");
    if (options.store !== "none") keep(key, new TextEncoder().encode(text));
    return JSON.stringify(record) === JSON.stringify(before) ? before : record;
  } catch (error) {
    // A refusal of the server's own counts: a deleted deployment does not live on in pages.
    if (before && !(error.status < 500)) return before;
    if (error instanceof SclblError) throw error;
    throw new SclblError("request", `${url} did not answer with a deployment; check the address`);
  }
}

/** Programs that this page has compiled, or is about to: the bytes of a SHA-256 never change. */
const compiled = new Map();

/**
 * A program, compiled, whose bytes have the SHA-256 that they should have.
 * @param {{url?: string, bytes?: Uint8Array, response?: Response, sha256?: string, size?: number}} where
 * @param {object} options
 * @returns {Promise<{module: WebAssembly.Module, bytes: Uint8Array, sha256: string}>}
 */
export function program(where, options) {
  const wanted = where.sha256;
  if (compiled.has(wanted)) return compiled.get(wanted);
  const found = fetched(where, options);
  if (wanted) {
    compiled.set(wanted, found);
    found.catch(() => compiled.delete(wanted));
    if (compiled.size > 8) compiled.delete(compiled.keys().next().value);
  }
  return found;
}

async function fetched({ url, bytes, response, sha256: wanted, size = 2 ** 26 }, options) {
  const store = wanted && url && options.store !== "none";
  const kept = store && (await recall(wanted));
  if (kept && (await sha256(kept)) === wanted) return finished(kept, wanted);
  let streamed;
  const read = async (answer) => {
    const stream = WebAssembly.compileStreaming && answer.body && answer.clone().body;
    const headers = { "content-type": "application/wasm" };
    streamed = stream && WebAssembly.compileStreaming(new Response(stream, { headers }));
    // Whether these are the right bytes is said first.
    streamed?.catch(() => 0);
    return new Uint8Array(await answer.arrayBuffer());
  };
  // Slow networks: 10 bytes a millisecond.
  const patience = { ...options, timeout: Math.ceil(options.timeout + size / 10) };
  bytes ??= await (response ? read(response) : ask(url, patience, read));
  const found = await sha256(bytes);
  if (wanted && found !== wanted) {
    refuse(
      "corrupted",
      `the program ${url ? `that ${url} sent ` : ""}has the SHA-256 ${found}, not ${wanted}; it was altered on its way, so it was not run`,
    );
  }
  if (store) keep(wanted, bytes);
  return finished(bytes, found, streamed);
}

async function finished(bytes, digest, streamed) {
  return { bytes, sha256: digest, module: await (streamed || WebAssembly.compile(bytes)) };
}
