/** Lets the page do what waits: a task ends here and another goes on. */
export const pause = () =>
  globalThis.scheduler?.postTask(() => 0) ?? new Promise((done) => setTimeout(done));

const hex = (items, digits) =>
  Array.from(items, (x) => (x >>> 0).toString(16).padStart(digits, 0)).join("");

/** SHA-256 (FIPS 180-4) of bytes; a page is left to answer after each MiB. */
const computed = async (bytes) => {
  const size = bytes.length;
  const message = new DataView(new ArrayBuffer(((size + 72) >> 6) << 6));
  new Uint8Array(message.buffer).set(bytes);
  message.setUint8(size, 128);
  message.setUint32(message.byteLength - 8, size / 2 ** 29);
  message.setUint32(message.byteLength - 4, size << 3);
  // The fractions of the roots of the first primes.
  let sum = [];
  const constants = [];
  for (let n = 2; n < 312; n++) {
    let divisor = 2;
    while (n % divisor) divisor++;
    if (divisor === n) {
      if (n < 20) sum.push((n ** 0.5 * 2 ** 32) | 0);
      constants.push((n ** (1 / 3) * 2 ** 32) | 0);
    }
  }
  const turned = (x, by) => (x >>> by) | (x << -by);
  const mixed = (x, p, q, other) => turned(x, p) ^ turned(x, q) ^ other;
  const w = new Int32Array(64);
  for (let block = 0; block < message.byteLength; block += 64) {
    let [a, b, c, d, e, f, g, h] = sum;
    for (let i = 0; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      w[i] =
        i < 16
          ? message.getInt32(block + 4 * i)
          : mixed(x, 7, 18, x >>> 3) + mixed(y, 17, 19, y >>> 10) + w[i - 7] + w[i - 16];
      const one = h + mixed(e, 6, 11, turned(e, 25)) + (g ^ (e & (f ^ g))) + constants[i] + w[i];
      const two = mixed(a, 2, 13, turned(a, 22)) + ((a & b) | (c & (a | b)));
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    sum = [a, b, c, d, e, f, g, h].map((x, i) => (x + sum[i]) | 0);
    if (!(block & 0xfffff)) await pause();
  }
  return hex(sum, 8);
};

/**
 * The SHA-256 of bytes, as 64 hex digits. Pages without a secure context (plain http on a private
 * network) have no `crypto.subtle`: there it is computed here.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>}
 */
export const sha256 = async (bytes) => {
  const subtle = globalThis.crypto?.subtle;
  return subtle ? hex(new Uint8Array(await subtle.digest("SHA-256", bytes)), 2) : computed(bytes);
};
