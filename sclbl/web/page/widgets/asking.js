/** @typedef {{model: object, manifest: object, show: Function, options: Record<string, any>}} Given */

/**
 * The method that a widget asks for: the one it was told, else probabilities where the model has
 * them, else its first.
 *
 * @param {Given} given
 */
export const methodOf = ({ model, options }) => {
  const wanted = [options.method, "predict_proba", "predict", model.methods[0]];
  return wanted.find((name) => model.methods.includes(name));
};

/**
 * A function that does `work` for the newest call only: while one runs, those that come wait, and
 * of them the last is done. What it throws is shown in place of an answer, after `failed`.
 *
 * @param {Given} given
 * @param {() => Promise<void>} work
 * @param {() => void} [failed] takes away what belongs to an older answer
 */
export const newest = ({ show }, work, failed = () => {}) => {
  let waiting = false;
  let busy = false;
  return async () => {
    waiting = true;
    if (busy) return;
    busy = true;
    while (waiting) {
      waiting = false;
      try {
        await work();
      } catch (error) {
        failed();
        show("", null, { error });
      }
    }
    busy = false;
  };
};

/**
 * An element with attributes and content.
 *
 * @param {string} name
 * @param {Record<string, unknown>} [attributes] a function is a listener of that event
 * @param {...(Node | string)} content
 */
export const made = (name, attributes = {}, ...content) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, String(value));
  }
  element.append(...content);
  return element;
};
