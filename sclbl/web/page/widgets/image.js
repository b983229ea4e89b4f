import { methodOf, newest } from "./asking.js";
import { averaged, bytes, gridOf, rowsOf } from "./grid.js";
import { fileField, greyOf, openFiles, openSeen, paint, pixelsOf } from "./pictures.js";

/** Of a larger picture the browser makes one with so many pixels along its longer side. */
const MOST = 1024;

/** The planes of a picture: its middle, where the model takes a square, each pixel the mean of its area. */
const fitted = async (file, { width, height, channels }) => {
  const pixels = await pixelsOf(file, MOST, width === height);
  const size = { width: pixels.width, height: pixels.height, step: 4 };
  const raster = { left: 0, top: 0, across: size.width / width, down: size.height / height };
  const planes = [0, 1, 2].map((begin) =>
    bytes(averaged(pixels.data, { ...size, begin }, raster, { width, height })),
  );
  const [red, green, blue] = planes;
  return channels === 1 ? [red.map((value, k) => greyOf(value, green[k], blue[k]))] : planes;
};

/**
 * A place for a picture file, in any size: what the model sees of it, and what it says.
 *
 * @param {HTMLElement} element
 * @param {import("./asking.js").Given} given
 */
export const mount = (element, given) => {
  const { model, manifest, show, options } = given;
  const grid = gridOf(manifest.signature, options);
  const method = methodOf(given);
  const { seen, figure } = openSeen(grid);
  figure.hidden = true;
  const help = "Choose a file, drop it here, or paste it. Its middle is taken; it stays on your machine.";
  const { input, place } = fileField(options.label ?? "Picture", help);
  let file;
  const ask = newest(given, async () => {
    const planes = await fitted(file, grid);
    paint(seen, planes);
    figure.hidden = false;
    show(method, await model.run(method, rowsOf(planes, grid, options)), options);
  }, () => (figure.hidden = true));
  openFiles(input, element, (chosen) => {
    file = chosen;
    ask();
  });
  element.append(place, figure);
  show(method, null, { note: "Choose a picture, and the answer stands here." });
};
