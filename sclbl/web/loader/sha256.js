/** @param {number} ms */
const rest = (ms) => new Promise((done) => setTimeout(done, ms));

/** Lets the page do what waits: a task ends here and another goes on. */
export const pause = () => globalThis.scheduler?.yield?.() ?? rest(0);

/**
 * The SHA-256 of bytes, as 64 hex digits. Pages without a secure context (plain http on a private
 * network) have no `crypto.subtle`: there it is computed here.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 */
export async function sha256(bytes) {
  const subtle = globalThis.crypto?.subtle;
  const words = subtle
    ? new DataView(await subtle.digest("SHA-256", bytes))
    : await computed(bytes);
  let hex = "";
  for (let at = 0; at < 32; at += 4) hex += words.getUint32(at).toString(16).padStart(8, "0");
  return hex;
}

/** SHA-256 (FIPS 180-4) of bytes; a page is left to answer after each MiB. */
async function computed(bytes) {
  // The fractions of the roots of the first primes.
  const start = [];
  const constants = [];
  for (let n = 2; constants.length < 64; n++) {
    let divisor = 2;
    while (n % divisor) divisor++;
    if (divisor === n) {
      start.push(n ** (1 / 2) * 2 ** 32);
      constants.push(n ** (1 / 3) * 2 ** 32);
    }
  }
  const hash = Int32Array.from(start.slice(0, 8), (x) => x | 0);
  const size = bytes.length;
  const padded = new Uint8Array(((size + 72) >> 6) << 6);
  padded.set(bytes);
  padded[size] = 0x80;
  const message = new DataView(padded.buffer);
  message.setUint32(padded.length - 8, size / 2 ** 29);
  message.setUint32(padded.length - 4, size << 3);
  const turn = (x, by) => (x >>> by) | (x << (32 - by));
  const w = new Int32Array(64);
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      if (i < 16) w[i] = message.getInt32(block + 4 * i);
      else {
        const x = w[i - 15];
        const y = w[i - 2];
        w[i] =
          (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) +
          (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)) +
          w[i - 7] +
          w[i - 16];
      }
      const one =
        h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (g ^ (e & (f ^ g))) + (constants[i] | 0) + w[i];
      const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) | (c & (a | b)));
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => (hash[i] += x));
    if (!(block & 0xfffff)) await pause();
  }
  const words = new DataView(new ArrayBuffer(32));
  hash.forEach((x, i) => words.setInt32(4 * i, x));
  return words;
}
