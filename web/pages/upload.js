/** Has the service read a file. Knows no page: what goes wrong is told as the name of a string in strings.js. */

const REASONS = {
  unreadable: 'fileUnreadable',
  locked: 'fileLocked',
  pictures: 'filePictures',
  damaged: 'fileDamaged',
  large: 'fileComplicated',
  empty: 'fileEmpty',
  too_large: 'fileTooLarge',
  too_slow: 'fileTooSlow',
  overloaded: 'fileBusy',
  stopping: 'fileBusy',
};

/** `reason` is a key of strings.js, `values` what goes into it. */
export class Unread extends Error {
  constructor(reason, values = {}) {
    super(reason);
    this.reason = reason;
    this.values = values;
  }
}

export class Upload {
  #limits = null;
  #last = Promise.resolve();

  /** How many bytes a prompt with its files may have; Infinity as long as that is not known. */
  promptLimit = Infinity;

  /** {text, cut} of the file. One after the other, as many at once would only be in each other's way. Throws Unread. */
  read(file, signal) {
    const read = this.#last.then(() => this.#read(file, signal));
    this.#last = read.catch(() => {});
    return read;
  }

  async #read(file, signal) {
    const limit = await this.#fileLimit();
    if (file.size > limit) throw new Unread('fileTooLarge', { limit });
    const response = await answered(`?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      headers: { 'Content-Type': file.type || 'application/octet-stream' },
      body: file,
      signal,
    });
    const told = await response.json().catch(() => ({})); // from a proxy, it may be anything
    if (response.ok && told.text) return told;
    throw new Unread(REASONS[told.reason] ?? REASONS[told.code] ?? 'fileFailed', { limit });
  }

  async #fileLimit() {
    if (!this.#limits) {
      const response = await answered('');
      if (!response.ok) throw new Unread('fileBusy');
      this.#limits = await response.json();
      this.promptLimit = this.#limits.prompt_limit_bytes;
    }
    return this.#limits.file_limit_bytes;
  }
}

async function answered(query, options) {
  try {
    return await fetch(new URL(`../read${query}`, document.baseURI), options);
  } catch {
    throw new Unread('fileUnsent'); // no connection, or the file changed or is a folder
  }
}
