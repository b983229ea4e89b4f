import { pause } from "./sha256.js";

/** Milliseconds that a thread works before others have their turn. */
const TURN = 8;

/**
 * Uses the rows of a batch as encoded parts, and returns what becomes of each.
 * @param {{rows: number, encode: (start: number, end: number) => object}} batch
 * @param {number} size most rows of a part
 * @param {AbortSignal} signal
 * @param {(part: object) => Promise<object>} use
 * @param {number} [ahead] how many parts are under way at once
 */
export const inParts = async ({ rows, encode }, size, signal, use, ahead = 1) => {
  const found = [];
  let since = performance.now();
  let start = 0;
  do {
    const part = encode(start, Math.min(rows, start + size));
    const used = use(part);
    // The first one that fails is said; of others nothing is.
    used.catch(() => 0);
    start += part.rows;
    if (found.push(used) >= ahead) await found[found.length - ahead];
    if (performance.now() - since > TURN) {
      await pause();
      since = performance.now();
    }
    signal.throwIfAborted();
  } while (start < rows);
  return Promise.all(found);
};

/** Throws, of what the rows of a batch are refused for, what is said where they are read at once. */
export const judge = async ({ rows, encode }, size, signal) => {
  const faults = [];
  await inParts({ rows, encode: (start, end) => encode(start, end, faults) }, size, signal, async () => 0);
  if (faults[0]) throw faults.reduce((said, fault) => (fault.rank < said.rank ? fault : said));
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
    const here = async (part) => call(method, part);
    const first = async () => timed(here)(encode(0, 1));
    const timed = (use) => async (part) => {
      const begin = performance.now();
      const result = await use(part);
      pace[method] = (performance.now() - begin) / (part.rows || 1);
      return result;
    };
    /** Asks the worker that has least to do; another one where it is gone in between. */
    const spread = async (part) => {
      const [thread] = workers.filter(({ gone }) => !gone).sort((a, b) => a.load() - b.load());
      return thread ? ((await thread.ask(method, part)) ?? spread(part)) : here(part);
    };
    // What a row takes is not known before one was run.
    if (rows > 1 && !pace[method]) await first().catch(() => 0);
    const count = rows * pace[method] > 1 ? workers.length : 0;
    const fair = Math.ceil(rows / (4 * count || 1));
    const size = Math.max(1, Math.min(chunk, fair, TURN / (pace[method] || TURN / rows)) | 0);
    try {
      return await inParts(batch, size, signal, timed(count ? spread : here), 2 * count || 1);
    } catch (error) {
      signal.throwIfAborted();
      // Rows are refused before any is run, and then those that the program sees with them.
      await judge(batch, chunk, signal);
      await inParts(batch, chunk, signal, here);
      throw error;
    }
  };
};
