/** Reads and writes the browser's storage. A value that the browser does not keep is still there until the page is left. */

const PREFIX = 'csps-llm:';
const unkept = new Map(); // for this visit: the browser's storage may be switched off or full

/** Returns whether the browser keeps the value over a reload.
 *
 * `storage` is the name of a browser storage, because reading a property that is switched off throws. */
export function store(storage, key, value) {
  unkept.delete(`${storage}:${key}`);
  try {
    if (value) globalThis[storage].setItem(PREFIX + key, value);
    else globalThis[storage].removeItem(PREFIX + key);
    return true;
  } catch (error) {
    unkept.set(`${storage}:${key}`, value);
    console.info('not kept over a reload:', key.split(':')[0], error.name); // the rest may be a secret id
  }
}

/** The keys of all stored values. */
export function storedKeys(storage) {
  try {
    return Object.keys(globalThis[storage]).flatMap((key) => (key.startsWith(PREFIX) ? [key.slice(PREFIX.length)] : []));
  } catch {
    return []; // the storage is switched off
  }
}

/** The stored value, or "". Other tabs may have changed it. */
export function load(storage, key) {
  const value = unkept.get(`${storage}:${key}`);
  if (value !== undefined) return value;
  try {
    return globalThis[storage].getItem(PREFIX + key) ?? '';
  } catch {
    return ''; // the storage is switched off, so nothing was stored
  }
}
