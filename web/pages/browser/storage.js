/** Reads and writes the browser's storage. A value that the browser does not keep is still there until the page is left. */

const PREFIX = 'csps-llm:';
const copies = new Map(); // for this visit: the browser's storage may be switched off or full

/** `storage` is the name of a browser storage, because reading a property that is switched off throws. */
export function store(storage, key, value) {
  copies.set(`${storage}:${key}`, value);
  try {
    if (value) globalThis[storage].setItem(PREFIX + key, value);
    else globalThis[storage].removeItem(PREFIX + key);
  } catch (error) {
    console.info('not kept over a reload:', key, error.name);
  }
}

/** The stored value, or "". */
export function load(storage, key) {
  const value = copies.get(`${storage}:${key}`);
  if (value !== undefined) return value;
  try {
    return globalThis[storage].getItem(PREFIX + key) ?? '';
  } catch {
    return ''; // the storage is switched off, so nothing was stored
  }
}
