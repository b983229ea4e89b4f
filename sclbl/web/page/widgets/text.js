import { made, methodOf, newest } from "./asking.js";

const WORD = /[\p{L}\p{M}\p{N}_'’]+/gu;
/** Of longer texts the first words are weighed: each is a row of its own. */
const MOST = 1000;
/** So many words are listed, those that matter most. */
const LISTED = 5;
/** A move of this much has the strongest colour. */
const STRONG = 0.25;

/** What is asked: the text, then the text without each of its words. */
const variantsOf = (text) => {
  const words = Array.from(text.matchAll(WORD)).slice(0, MOST);
  const without = ({ index, 0: word }) => text.slice(0, index) + text.slice(index + word.length);
  return { words, rows: [text, ...words.map(without)].map((one) => [one]) };
};

/** Which number of a row is followed: its place (null where a row is one number) and its name. */
const followedIn = (row, labels, wanted) => {
  if (!Array.isArray(row)) return { place: null, name: "the prediction" };
  const asked = labels.indexOf(wanted);
  const place = asked >= 0 ? asked : row.length === 2 ? 1 : row.indexOf(Math.max(...row));
  return { place, name: String(labels[place] ?? place) };
};

const isNumbers = (row) => [row].flat().every((one) => typeof one === "number");

const signed = (value, share) => {
  const text = (share ? 100 * value : value).toFixed(share ? 1 : 3);
  return `${value >= 0 ? "+" : "−"}${text.replace("-", "")}${share ? " points" : ""}`;
};

/** The text again, each word coloured by how far it moves the number. */
const coloured = (text, words, moves, said) => {
  const place = made("p", { class: "weighed", dir: "auto" });
  let end = 0;
  words.forEach(({ index, 0: word }, k) => {
    const way = moves[k] < 0 ? "down" : "up";
    const mark = made("span", { class: `word ${way}`, title: said(moves[k]) }, word);
    mark.style.setProperty("--much", Math.min(1, Math.abs(moves[k]) / STRONG).toFixed(3));
    mark.dataset.moves = String(moves[k]);
    place.append(text.slice(end, index), mark);
    end = index + word.length;
  });
  place.append(text.slice(end));
  return place;
};

/** The words that matter most, as a table: colours alone tell not everyone. */
const listed = (words, moves, said, name) => {
  // What reads as no move at all matters to nobody.
  const order = moves.map((_, k) => k).filter((k) => /[1-9]/.test(said(moves[k])));
  order.sort((a, b) => Math.abs(moves[b]) - Math.abs(moves[a]));
  if (!order.length) return [];
  const isolated = (text) => made("bdi", {}, text);
  const lines = order.slice(0, LISTED).map((k) => {
    const word = made("th", { scope: "row" }, isolated(words[k][0]));
    return made("tr", {}, word, made("td", {}, said(moves[k])));
  });
  const titles = ["Word", isolated(name)].map((title) => made("th", { scope: "col" }, title));
  const caption = made("caption", { class: "hidden" }, "The words that matter most");
  const head = made("thead", {}, made("tr", {}, ...titles));
  return [made("table", { class: "moves" }, caption, head, made("tbody", {}, ...lines))];
};

/** Whether the model takes one text and nothing beside it. */
const takesText = ({ columns, inputs = [] }) => {
  const [count, kind] = Array.isArray(columns) ? [columns.length, columns[0]?.[1]] : [columns.count, columns.kind];
  return count === 1 && kind === "text" && inputs.every((given) => given.kind === "parameter");
};

/**
 * A text to type: what the model says of it, and each word coloured by how far the number moves when
 * the same program is asked without it.
 *
 * @param {HTMLElement} element
 * @param {import("./asking.js").Given} given
 */
export const mount = (element, given) => {
  const { model, manifest, show, options } = given;
  const { signature } = manifest;
  if (!takesText(signature)) throw new Error("This model does not take one text. Take the form.");
  const method = methodOf(given);
  const own = method === "predict_proba" ? signature.outputs.predict?.labels?.[0] : undefined;
  const labels = options.labels ?? own ?? [];
  const box = made("textarea", { id: "text", rows: 3, dir: "auto", "aria-describedby": "text-help" });
  box.value = options.example ?? "";
  const weighed = made("div", { class: "words", role: "group", "aria-label": "What each word does" });

  const weigh = (text, words, [whole, ...others]) => {
    const { place, name } = followedIn(whole, labels, options.follow);
    const numberOf = (row) => (place === null ? row : row[place]);
    const moves = others.map((row) => numberOf(whole) - numberOf(row));
    const said = (move) => signed(move, method === "predict_proba");
    const help = made(
      "p",
      { class: "help" },
      "How far each word moves ",
      made("bdi", {}, name),
      ": the same program is asked again without it.",
      words.length === MOST ? ` Of this text the first ${MOST} words are weighed.` : "",
    );
    weighed.replaceChildren(coloured(text, words, moves, said), help, ...listed(words, moves, said, name));
  };

  const ask = newest(
    given,
    async () => {
      const text = box.value;
      const { words, rows } = variantsOf(text);
      const answer = await model.run(method, rows);
      if (isNumbers(answer.values[0])) weigh(text, words, answer.values);
      else weighed.replaceChildren(); // a label does not move by degrees
      show(method, answer, options);
    },
    () => weighed.replaceChildren(),
  );
  box.addEventListener("input", ask);
  const help = "The prediction follows what you type. It stays on your machine.";
  element.append(
    made("p", { class: "field" }, made("label", { for: "text" }, options.label ?? "Text"), box),
    made("p", { id: "text-help", class: "help" }, help),
    weighed,
  );
  return ask();
};
