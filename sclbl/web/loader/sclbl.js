import { SclblError } from "./errors.js";
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

/** A module of one function that uses SIMD, as programs do. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
];

/** Opens a version: here, or where the options or the page want it so, at its server. */
const opened = async (source, options) => {
  const { record, root } = source;
  const { where, limit } = options;
  const auto = where === "auto" && record;
  let why;
  try {
    if (where !== "remote") {
      if (auto && "server-only" in record.tags) throw Error("the deployment is server-only");
      if (auto && record.size > limit) throw Error(`it has ${record.size} bytes, above the limit`);
      if (!globalThis.WebAssembly) throw Error("there is no WebAssembly");
      if (!WebAssembly.validate(Uint8Array.from(SIMD))) throw Error("WebAssembly has no SIMD");
      const { module, sha256 } = await program(source, options);
      const held = await start(module);
      const workers = await pool(options.workers, module);
      const { manifest, signature } = held;
      return { where: "local", sha256, manifest, signature, workers, run: runner(held, workers) };
    }
  } catch (error) {
    if (error instanceof SclblError && !/^(server_only|program)$/.test(error.code)) throw error;
    why = error.message;
  }
  if (!record || where === "local") {
    throw new SclblError("program", `the program cannot run here: ${why ?? "a file has no server"}`);
  }
  const { manifest, sha256, ref } = record;
  const signature = readSignature(manifest);
  const run = requester(`${root}/v1/deployments/${ref}`, signature, options);
  return { where: "remote", why, sha256, manifest, signature, workers: [], run };
};

/**
 * Loads a deployment, or a program.
 * @param {string | URL | Response | BufferSource | Blob} source the URL of a deployment
 *   (`…/v1/deployments/{ref}`) or of a `.wasm`, or its bytes
 * @param {object} [given] options; `sclbl.d.ts` tells them
 */
const load = async (source, given) => {
  const options = { ...DEFAULTS, ...given };
  const wrong = Object.keys(options).find((name) => !(name in DEFAULTS));
  if (wrong) throw new SclblError("request", `load has no option ${wrong}`);
  const isUrl = typeof source === "string" || source instanceof URL;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  const url = isUrl ? new URL(source, base).href : "";
  const [, root] = /^(.*)\/v1\/deployments\/[^/?#]+$/.exec(url) ?? [];
  const closing = new AbortController();
  /** The record that was opened last, what opens it, and what was opened. */
  let record;
  let opening;
  let version;

  /** Ends the workers of a version that answers no more calls. */
  const retire = (old) => {
    if (old && !old.calls && (old !== version || closing.signal.aborted)) {
      for (const worker of old.workers) worker.end();
    }
  };

  const opens = async (found) => {
    const { sha256 } = options;
    if (root) same(found.sha256, sha256, url);
    const made = await opened({ ...found, sha256: sha256 || found.sha256 }, options);
    const old = version;
    version = Object.assign(made, { calls: 0 });
    retire(old);
    const methods = Object.keys(made.signature.outputs);
    for (const method of methods) {
      if (!(method in model)) model[method] = (rows, how) => model.run(method, rows, how);
    }
    made.about = { where: made.where, why: made.why, sha256: made.sha256, ref: found.record?.ref };
    const { manifest } = made;
    Object.assign(model, made.about, { methods, manifest, signature: manifest.signature });
    return made;
  };

  /** The version that answers now; a deployment may name another one than before. */
  const current = async () => {
    const now = root ? await named(url, options) : options;
    if (now !== record) {
      record = now;
      const { sha256, size } = now;
      opening = opens(
        root
          ? { record, root, sha256, size, url: `${root}/v1/programs/${sha256}.wasm` }
          : { url, response: !isUrl && (source instanceof Response ? source : new Response(source)) },
      );
      // What could not be opened is tried again by the next call.
      opening.catch(() => (record = null));
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
      const { signature } = at;
      const work = async () => {
        at.calls++;
        try {
          const batch = open(signature, method, rows, parameters);
          return answer(signature, method, await at.run(method, batch, until));
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
