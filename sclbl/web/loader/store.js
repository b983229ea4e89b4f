/** Programs and resolutions kept from one visit to the next. What fails here is only slower. */

const NAME = "sclbl";
/** How many programs and resolutions are kept: the oldest go first. */
const ENTRIES = 32;

const cached = async () => {
  const cache = await caches.open(NAME);
  const at = (key) => `https://${NAME}.invalid/${key}`;
  return {
    get: async (key) => (await cache.match(at(key)))?.arrayBuffer(),
    set: (key, bytes) => cache.put(at(key), new Response(bytes)),
    keys: () => cache.keys(),
    delete: (request) => cache.delete(request),
  };
};

const settled = (request) =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = failed;
  });

const inDatabase = async () => {
  const opening = indexedDB.open(NAME);
  opening.onupgradeneeded = () => opening.result.createObjectStore(NAME);
  const base = await settled(opening);
  const ask = (what) => (key, bytes) => {
    const store = base.transaction(NAME, "readwrite").objectStore(NAME);
    return settled(bytes ? store.put(bytes, key) : store[what](key));
  };
  return { get: ask("get"), set: ask(), keys: ask("getAllKeys"), delete: ask("delete") };
};

/** The first of these that the page may use: Cache Storage, IndexedDB, its own memory. */
let chosen;
const storage = ({ store }) =>
  store === "none" ? new Map() : (chosen ??= cached().catch(inDatabase).catch(() => new Map()));

/**
 * The bytes that were kept under a key; undefined where there are none.
 * @param {string} key
 * @param {{store: string}} options
 * @returns {Promise<Uint8Array | undefined>}
 */
export const recall = async (key, options) => {
  try {
    const kept = await (await storage(options)).get(key);
    return kept && new Uint8Array(kept);
  } catch {}
};

/**
 * Keeps bytes under a key, in place of the oldest ones; of all others, where the storage is full.
 * @param {string} key
 * @param {Uint8Array} bytes
 * @param {{store: string}} options
 */
export const keep = (key, bytes, options) => {
  // One after the other: each sees what the one before it left.
  keeping = keeping.then(async () => {
    for (const others of [ENTRIES - 1, 0]) {
      try {
        const store = await storage(options);
        const keys = [...(await store.keys())];
        for (const old of keys.splice(0, keys.length - others)) await store.delete(old);
        return await store.set(key, bytes);
      } catch {}
    }
  });
};
let keeping = Promise.resolve();
