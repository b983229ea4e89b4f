import { pause } from "./sha256.js";
import { LOST } from "./workers.js";

/** Milliseconds that a thread works before others have their turn. */
const TURN = 8;

/** A function that gives others their turn, where theirs has come. */
const turns = (signal) => {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < TURN) return;
    await pause();
    signal.throwIfAborted();
    since = performance.now();
  };
};

/**
 * Uses the rows of a batch as encoded parts, and returns what became of each.
 * @param {{rows: number, encode: (start: number, end: number) => object}} batch
 * @param {number} size most rows of a part
 * @param {AbortSignal} signal
 * @param {(part: object) => unknown} use
 */
export const inParts = async ({ rows, encode }, size, signal, use) => {
  const found = [];
  const turn = turns(signal);
  let start = 0;
  do {
    const part = encode(start, Math.min(rows, start + size));
    found.push(await use(part));
    start += part.rows;
    await turn();
  } while (start < rows);
  return found;
};

/**
 * A function that runs methods on batches of rows a part at a time, in workers where that pays.
 * @param {{chunk: number, call: (method: string, part: object) => object}} program
 * @param {object[]} workers
 */
export const runner = ({ chunk, call }, workers) => {
  /** Milliseconds that a row takes, by method. */
  const pace = {};

  return async (method, batch, signal) => {
    const { rows, encode } = batch;
    const timed = async (part, ask) => {
      const begin = performance.now();
      const result = await ask(method, part);
      pace[method] = (performance.now() - begin) / (part.rows || 1);
      return result;
    };
    // Once for the engine to make its code, once to see what a row takes.
    for (let i = 0; rows > 1 && !pace[method] && i < 2; i++) {
      await timed(encode(0, 1), call).catch(() => 0);
    }
    const row = pace[method] ?? 0;
    const threads = rows * row > 1 ? workers : [];
    const fair = Math.ceil(rows / (4 * threads.length || 1));
    const size = Math.max(1, Math.min(chunk, fair, TURN / row) | 0);
    const parts = await inParts(batch, size, signal, (part) => part);
    const todo = [...parts.keys()];
    const found = [];
    let refused;
    const work = async (ask, turn, thread) => {
      while (!refused && !thread?.gone && todo.length) {
        const k = todo.shift();
        try {
          found[k] = await timed(parts[k], ask);
        } catch (error) {
          if (error === LOST) todo.push(k);
          else refused = error;
        }
        await turn?.();
        signal.throwIfAborted();
      }
    };
    await Promise.all(threads.map((thread) => work(thread.ask, null, thread)));
    await work(call, turns(signal));
    // Which row is refused depends on those that a program sees with it.
    return refused ? inParts(batch, chunk, signal, (part) => call(method, part)) : found;
  };
};
