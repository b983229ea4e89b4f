import { made } from "./asking.js";


/**
 * The pixels of a picture file, on white: transparent parts are paper.
 *
 * @param {Blob} file
 * @param {number} most pixels along each side; the browser shrinks a picture that has more
 * @param {boolean} square whether only the largest square in its middle is wanted
 * @returns {Promise<ImageData>}
 */
export const pixelsOf = async (file, most, square) => {
  const whole = await createImageBitmap(file).catch(() => {
    const name = file.name ?? "this";
    throw new Error(`${name} is no picture that this browser reads; take a PNG, JPEG or WebP file`);
  });
  const side = Math.min(whole.width, whole.height);
  const [width, height] = square ? [side, side] : [whole.width, whole.height];
  const left = Math.floor((whole.width - width) / 2);
  const top = Math.floor((whole.height - height) / 2);
  const shrunk = Math.min(1, most / Math.max(width, height));
  const size = {
    resizeWidth: Math.max(1, Math.round(width * shrunk)),
    resizeHeight: Math.max(1, Math.round(height * shrunk)),
    resizeQuality: "high",
  };
  // Not by drawing it smaller: of a large photo that would hold up the page.
  const part = await createImageBitmap(whole, left, top, width, height, shrunk < 1 ? size : {});
  const canvas = document.createElement("canvas");
  canvas.width = part.width;
  canvas.height = part.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(part, 0, 0);
  whole.close();
  part.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
};

/** The brightness of red, green and blue (ITU-R 601), in bytes. */
export const greyOf = (red, green, blue) => (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;

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
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(shown, 0, 0);
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
