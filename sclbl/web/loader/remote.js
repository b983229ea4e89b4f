import { inParts } from "./local.js";
import { fromJson } from "./json.js";
import { ask } from "./source.js";

/** Numbers, of rows or results, of one request: far below a server's limits. */
const NUMBERS = 2 ** 17;

/**
 * A function that asks a server to run methods on batches of rows.
 * @param {string} url of the version
 * @param {object} signature
 * @param {object} options
 */
export function requester(url, signature, options) {
  const { columns, inputs } = signature;
  return (method, batch, signal) => {
    const widths = [...inputs, ...signature.results(method)].map(({ width }) => width || 1);
    const size = Math.ceil(NUMBERS / Math.max(columns.length, 1, ...widths));
    return inParts(batch, size, signal, async (part) => {
      const init = {
        method: "POST",
        body: batch.json(part.first, part.first + part.rows),
        headers: { "content-type": "application/json" },
        signal,
      };
      try {
        const to = `${url}/predict?method=${encodeURIComponent(method)}`;
        return fromJson(signature, method, await ask(to, options, (said) => said.text(), init));
      } catch (error) {
        // A server counts the rows of its request.
        const { row } = error;
        if (part.first && row != null) {
          error.row += part.first;
          error.message = error.message.replace(`row ${row}`, `row ${error.row}`);
        }
        throw error;
      }
    });
  };
}
