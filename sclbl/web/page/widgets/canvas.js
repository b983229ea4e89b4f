import { made, methodOf, newest } from "./asking.js";
import { averaged, bytes, gridOf, rowsOf } from "./grid.js";
import { fileField, greyOf, openFiles, openSeen, paint, pixelsOf } from "./pictures.js";

/** Pixels of the drawing along each side; a stroke is as wide as a pen's in MNIST's digits. */
const SIDE = 280;
const STROKE = 22;
/** Of a drawing the ink fills so much of the model's picture: 20 of 28 pixels, as in MNIST. */
const FILLED = 20 / 28;
/** A drawing smaller than this part of the canvas is not made larger than one of this part. */
const SMALLEST = 1 / 4;
/** Of a larger picture file the browser makes one with so many pixels along its longer side. */
const MOST = 512;

/** Where the ink lies: its box and its centre of mass; null where there is none. */
const inkOf = (plane, { width, height }) => {
  let total = 0;
  const sum = { x: 0, y: 0 };
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ink = plane[y * width + x];
      if (!ink) continue;
      total += ink;
      sum.x += ink * (x + 0.5);
      sum.y += ink * (y + 0.5);
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return total ? { ...box, x: sum.x / total, y: sum.y / total } : null;
};

/**
 * Ink as the model's picture: as large as FILLED says and its centre of mass in the middle, or the
 * whole canvas where `fit` is "none". Null where nothing is drawn.
 */
const centred = (plane, size, { width, height }, fit) => {
  const ink = inkOf(plane, size);
  if (!ink) return null;
  const least = SMALLEST * Math.max(size.width, size.height);
  const most = Math.max(ink.right - ink.left, ink.bottom - ink.top, least);
  const step = most / (FILLED * Math.min(width, height));
  const raster =
    fit === "none"
      ? { left: 0, top: 0, across: size.width / width, down: size.height / height }
      : { left: ink.x - (step * width) / 2, top: ink.y - (step * height) / 2, across: step, down: step };
  return bytes(averaged(plane, size, raster, { width, height }));
};

/** The ink on a picture of paper, whichever of the two is dark: 0 where there is paper, 255 at most. */
const inkOn = (grey, { width, height }) => {
  const edge = [];
  for (let x = 0; x < width; x++) edge.push(grey[x], grey[x + width * (height - 1)]);
  for (let y = 0; y < height; y++) edge.push(grey[y * width], grey[y * width + width - 1]);
  const paper = edge.sort((a, b) => a - b)[edge.length >> 1];
  const ink = new Float64Array(grey.length);
  let most = 0;
  for (let k = 0; k < ink.length; k++) {
    ink[k] = Math.abs(grey[k] - paper);
    most = Math.max(most, ink[k]);
  }
  // Shadows and the grain of paper are no ink.
  for (let k = 0; k < ink.length; k++) ink[k] = ink[k] > most / 4 ? (255 * ink[k]) / most : 0;
  return ink;
};

/** Draws lines where a mouse, a finger or a pen goes; calls `changed` for each. */
const openDrawing = (canvas, changed) => {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = STROKE;
  const pens = new Map();
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * SIDE) / box.width;
    const y = ((event.clientY - box.top) * SIDE) / box.height;
    return { x, y };
  };
  const line = (event) => {
    const from = pens.get(event.pointerId);
    const to = at(event);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    pens.set(event.pointerId, to);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    pens.set(event.pointerId, at(event));
    line(event);
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pens.has(event.pointerId)) return;
    // Between two frames a pen goes through several points.
    const points = event.getCoalescedEvents?.() ?? [];
    for (const point of points.length ? points : [event]) line(point);
    changed();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => pens.delete(event.pointerId));
  }
  return {
    clear: () => context.clearRect(0, 0, SIDE, SIDE),
    // Ink is what is not transparent: its colour is the page's affair.
    read: () => {
      const { data } = context.getImageData(0, 0, SIDE, SIDE);
      const ink = new Uint8Array(SIDE * SIDE);
      for (let k = 0; k < ink.length; k++) ink[k] = data[4 * k + 3];
      return ink;
    },
  };
};

/** A picture file: as it is where it has the model's size, else its ink, centred. */
const planeOfFile = async (file, grid, fit) => {
  const pixels = await pixelsOf(file, MOST, false);
  const { data } = pixels;
  const grey = new Uint8Array(pixels.width * pixels.height);
  for (let k = 0; k < grey.length; k++) grey[k] = greyOf(data[4 * k], data[4 * k + 1], data[4 * k + 2]);
  if (pixels.width === grid.width && pixels.height === grid.height) return grey;
  return centred(inkOn(grey, pixels), pixels, grid, fit);
};

/**
 * A canvas to draw on, or a picture file of a drawing; what the model sees of it, and what it says.
 *
 * @param {HTMLElement} element
 * @param {import("./asking.js").Given} given
 */
export const mount = (element, given) => {
  const { model, manifest, show, options } = given;
  const grid = gridOf(manifest.signature, options);
  const method = methodOf(given);
  const canvas = made("canvas", {
    id: "drawing",
    class: "drawing",
    width: SIDE,
    height: SIDE,
    role: "img",
    "aria-label": "Draw here with a mouse, a finger or a pen. With a keyboard, give a picture file instead.",
  });
  const { seen, figure } = openSeen(grid);
  const { input, place } = fileField(
    "Picture file",
    `Dark on light or light on dark, any size; one of ${grid.width} × ${grid.height} pixels is ` +
      "taken as it is. It stays on your machine.",
  );
  let file = null;
  const ask = newest(given, async () => {
    const plane = file
      ? await planeOfFile(file, grid, options.fit)
      : centred(drawing.read(), { width: SIDE, height: SIDE }, grid, options.fit);
    paint(seen, [plane ?? new Uint8Array(grid.width * grid.height)]);
    if (!plane) return show(method, null, { note: options.prompt ?? "Nothing is drawn yet." });
    show(method, await model.run(method, rowsOf([plane], grid, options)), options);
  });
  const take = (chosen) => {
    file = chosen;
    if (!file) input.value = "";
    ask();
  };
  const drawing = openDrawing(canvas, () => take(null));
  const clear = () => {
    drawing.clear();
    take(null);
  };
  openFiles(input, element, (chosen) => {
    drawing.clear();
    take(chosen);
  });
  const button = made("button", { type: "button", class: "quiet", click: clear }, "Clear");
  element.append(
    made("p", { class: "drawing-title" }, options.label ?? "Draw here"),
    made("div", { class: "sketch" }, canvas, made("div", { class: "beside" }, button, figure)),
    made("details", {}, made("summary", {}, options.file ?? "Or give a picture of it"), place),
  );
  return ask();
};
