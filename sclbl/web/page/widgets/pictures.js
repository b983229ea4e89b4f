import { made } from "./asking.js";

/** Of a picture at most so many pixels are looked at, along each side; a larger one is shrunk. */
const LARGEST = 1024;

/**
 * The pixels of a picture file, on white: transparent parts are paper.
 *
 * @param {Blob} file
 * @param {boolean} square whether only the largest square in its middle is wanted
 * @returns {Promise<ImageData>}
 */
export const pixelsOf = async (file, square) => {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    const name = file.name ?? "this";
    throw new Error(`${name} is no picture that this browser reads; take a PNG, JPEG or WebP file`);
  }
  const width = square ? Math.min(picture.width, picture.height) : picture.width;
  const height = square ? width : picture.height;
  const shrunk = Math.min(1, LARGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * shrunk));
  canvas.height = Math.max(1, Math.round(height * shrunk));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  const left = Math.floor((picture.width - width) / 2);
  const top = Math.floor((picture.height - height) / 2);
  context.drawImage(picture, left, top, width, height, 0, 0, canvas.width, canvas.height);
  picture.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
};

/**
 * Red, green and blue of pixels, each as a plane.
 *
 * @param {ImageData} pixels
 */
export const planesOf = ({ data, width, height }) =>
  [0, 1, 2].map((channel) => {
    const plane = new Uint8Array(width * height);
    for (let k = 0; k < plane.length; k++) plane[k] = data[4 * k + channel];
    return plane;
  });

/** The brightness of red, green and blue (ITU-R 601), in bytes. */
export const greyOf = ([red, green, blue]) =>
  red.map((value, k) => (19595 * value + 38470 * green[k] + 7471 * blue[k] + 32768) >> 16);

/**
 * Shows planes of bytes in a canvas, pixel for pixel.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>[]} planes one, or three
 */
export const paint = (canvas, planes) => {
  const shown = new ImageData(canvas.width, canvas.height);
  for (let k = 0; k < canvas.width * canvas.height; k++) {
    for (let channel = 0; channel < 3; channel++) {
      shown.data[4 * k + channel] = planes[channel % planes.length][k];
    }
    shown.data[4 * k + 3] = 255;
  }
  canvas.getContext("2d").putImageData(shown, 0, 0);
};

/**
 * Calls `take` with files that are chosen in an input, dropped on an element, or pasted.
 *
 * @param {HTMLInputElement} input
 * @param {HTMLElement} place
 * @param {(file: File) => void} take
 */
export const openFiles = (input, place, take) => {
  input.accept = "image/*";
  const first = (list) => {
    const file = list?.files[0];
    if (file) take(file);
    return Boolean(file);
  };
  input.addEventListener("change", () => first(input));
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    first(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => {
    if (first(event.clipboardData)) event.preventDefault();
  });
};

/**
 * A field for a picture file.
 *
 * @param {string} label
 * @param {string} help
 * @returns {{input: HTMLInputElement, place: HTMLElement}}
 */
export const fileField = (label, help) => {
  const input = made("input", { id: "picture", type: "file", "aria-describedby": "picture-help" });
  const title = made("label", { for: "picture" }, label);
  const said = made("p", { id: "picture-help", class: "help" }, help);
  return { input, place: made("div", { class: "drop picture" }, title, input, said) };
};

/**
 * A place for the picture as the model sees it.
 *
 * @param {{width: number, height: number}} grid
 * @returns {{seen: HTMLCanvasElement, figure: HTMLElement}}
 */
export const openSeen = ({ width, height }) => {
  const label = "The picture as the model sees it";
  const seen = made("canvas", { class: "seen", width, height, role: "img", "aria-label": label });
  const said = `As the model sees it: ${width} × ${height}`;
  return { seen, figure: made("figure", {}, seen, made("figcaption", { class: "muted small" }, said)) };
};
