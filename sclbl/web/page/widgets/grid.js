/**
 * How a model takes a picture.
 *
 * @typedef {object} Grid
 * @property {number} channels 1 (grey) or 3 (red, green, blue)
 * @property {number} height
 * @property {number} width
 * @property {boolean} last whether the channels are the last axis
 * @property {string | null} input the name of the input; null for the table
 * @property {boolean} single whether its numbers are float32
 */

const CHANNELS = [1, 3];

/** Height, width and channels of axes, or null where they are no picture's. */
const axesOf = (shape) => {
  let axes = shape;
  while (axes.length > 3 && axes[0] === 1) axes = axes.slice(1);
  const [a, b, c] = axes;
  if (axes.length === 2) return { channels: 1, height: a, width: b, last: false };
  if (axes.length !== 3) return null;
  if (CHANNELS.includes(a)) return { channels: a, height: b, width: c, last: false };
  if (CHANNELS.includes(c)) return { channels: c, height: a, width: b, last: true };
  return null;
};

/** The axes of a square picture of so many numbers. */
const squareOf = (count) => {
  for (const channels of CHANNELS) {
    const side = Math.sqrt(count / channels);
    if (Number.isInteger(side)) return [channels, side, side];
  }
  return [count];
};

/**
 * How the model takes a picture: by the shape of its only input, or as `options.shape` says.
 *
 * @param {object} signature of the manifest
 * @param {{shape?: number[]}} options
 * @returns {Grid}
 */
export const gridOf = (signature, options) => {
  const { columns: listed } = signature;
  const [columns, kind] = Array.isArray(listed) ? [listed.length, listed[0]?.[1]] : [listed.count, listed.kind];
  const beside = (signature.inputs ?? []).filter((given) => given.kind !== "parameter");
  if (beside.length + (columns ? 1 : 0) !== 1) {
    throw new Error("A picture is one input; this model takes several. Take the form.");
  }
  const shape = columns ? (signature.shape ?? [columns]) : beside[0].shape;
  const axes = axesOf(options.shape ?? (shape.length === 1 ? squareOf(shape[0]) : shape));
  const count = shape.reduce((product, length) => product * length, 1);
  if (!axes || axes.channels * axes.height * axes.width !== count) {
    throw new Error(`Rows of ${shape.join(" by ")} values are no picture; say its axes in the option shape.`);
  }
  const single = (columns ? kind : beside[0].dtype) === "float32";
  return { ...axes, single, input: columns ? null : beside[0].name };
};

/** The number of a channel, where all have one or each has its own. */
const ofChannel = (given, channel) => (Array.isArray(given) ? given[channel] : given);

/**
 * The rows of a call with one picture: of each byte `(byte / scale - mean) / std`, as the nearest
 * number of the input's type.
 *
 * @param {ArrayLike<number>[]} planes the bytes of each channel, row by row
 * @param {Grid} grid
 * @param {{scale?: number, mean?: number | number[], std?: number | number[]}} options
 */
export const rowsOf = (planes, grid, { scale = 255, mean = 0, std = 1 }) => {
  const size = grid.height * grid.width;
  const Values = grid.single ? Float32Array : Float64Array;
  const rows = new Values(size * grid.channels);
  for (let channel = 0; channel < grid.channels; channel++) {
    const plane = planes[channel % planes.length];
    for (let k = 0; k < size; k++) {
      const at = grid.last ? k * grid.channels + channel : channel * size + k;
      rows[at] = (plane[k] / scale - ofChannel(mean, channel)) / ofChannel(std, channel);
    }
  }
  return grid.input === null ? rows : { [grid.input]: rows };
};

/**
 * The mean of pixels over each cell of a raster: every pixel counts by the area that it shares with
 * the cell. Beyond them lies 0.
 *
 * @param {ArrayLike<number>} values
 * @param {{width: number, height: number, begin?: number, step?: number}} size of the picture; where
 *   its first pixel stands among the values, and how far the next one is from there
 * @param {{left: number, top: number, across: number, down: number}} raster where the first cell
 *   begins, and how large a cell is, in pixels
 * @param {{width: number, height: number}} cells
 * @returns {Float64Array}
 */
export const averaged = (values, size, raster, cells) => {
  const { begin = 0, step = 1 } = size;
  const columns = sharesOf(size.width, raster.left, raster.across, cells.width);
  const rows = sharesOf(size.height, raster.top, raster.down, cells.height);
  // First along each line, then down: the work of a picture, not of a picture for every cell.
  const lines = new Float64Array(cells.width * size.height);
  for (let y = 0; y < size.height; y++) {
    for (let i = 0; i < cells.width; i++) {
      lines[y * cells.width + i] = weighed(values, begin + y * size.width * step, step, columns[i]);
    }
  }
  const found = new Float64Array(cells.width * cells.height);
  for (let j = 0; j < cells.height; j++) {
    for (let i = 0; i < cells.width; i++) {
      found[j * cells.width + i] = weighed(lines, i, cells.width, rows[j]) / (raster.across * raster.down);
    }
  }
  return found;
};

const weighed = (values, begin, step, { first, shares }) => {
  let sum = 0;
  for (let k = 0; k < shares.length; k++) sum += shares[k] * values[begin + (first + k) * step];
  return sum;
};

/** For each cell of a line: the first pixel in it, and how much of that and of the next ones is. */
const sharesOf = (length, begin, step, count) =>
  Array.from({ length: count }, (_, i) => {
    const low = Math.max(begin + i * step, 0);
    const high = Math.min(begin + (i + 1) * step, length);
    const first = Math.floor(low);
    const shares = [];
    for (let k = first; k < high; k++) shares.push(Math.min(k + 1, high) - Math.max(k, low));
    return { first, shares };
  });

/** Values as bytes: half is rounded up. */
export const bytes = (values) => Uint8ClampedArray.from(values, (value) => Math.floor(value + 0.5));
