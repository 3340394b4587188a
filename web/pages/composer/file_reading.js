/** Has the service read files: its limits, uploads with their progress, and the reason why a file was not read. */

import { serviceUrl } from '../browser/service.js';

const REASONS = {
  unreadable: 'page-file-unreadable',
  locked: 'page-file-locked',
  encrypted: 'page-file-encrypted',
  pictures: 'page-file-pictures',
  unmapped: 'page-file-unmapped',
  xfa: 'page-file-xfa',
  damaged: 'page-file-damaged',
  large: 'page-file-complicated',
  empty: 'page-file-empty',
  old_word: 'page-file-old_word',
  old_slides: 'page-file-old_slides',
  old_workbook: 'page-file-old_workbook',
  convert: 'page-file-convert',
  database: 'page-file-database',
  archive: 'page-file-archive',
  picture: 'page-file-picture',
  recording: 'page-file-recording',
  too_large: 'page-file-too-large',
  too_slow: 'page-file-too-slow',
  overloaded: 'page-file-busy',
  stopping: 'page-file-busy',
};
const TEMPORARY = new Set(['page-file-too-slow', 'page-file-busy', 'page-file-unsent', 'page-file-failed']);

/** `reason` is a text key, `values` its arguments. */
export class FileNotRead extends Error {
  constructor(reason, values = {}) {
    super(reason);
    this.reason = reason;
    this.values = values;
  }

  /** Whether the same file may be read at another try. */
  get isTemporary() {
    return TEMPORARY.has(this.reason);
  }
}

/** The endpoint `/read`. It gets one file after the other: parallel uploads would slow each other down. */
export class ReadEndpoint {
  #limits = null;
  #last = Promise.resolve();

  /** The limit in bytes of a prompt with its attachments; Infinity until the service has told it. */
  promptLimitBytes = Infinity;

  /** Resolves to {text, omissions}. Rejects with FileNotRead. `onProgress(fraction)` is called while it is sent. */
  read(file, signal, onProgress) {
    // Asking for the size makes the browser notice a change until it is sent.
    const isEmpty = !file.size;
    const result = this.#last.then(() => this.#read(file, isEmpty, signal, onProgress));
    this.#last = result.catch(() => {});
    return result;
  }

  async #read(file, isEmpty, signal, onProgress) {
    signal.throwIfAborted();
    if (isEmpty) {
      await requireReadable(file); // a folder looks like an empty file
      throw new FileNotRead('page-file-empty');
    }
    const limit = await this.#fileLimit();
    if (file.size > limit) throw new FileNotRead('page-file-too-large', { limit });
    const { isOk, body } = await upload(file, signal, onProgress);
    if (isOk && body.text) return body;
    throw new FileNotRead(REASONS[body.reason] ?? REASONS[body.code] ?? 'page-file-failed', { limit });
  }

  async #fileLimit() {
    if (!this.#limits) {
      const response = await fetch(address('')).catch(() => null);
      if (!response) throw new FileNotRead('page-file-unsent');
      if (!response.ok) throw new FileNotRead('page-file-busy');
      this.#limits = await response.json();
      this.promptLimitBytes = this.#limits.prompt_limit_bytes;
    }
    return this.#limits.file_limit_bytes;
  }
}

const address = (query) => serviceUrl(`read${query}`);

async function upload(file, signal, onProgress) {
  try {
    return await post(file, signal, onProgress);
  } catch {
    signal.throwIfAborted();
    await requireReadable(file.slice(0, 1));
    throw new FileNotRead('page-file-unsent');
  }
}

/** Throws if the browser can no longer read the file, because it was changed or moved; or ever, because it is a folder. */
async function requireReadable(blob) {
  try {
    await blob.arrayBuffer();
  } catch {
    throw new FileNotRead('page-file-changed');
  }
}

/** Sends a file. XMLHttpRequest, because `fetch` does not tell how much was sent. */
function post(file, signal, onProgress) {
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => request.abort());
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener('load', () => resolve({ isOk: request.status === 200, body: parse(request.responseText) }));
    for (const failure of ['error', 'abort', 'timeout']) request.addEventListener(failure, reject);
    request.open('POST', address(`?name=${encodeURIComponent(file.name)}`));
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    request.send(file);
  });
}

/** A proxy may send anything. */
function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
