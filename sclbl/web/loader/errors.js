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

/** What to do about each kind of refusal. */
const REMEDIES = {
  shape: "give a list of objects or of lists, an object of columns, or a typed array",
  columns: "give the model's own, each once, with null where a value is missing",
  dtype: "give such values, or compile the model with an example that holds these",
  parameter: "give one that it has",
  missing_value: "fill it in, leave the row out, or fit a model that takes missing values",
  unknown_category: "correct the value, or fit a model that takes unknown categories",
  limit: "give fewer rows a call",
  invalid_program: "fetch or compile it again",
  program: "fetch or compile it again",
};

/** Throws a `SclblError`: what failed, and what to do. */
export const refuse = (code, what, row, column) => {
  throw new SclblError(code, `${what}; ${REMEDIES[code] ?? "correct the value, or leave the row out"}`, row, column);
};
