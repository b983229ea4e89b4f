import { SclblError } from "./errors.js";

const ROLE = "sclbl";

/** Node's threads; browsers, Deno and Bun have `Worker`. */
const node = globalThis.process?.getBuiltinModule?.("worker_threads");

/** Starts a thread of this very file. */
const thread = () => {
  const url = new URL(import.meta.url);
  if (globalThis.Worker) return new Worker(url, { type: "module", name: ROLE });
  const made = new node.Worker(url, { workerData: ROLE });
  made.on("message", (data) => made.onmessage({ data }));
  for (const end of ["error", "exit"]) made.on(end, () => made.onerror());
  return made;
};

/** Starts a worker that holds a compiled program. */
const started = async (module) => {
  const worker = thread();
  /** The calls under way, in the order in which the worker answers them. */
  const waiting = [];
  const post = (message) =>
    new Promise((...settle) => {
      waiting.push(settle);
      worker.postMessage(message);
    });
  const self = {
    gone: false,
    load: () => waiting.length,
    /** What a part gives; undefined where the worker is gone. Of rows that lie in a larger array no
     *  others are copied to it. */
    ask: (method, part) => post([method, { ...part, numeric: part.numeric?.slice() }]),
    end() {
      worker.terminate();
      worker.onerror();
    },
  };
  worker.onmessage = ({ data: [result, error] }) => {
    const [done, failed] = waiting.shift();
    if (error) failed(Object.assign(new SclblError(), error));
    else done(result);
  };
  worker.onerror = (event) => {
    event?.preventDefault();
    self.gone = true;
    for (const [done] of waiting) done();
  };
  return (await post(module)) && self;
};

/**
 * Starts workers; where the page may have none, there are none.
 * @param {number} count
 * @param {WebAssembly.Module} module
 */
export const pool = async (count, module) => {
  const tried = Array.from({ length: count }, () => started(module).catch(() => 0));
  return (await Promise.all(tried)).filter(Boolean);
};

/**
 * Serves as a worker, where this file was started as one.
 * @param {(module: WebAssembly.Module) => Promise<(method: string, part: object) => object>} start
 */
export const serve = (start) => {
  const port =
    node?.workerData === ROLE ? node.parentPort : globalThis.name === ROLE && globalThis;
  if (!port) return;
  let call;
  port.onmessage = async ({ data }) => {
    try {
      port.postMessage([call ? call(...data) : !!(call = await start(data))]);
    } catch (error) {
      port.postMessage([0, { ...error, message: error.message }]);
    }
  };
};
