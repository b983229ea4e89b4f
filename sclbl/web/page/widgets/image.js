import { methodOf, newest } from "./asking.js";
import { averaged, bytes, gridOf, rowsOf } from "./grid.js";
import { fileField, greyOf, openFiles, openSeen, paint, pixelsOf, planesOf } from "./pictures.js";

/** The planes of a picture: its middle, where the model takes a square, each pixel the mean of its area. */
const fitted = async (file, { width, height, channels }) => {
  const pixels = await pixelsOf(file, width === height);
  const raster = { left: 0, top: 0, across: pixels.width / width, down: pixels.height / height };
  const planes = planesOf(pixels);
  const small = planes.map((plane) => bytes(averaged(plane, pixels, raster, { width, height })));
  return channels === 1 ? [greyOf(small)] : small;
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
};
