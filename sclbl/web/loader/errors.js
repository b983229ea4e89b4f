/** The one kind of error that the loader throws on purpose. */
export class SclblError extends Error {
  /**
   * @param {string} code stable, the same as in Python and over REST
   * @param {string} message what failed, on which object, what to do next
   * @param {number | null} [row] the first offending row, counted from 0
   * @param {string | null} [column] its name, or its position as text
   * @param {string | null} [input] the name of the input, where the model has several
   */
  constructor(code, message, row = null, column = null, input = null) {
    super(message);
    Object.assign(this, { name: "SclblError", code, row, column, input });
  }
}

/** Puts a refusal behind others: the least is said. */
export const rank = (error, more) => Object.defineProperty(error, "rank", { value: (error.rank ?? 0) + more, configurable: true });

/** What to do about refusals whose messages do not say it. */
const REMEDIES = {
  shape: "give rows as objects, lists, columns or a typed array",
  columns: "give each of the model's, null where a value is missing",
  dtype: "give values of that type",
  limit: "give fewer rows a call",
  program: "fetch or compile it again",
  invalid_program: "fetch or compile it again",
};

/**
 * Throws a `SclblError`.
 *
 * @param {string} code
 * @param {string} what what failed; and, behind a semicolon, what to do, where the code does not say
 * @param {number | null} [row]
 * @param {string | null} [column]
 * @param {number} [at] of several refusals the one with the least is said
 * @returns {never}
 */
export const refuse = (code, what, row, column, at = 0) => {
  const remedy = REMEDIES[code] ?? (/_value|_cat|out_/.test(code) ? "correct the value, or leave the row out" : "");
  throw rank(new SclblError(code, !remedy || what.includes("; ") ? what : `${what}; ${remedy}`, row, column), at);
};
