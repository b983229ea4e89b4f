import { SclblError, refuse } from "./errors.js";
import { runner } from "./local.js";
import { open } from "./open.js";
import { start } from "./program.js";
import { requester } from "./remote.js";
import { answer } from "./results.js";
import { readSignature } from "./signature.js";
import { named, program, same } from "./source.js";
import { pool, serve } from "./workers.js";

const DEFAULTS = {
  token: "",
  where: "auto",
  sha256: "",
  interval: 60,
  limit: 2 ** 26,
  workers: 0,
  timeout: 3e4,
  retries: 2,
  store: "auto",
};

/** A module that names the type of SIMD's values, which programs use. */
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123];

/**
 * Loads a deployment, or a program.
 * @param {string | URL | Response | BufferSource | Blob} source the URL of a deployment
 *   (`…/v1/deployments/{ref}`) or of a `.wasm`, or its bytes
 * @param {object} [given] options; `sclbl.d.ts` tells them
 */
const load = async (source, given) => {
  const options = { ...DEFAULTS, ...given };
  const wrong = Object.keys(options).find((name) => !(name in DEFAULTS));
  if (wrong) refuse("request", `load has no option ${wrong}`);
  const { where, limit } = options;
  const isUrl = typeof source === "string" || source instanceof URL;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  const url = isUrl && new URL(source, base).href;
  const [, root] = /^(.*\/v1\/)deployments\/[^/?#]+$/.exec(url) ?? [];
  const closing = new AbortController();
  /** The record that was opened last, what opens it, and what was opened. */
  let last;
  let opening;
  let version;

  /** A version that runs here, or where the options or the page want it so, at its server. */
  const opened = async (record) => {
    let { sha256 } = options;
    if (record) same(record.sha256, sha256, url);
    const { ref, size, tags } = record ?? {};
    const auto = where === "auto" && record;
    let why;
    let code = "error";
    try {
      if (where === "remote") throw Error("a file has no server");
      if (auto && "server-only" in tags) throw Error("the deployment is server-only");
      if (auto && size > limit) throw Error(`it has ${size} bytes, above the limit`);
      if (!globalThis.WebAssembly) throw Error("there is no WebAssembly");
      if (!WebAssembly.validate(Uint8Array.from(SIMD))) throw Error("WebAssembly has no SIMD");
      sha256 = record?.sha256 ?? sha256;
      const from = record ? `${root}programs/${sha256}.wasm` : url;
      const found = await program(from, source, sha256, options);
      const held = await start(found.module);
      const workers = await pool(options.workers, found.module);
      const about = { where: "local", sha256: found.sha256, ref };
      return { ...held, about, workers, run: runner(held, workers) };
    } catch (error) {
      if (!/^(server_only|program)$/.test(error.code ?? "program")) throw error;
      why = error.message;
      if (!record && error.name === "CompileError") code = "invalid_program";
    }
    if (!auto && (where !== "remote" || !record)) refuse(code, `it cannot run here: ${why}`);
    const { manifest } = record;
    const signature = readSignature(manifest);
    const about = { where: "remote", why: auto ? why : undefined, sha256: record.sha256, ref };
    const run = requester(`${root}deployments/${ref}/predict?method=`, signature, record.sha256, options);
    return { manifest, signature, about, workers: [], run };
  };

  /** Ends the workers of a version that answers no more calls. */
  const retire = (old) => {
    if (!old?.calls && (old !== version || closing.signal.aborted)) {
      old?.workers.forEach((worker) => worker.end());
    }
  };

  /** The version that answers now; a deployment may name another one than before. */
  const current = async () => {
    const record = root && (await named(url, options));
    if (!opening || record !== last) {
      last = record;
      opening = opened(record).then((made) => {
        const old = version;
        version = made;
        made.calls = 0;
        retire(old);
        const { manifest, signature, about } = made;
        const methods = Object.keys(signature.outputs);
        for (const method of methods) {
          if (!(method in model)) model[method] = (rows, how) => model.run(method, rows, how);
        }
        return Object.assign(model, about, { methods, manifest, signature: manifest.signature }), made;
      });
      // What could not be opened is tried again by the next call.
      opening.catch(() => (opening = null));
    }
    return opening;
  };

  const model = {
    then: undefined,
    get workers() {
      return version.workers.filter((worker) => !worker.gone).length;
    },
    async run(method, rows, { signal, parameters } = {}) {
      const begin = performance.now();
      const until = AbortSignal.any([closing.signal, signal ?? closing.signal]);
      until.throwIfAborted();
      const at = await current();
      const work = async () => {
        at.calls++;
        try {
          const batch = open(at.signature, method, rows, parameters);
          return answer(at.signature, method, await at.run(method, batch, until));
        } finally {
          at.calls--;
          retire(at);
        }
      };
      const stopped = new Promise((_, failed) => {
        until.onabort = () => failed(until.reason);
      });
      const found = await Promise.race([work(), stopped]);
      return Object.assign(found, at.about, { ms: performance.now() - begin });
    },
    close() {
      closing.abort(new SclblError("request", "the model was closed"));
      retire(version);
    },
  };
  await current();
  return model;
};

serve(async (module) => (await start(module)).call);

export { load, SclblError };
