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

/** Throws a `SclblError`. */
export const refuse = (code, message, row, column) => {
  throw new SclblError(code, message, row, column);
};

/** Refuses bytes that are no program of sclbl, or one that was altered. */
export const invalid = (why) =>
  refuse("invalid_program", `the program ${why}; fetch or compile it again`);
