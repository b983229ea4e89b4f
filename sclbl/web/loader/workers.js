import { SclblError } from "./errors.js";

/** What a call of a worker fails with where the worker is gone: another one takes its part. */
export const LOST = Symbol();

/** A thread of this file: the platform's `Worker`, or Node's. */
function thread() {
  const url = import.meta.url;
  if (globalThis.Worker) return new Worker(url, { type: "module", name: "sclbl" });
  const { Worker: NodeWorker } = process.getBuiltinModule("worker_threads");
  // Node's threads have no `name` and `onmessage`: they get them before the file is read.
  const code = `const { parentPort, workerData } = require("worker_threads");
    self = globalThis;
    name = "sclbl";
    postMessage = (data, list) => parentPort.postMessage(data, list);
    import(workerData).then(() => parentPort.on("message", (data) => onmessage({ data })));`;
  const made = new NodeWorker(code, { eval: true, workerData: url });
  made.on("message", (data) => made.onmessage({ data }));
  for (const end of ["error", "exit"]) made.on(end, () => made.onerror());
  return made;
}

/**
 * Starts a worker that holds a program.
 * @param {WebAssembly.Module} held posted once
 * @returns {Promise<{ask: (method: string, part: object) => Promise<object>, end: () => void}>}
 */
async function started(held) {
  const worker = thread();
  /** The calls under way, in the order in which the worker answers them. */
  const waiting = [];
  const post = (message) =>
    new Promise((done, failed) => {
      if (self.gone) return failed(LOST);
      waiting.push({ done, failed });
      worker.postMessage(message);
    });
  const self = {
    gone: false,
    ask: (method, part) => post({ method, part }),
    end: () => {
      worker.terminate();
      worker.onerror();
    },
  };
  worker.onmessage = ({ data: [result, error] }) => {
    const { done, failed } = waiting.shift();
    if (error) failed(new SclblError(...error));
    else done(result);
  };
  worker.onerror = worker.onmessageerror = (event) => {
    event?.preventDefault?.();
    self.gone = true;
    for (const { failed } of waiting.splice(0)) failed(LOST);
  };
  await post(held);
  return self;
}

/**
 * Starts workers; where the page may have none, there are none.
 * @param {number} count
 * @param {object} held
 */
export async function pool(count, held) {
  const one = () => started(held).catch(() => []);
  return (await Promise.all(Array.from({ length: count }, one))).flat();
}

/**
 * Serves as a worker, where this file was started as one.
 * @param {(module: WebAssembly.Module) => Promise<(call: object) => [object, Transferable[]]>} open
 */
export function serve(open) {
  if (globalThis.name !== "sclbl" || globalThis.document || !globalThis.postMessage) return;
  let answer;
  globalThis.onmessage = async ({ data }) => {
    try {
      if (answer) {
        const [result, list] = answer(data);
        postMessage([result], list);
      } else {
        answer = await open(data);
        postMessage([]);
      }
    } catch (error) {
      const { code, message, row, column, input } = error;
      postMessage([null, [code ?? "program", message, row, column, input]]);
    }
  };
}
