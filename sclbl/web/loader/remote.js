import { refuse } from "./errors.js";
import { fromJson } from "./json.js";
import { inParts, judge } from "./local.js";
import { ask } from "./source.js";

/** Numbers, of rows or results, of one request: far below a server's limits. */
const NUMBERS = 2 ** 17;

/**
 * A function that asks a server to run methods on batches of rows.
 * @param {string} url what a method's name is put behind
 * @param {object} signature
 * @param {string} sha256 of the program that computes there
 * @param {object} options
 */
export const requester = (url, signature, sha256, options) => async (method, batch, signal) => {
  const { columns, inputs } = signature;
  const widths = [...inputs, ...signature.results(method)].map(({ width }) => width || 1);
  const size = Math.ceil(NUMBERS / Math.max(columns.length, ...widths));
  const answers = inParts(batch, size, signal, async ({ first, rows }) => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", body: batch.json(first, first + rows), headers, signal };
    try {
      const text = await ask(url + method, options, (said) => said.text(), init);
      try {
        return fromJson(signature, method, text, rows, sha256);
      } catch {
        refuse("request", `${url}${method} answered what is no prediction of these rows; ask who runs it`);
      }
    } catch (error) {
      // A server counts the rows of its request.
      const { row, message } = error;
      if (row != null) error.message = message.replace(`row ${row}`, `row ${(error.row += first)}`);
      throw error;
    }
  });
  try {
    return await answers;
  } catch (error) {
    signal.throwIfAborted();
    await judge(batch, size, signal);
    throw error;
  }
};
