import { openBatch } from "./batch.js";
import { openForm } from "./form.js";
import { draw } from "./show.js";

/** How long typing may pause before an answer that takes its time is asked for, in ms. */
const PAUSE = 250;
/** Answers that take longer than this are not asked for the sake of the form alone. */
const QUICK = 20;

const find = (id) => document.getElementById(id);

/** What goes with a prediction, where it is shown. */
const placeOf = ({ where, why, ms, sha256 }) => {
  const time = ms < 1 ? "less than a millisecond" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const place = where === "local" ? "here, in this page" : `by the server${why ? ` (${why})` : ""}`;
  return `Computed ${place}, in ${time}, by program ${sha256.slice(0, 16)}.`;
};

/** Names the server in the code as the browser knows it: behind a proxy it has another address. */
const nameServer = ({ server }) => {
  if (!server) return;
  const own = new URL("..", location.href).href.replace(/\/$/, "");
  for (const code of document.querySelectorAll("pre code")) {
    if (code.id) code.textContent = code.textContent.replaceAll(server, own);
  }
};

/** Copies code where it is asked for; says that it did. */
const openCopies = () => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) {
      button.hidden = true; // a page on plain http may not write to the clipboard
      continue;
    }
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(find(button.dataset.copy).textContent);
      button.firstChild.data = "Copied";
      setTimeout(() => (button.firstChild.data = "Copy"), 2000);
    });
  }
};

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** What the loader is told to load: bytes in the page, a program's URL, or the server's own. */
const sourceOf = (data) => {
  const inside = find("program");
  if (inside) return [bytesOf(inside.textContent), { sha256: data.sha256 }];
  if (data.program) return [new URL(data.program, document.baseURI), { sha256: data.sha256 }];
  return [new URL(data.deployment, document.baseURI), {}];
};

/** The place of answers: it shows the newest one, or why there is none, and never both. */
const openAnswer = (model) => {
  const answer = find("answer");
  const where = find("where");
  const clear = () => {
    answer.replaceChildren();
    where.textContent = "";
    answer.removeAttribute("aria-busy");
    answer.classList.remove("waiting");
  };
  const say = (text, className = "refused") => {
    clear();
    const said = document.createElement("p");
    said.className = className;
    said.textContent = text;
    answer.append(said);
  };
  const show = (method, found, options = {}) => {
    if (!found && options.note) return say(options.note, "muted");
    if (!found) return say(options.error?.message ?? options.error ?? "No prediction.");
    clear();
    draw(answer, model.manifest.signature, found, options);
    where.textContent = placeOf(found);
  };
  const wait = () => answer.classList.add("waiting");
  return { clear, say, show, wait };
};

/** Predicts as the form is filled in. */
const openTrying = (data, model, place) => {
  const select = find("method");
  let asked = 0;
  let timer;
  let took = 0;

  const ask = async () => {
    const mine = ++asked;
    const method = select ? select.value : data.method;
    const given = form.read();
    if (!given) return place.say("No prediction: see the field that is marked.");
    const taken = model.manifest.signature.outputs[method].parameters ?? [];
    const parameters = Object.fromEntries(Object.entries(given.parameters).filter(([name]) => taken.includes(name)));
    const methods = method === "predict" && model.methods.includes("predict_proba") ? [method, "predict_proba"] : [method];
    try {
      const found = [];
      for (const name of methods) found.push(await model.run(name, given.rows, { parameters }));
      if (mine !== asked) return;
      place.show(method, found[0]);
      took = found[0].ms;
      if (found[1]) draw(find("answer"), model.manifest.signature, found[1]);
    } catch (error) {
      if (mine !== asked) return;
      if (form.blame(error)) place.say("No prediction: see the field that is marked.");
      else place.say(error.message);
    }
  };

  const changed = () => {
    clearTimeout(timer);
    asked++;
    if (!form.read()) return place.say("No prediction: see the field that is marked.");
    place.wait();
    timer = setTimeout(ask, took < QUICK ? 0 : PAUSE);
  };

  const form = openForm(find("form"), data.form, changed);
  select?.addEventListener("change", changed);

  /** Whether the program refuses the row of the form with another value in one column. */
  const refused = (row, method) => async (column, value) => {
    const other = Object.assign([...row], { [column]: value });
    try {
      await model.run(method, [other]);
    } catch {
      return true;
    }
    return false;
  };

  const begin = async () => {
    await ask();
    const given = form.read();
    const alone = data.form.every((field) => field.role === "column");
    if (model.where !== "local" || !given || !alone || took > QUICK) return;
    const method = select ? select.value : data.method;
    try {
      await model.run(method, given.rows);
    } catch {
      return; // from a row that is refused nothing can be learned
    }
    await form.narrow(refused(given.rows[0], method));
  };
  return begin();
};

/**
 * Starts the page.
 *
 * @param {Function} load of the loader
 * @param {(name: string) => Promise<{mount: Function}>} widgetOf
 */
export const start = async (load, widgetOf) => {
  const data = JSON.parse(find("sclbl").textContent);
  nameServer(data);
  openCopies();
  let model;
  try {
    model = await load(...sourceOf(data));
  } catch (error) {
    return openAnswer().say(error.message);
  }
  const place = openAnswer(model);
  if (find("batch")) openBatch(data, model, () => (find("method") ? find("method").value : data.method));
  if (!data.widget) return openTrying(data, model, place);
  const { mount } = await widgetOf(data.widget);
  place.clear();
  const { manifest } = model;
  try {
    await mount(find("widget"), { model, manifest, show: place.show, options: data.options });
  } catch (error) {
    place.say(error.message);
  }
};
