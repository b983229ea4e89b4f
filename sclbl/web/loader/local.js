import { pause } from "./sha256.js";
import { LOST } from "./workers.js";

/** Milliseconds that a thread works before others have their turn. */
const TURN = 8;

/**
 * Rows of a batch as encoded parts; the page has its turn between them.
 * @param {{rows: number, encode: (start: number, end: number) => object}} batch
 * @param {number} size most rows of a part
 * @param {AbortSignal} signal
 * @param {(part: object) => unknown} use what is done with each part
 */
export async function inParts({ rows, encode }, size, signal, use) {
  const found = [];
  let since = performance.now();
  let start = 0;
  do {
    const part = encode(start, Math.min(rows, start + size));
    found.push(await use(part));
    start += part.rows;
    if (performance.now() - since > TURN) {
      await pause();
      signal.throwIfAborted();
      since = performance.now();
    }
  } while (start < rows);
  return found;
}

/**
 * A function that runs methods on batches of rows: at once where they take little, else a part at
 * a time, in workers where there are any.
 * @param {object} program
 * @param {object[]} workers
 */
export function runner(program, workers) {
  /** Milliseconds that a row takes, by method. */
  const pace = {};
  const { chunk } = program;

  return async (method, batch, signal) => {
    const { rows } = batch;
    const timed = async (part, ask) => {
      const begin = performance.now();
      const result = await ask(method, part);
      pace[method] = (performance.now() - begin) / (part.rows || 1);
      return result;
    };
    const here = { ask: program.call };
    // Once to make the code of the program, once to see what a row takes.
    for (let i = 0; rows > 1 && !pace[method] && i < 2; i++) {
      try {
        await timed(batch.encode(0, 1), here.ask);
      } catch {}
    }
    const known = pace[method] ?? 0;
    let size = Math.max(1, Math.min(chunk, TURN / (known || TURN), rows)) | 0;
    const brief = rows * known <= (workers.length ? 1 : TURN);
    if (workers.length) size = Math.min(size, Math.ceil(rows / workers.length / 4));
    const parts = await inParts(batch, brief ? chunk : size, signal, (part) => part);
    const found = [];
    let todo = [...parts.keys()];
    let failed = false;
    const work = async (thread) => {
      for (; !failed && !thread.gone && todo.length; signal.throwIfAborted()) {
        const k = todo.shift();
        try {
          found[k] = await timed(parts[k], thread.ask);
        } catch (error) {
          if (error === LOST) todo.push(k);
          else failed = true;
        }
        if (thread === here && !brief) await pause();
      }
    };
    if (!brief) await Promise.all(workers.map(work));
    await work(here);
    // Which row is refused depends on those that a program sees with it.
    return failed ? inParts(batch, chunk, signal, (part) => here.ask(method, part)) : found;
  };
}
