import { SclblError, refuse } from "./errors.js";
import { runner } from "./local.js";
import { buffers, open } from "./open.js";
import { start } from "./program.js";
import { requester } from "./remote.js";
import { answer } from "./results.js";
import { readSignature } from "./signature.js";
import { named, program } from "./source.js";
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
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

/** What is missing to run programs here, if anything is. */
const lacking = () =>
  !globalThis.WebAssembly
    ? "there is no WebAssembly here"
    : !WebAssembly.validate(Uint8Array.from(SIMD)) && "WebAssembly has no SIMD here";

/** A version that is run here. */
async function here(source, options) {
  const { module, sha256 } = await program(source, options);
  const held = await start(module);
  const workers = await pool(options.workers, module);
  const { manifest, signature } = held;
  return { where: "local", sha256, manifest, signature, workers, run: runner(held, workers) };
}

/** A version that its server runs. */
function there({ record, root }, options, why) {
  const { manifest, sha256, ref } = record;
  const signature = readSignature(manifest);
  const run = requester(`${root}/v1/deployments/${encodeURIComponent(ref)}`, signature, options);
  return { where: "remote", why, sha256, manifest, signature, workers: [], run };
}

/** Opens a version where the options want it, or where it can be. */
async function openedVersion(source, options) {
  const { record } = source;
  const { where, limit } = options;
  if (where === "remote" && record) return there(source, options);
  if (where === "remote") refuse("request", "a file has no server that runs it; give the URL of a deployment");
  const auto = where === "auto" && record;
  let why = auto && "server-only" in record.tags && "the deployment is marked server-only";
  if (auto && record.size > limit) why ||= `the program has ${record.size} bytes, more than the limit of ${limit}`;
  why ||= lacking();
  if (!why) {
    try {
      return await here(source, options);
    } catch (error) {
      if (error instanceof SclblError && error.code !== "server_only") throw error;
      why = error.message;
    }
  }
  if (auto) return there(source, options, why);
  return refuse("program", `the program cannot run here: ${why}; use a deployment with where: "remote"`);
}

/**
 * Loads a deployment, or a program.
 * @param {string | URL | Response | ArrayBuffer | Uint8Array | Blob} source the URL of a deployment
 *   (`…/v1/deployments/{ref}`) or of a `.wasm`, or its bytes
 * @param {object} [given] options; `sclbl.d.ts` tells them
 */
async function load(source, given = {}) {
  const options = { ...DEFAULTS, ...given };
  for (const name in given) {
    if (!(name in DEFAULTS)) {
      refuse("request", `load has no option '${name}'; it has ${Object.keys(DEFAULTS).join(", ")}`);
    }
  }
  if (!/^(auto|local|remote)$/.test(options.where)) {
    refuse("request", `where is '${options.where}'; give auto, local or remote`);
  }
  const isUrl = typeof source === "string" || source instanceof URL;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  const url = isUrl ? new URL(source, base).href : "";
  const [, root, deployment] = /^(.*)\/v1\/deployments\/([^/?#]+)$/.exec(url) ?? [];
  const closed = new AbortController();
  /** The version that was opened last, and what it was opened for. */
  let version;
  let record;
  let opening;

  /** Ends the workers of a version that answers no more calls. */
  const retire = (old) => {
    if (old && !old.calls && (old !== version || closed.signal.aborted)) {
      for (const worker of old.workers) worker.end();
    }
  };

  const opens = async (found) => {
    const { sha256 } = options;
    if (sha256 && found.record && found.sha256 !== sha256) {
      refuse("corrupted", `${url} names the program ${found.sha256}, not ${sha256}; load the version that you expect`);
    }
    const old = version;
    version = { ...(await openedVersion({ ...found, sha256: sha256 || found.sha256 }, options)), calls: 0 };
    version.ref = record?.ref;
    retire(old);
    for (const method of model.methods) {
      if (!(method in model) && method !== "then") {
        model[method] = (rows, how) => model.run(method, rows, how);
      }
    }
    return version;
  };

  /** The version that answers now; a deployment may name another one than before. */
  const current = async () => {
    if (!deployment) {
      const response = isUrl ? null : source instanceof Response ? source : new Response(source);
      return (opening ??= opens({ url, response }));
    }
    const now = await named(url, options);
    if (now !== record) {
      record = now;
      const { sha256, size } = now;
      opening = opens({ record, root, url: `${root}/v1/programs/${sha256}.wasm`, sha256, size });
      // What could not be opened is tried again by the next call.
      opening.catch(() => (record = null));
    }
    return opening;
  };

  const model = {
    get methods() {
      return Object.keys(version.signature.outputs);
    },
    get workers() {
      return version.workers.filter((worker) => !worker.gone).length;
    },
    async run(method, rows, { signal, parameters } = {}) {
      const begin = performance.now();
      const end = closed.signal;
      const until = signal ? AbortSignal.any([signal, end]) : end;
      until.throwIfAborted();
      const at = await current();
      at.calls++;
      const work = async () => {
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
      const { where, why, sha256, ref } = at;
      return Object.assign(found, { where, why, sha256, ref, ms: performance.now() - begin });
    },
    close() {
      closed.abort(new SclblError("request", "the model was closed; load it again"));
      retire(version);
    },
  };
  for (const key of ["manifest", "signature", "sha256", "ref", "where", "why"]) {
    Object.defineProperty(model, key, { get: () => version[key], enumerable: true });
  }
  await current();
  return model;
}

serve(async (module) => {
  const { call } = await start(module);
  return ({ method, part }) => {
    const raw = call(method, part);
    return [raw, buffers(raw)];
  };
});

export { load, SclblError };
