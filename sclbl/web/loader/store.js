/** Programs and resolutions kept from one visit to the next. What fails here is only slower. */

const NAME = "sclbl";
/** How many programs and resolutions are kept: the oldest go first. */
const MOST = 32;

/** The first of these that the page may use: Cache Storage, IndexedDB, its own memory. */
let chosen;
const storage = () => (chosen ??= cacheStorage().catch(database).catch(() => new Map()));

async function cacheStorage() {
  const cache = await caches.open(NAME);
  const at = (key) => (key.url ? key : `https://${NAME}.invalid/${key}`);
  return {
    get: async (key) => (await cache.match(at(key)))?.arrayBuffer(),
    set: (key, bytes) => cache.put(at(key), new Response(bytes)),
    keys: () => cache.keys(),
    delete: (key) => cache.delete(key),
  };
}

async function database() {
  const settled = (request) =>
    new Promise((done, failed) => {
      request.onsuccess = () => done(request.result);
      request.onerror = request.onblocked = () => failed(request.error);
    });
  const opening = indexedDB.open(NAME);
  opening.onupgradeneeded = () => opening.result.createObjectStore(NAME);
  const base = await settled(opening);
  const ask = (what, ...given) =>
    settled(base.transaction(NAME, "readwrite").objectStore(NAME)[what](...given));
  return {
    get: (key) => ask("get", key),
    set: (key, bytes) => ask("put", bytes, key),
    keys: () => ask("getAllKeys"),
    delete: (key) => ask("delete", key),
  };
}

/**
 * The bytes that were kept under a key; undefined where there are none.
 * @param {string} key
 * @returns {Promise<Uint8Array | undefined>}
 */
export async function recall(key) {
  try {
    const kept = await (await storage()).get(key);
    return kept && new Uint8Array(kept);
  } catch {}
}

/**
 * Keeps bytes under a key, in place of the oldest ones; of all others, where the storage is full.
 * @param {string} key
 * @param {Uint8Array} bytes
 */
export async function keep(key, bytes) {
  for (const others of [MOST - 1, 0]) {
    try {
      const store = await storage();
      const keys = [...(await store.keys())];
      for (const old of keys.splice(0, keys.length - others)) await store.delete(old);
      return await store.set(key, bytes);
    } catch {}
  }
}
