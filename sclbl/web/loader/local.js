import { pause } from "./sha256.js";

/** Milliseconds that a thread works before others have their turn. */
const TURN = 8;
/** Milliseconds after which it is known what a row takes. */
const SAMPLE = 2;

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
    /** Runs a part in this thread, and notes what a row took. */
    const here = async (part) => {
      const begin = performance.now();
      const result = call(method, part);
      pace[method] = (performance.now() - begin) / (part.rows || 1);
      return result;
    };
    /** Asks the worker that has least to do; another one where it is gone in between. */
    const spread = async (part) => {
      const [thread] = workers.filter(({ gone }) => !gone).sort((a, b) => a.load() - b.load());
      return thread ? ((await thread.ask(method, part)) ?? spread(part)) : here(part);
    };
    /** Learns what a row takes: one is run, then more while that takes no time. */
    const learn = async () => {
      for (let some = 1; some <= Math.min(rows, chunk); some *= 4) {
        await here(encode(0, some));
        if (pace[method] * some > SAMPLE) break;
      }
    };
    if (rows > 1 && !(method in pace)) await learn().catch(() => 0);
    // What is done in two turns is not worth a message.
    const count = rows * pace[method] > 2 * TURN ? workers.length : 0;
    const fair = Math.ceil(rows / (4 * count || 1));
    const size = Math.max(1, Math.min(chunk, fair, TURN / (pace[method] || TURN / rows)) | 0);
    try {
      return await inParts(batch, size, signal, count ? spread : here, 2 * count || 1);
    } catch (error) {
      signal.throwIfAborted();
      // Rows are refused before any is run, and then those that the program sees with them.
      await judge(batch, chunk, signal);
      await inParts(batch, chunk, signal, here);
      throw error;
    }
  };
};
