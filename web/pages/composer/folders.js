/** Finds the files of dropped folders. Loaded when somebody drops one. */

const FILES_LIMIT = 500; // far more than a question can have; a disk of millions must not be walked
const SYSTEM_FILES = new Set(['thumbs.db', 'desktop.ini']);

/** Resolves to the files of the entries and of the folders among them, the nearest first, without hidden ones. */
export async function filesOf(entries) {
  const files = [];
  for (const waiting = [...entries]; waiting.length && files.length < FILES_LIMIT; ) {
    const entry = waiting.shift();
    if (entry.isDirectory) waiting.push(...(await entriesOf(entry)).filter(isForPeople));
    else files.push(await promised((done, fail) => entry.file(done, fail)));
  }
  return files;
}

const isForPeople = ({ name }) => !name.startsWith('.') && !SYSTEM_FILES.has(name.toLowerCase());

/** The browser returns the entries in parts; an empty part is the last one. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const part = await promised((done, fail) => reader.readEntries(done, fail));
    if (!part.length) return entries.sort((one, other) => one.name.localeCompare(other.name));
    entries.push(...part);
  }
}

const promised = (call) => new Promise(call);
