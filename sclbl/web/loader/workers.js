import { SclblError } from "./errors.js";

const ROLE = "sclbl";
/** What a call of a worker fails with where the worker is gone: another one takes its part. */
export const LOST = {};

/** Node's threads; browsers, Deno and Bun have `Worker`. */
const node = globalThis.process?.getBuiltinModule?.("worker_threads");

/** Starts a thread of this very file. */
const thread = () => {
  const url = new URL(import.meta.url);
  if (globalThis.Worker) return new Worker(url, { type: "module", name: ROLE });
  const made = new node.Worker(url, { workerData: ROLE });
  made.on("message", (data) => made.onmessage({ data }));
  made.on("error", () => made.onerror());
  made.on("exit", () => made.onerror());
  return made;
};

/** Starts a worker that holds a compiled program. */
const started = async (module) => {
  const worker = thread();
  /** The calls under way, in the order in which the worker answers them. */
  const waiting = [];
  const post = (message) =>
    new Promise((done, failed) => {
      if (self.gone) failed(LOST);
      waiting.push({ done, failed });
      worker.postMessage(message);
    });
  const self = {
    gone: false,
    ask: (method, part) => post([method, part]),
    end() {
      worker.terminate();
      worker.onerror();
    },
  };
  worker.onmessage = ({ data: [result, error] }) => {
    const { done, failed } = waiting.shift();
    if (error) failed(new SclblError(...error));
    else done(result);
  };
  worker.onerror = (event) => {
    event?.preventDefault();
    self.gone = true;
    for (const { failed } of waiting) failed(LOST);
  };
  await post(module);
  return self;
};

/**
 * Starts workers; where the page may have none, there are none.
 * @param {number} count
 * @param {WebAssembly.Module} module
 */
export const pool = async (count, module) => {
  const tried = await Promise.allSettled(Array.from({ length: count }, () => started(module)));
  return tried.flatMap(({ value }) => value ?? []);
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
      if (call) port.postMessage([call(...data)]);
      else port.postMessage([!(call = await start(data))]);
    } catch ({ code, message, row, column, input }) {
      port.postMessage([0, [code, message, row, column, input]]);
    }
  };
};
