/** The files of the next question: chosen, dropped or pasted; read by the service; shown as chips. */

import { label, say } from '../interface/language.js';
import { loadAttachments, storeAttachments } from '../conversation/tab_storage.js';

const FILE_LIMIT = 16; // of the protocol
const FRAME_BYTES = 200; // an upper bound for the other fields of a prompt's frame
const SHADOW_PX = 4; // a smaller overflow needs no shadow
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

export class Attachments {
  #list;
  #announcements;
  #onSettled;
  #notify;
  #moveFocus;
  #collector;
  #reader = new ReadEndpoint();
  #chips = [];

  /** `announcements` is a live region for the result of each file. `onSettled()` is called when no file is being read
   * any more, `notify(key, values)` shows a notice, `moveFocus()` takes the focus when the last chip goes, `collector`
   * adds files to collections. */
  constructor({ input, list, announcements }, { onSettled, notify, moveFocus, collector }) {
    this.#list = list;
    showScrollShadows(list);
    this.#announcements = announcements;
    this.#onSettled = onSettled;
    this.#notify = notify;
    this.#moveFocus = moveFocus;
    this.#collector = collector;
    input.addEventListener('change', () => {
      this.add([...input.files]);
      input.value = ''; // so that a person can choose the same file again
    });
    this.restore(loadAttachments());
  }

  get isEmpty() {
    return !this.#chips.length;
  }

  get isReading() {
    return this.#chips.some(({ state }) => state === 'reading');
  }

  /** The text key of the reason why a question with this text is too long to be sent, or "". */
  tooLargeKey(text) {
    const attachments = this.#attachments();
    if (this.#fits({ text, attachments })) return '';
    return attachments.length && this.#fits({ text }) ? 'page-too-large-files' : 'page-error-too_large';
  }

  #fits(prompt) {
    return bytes(prompt) + FRAME_BYTES <= this.#reader.promptLimitBytes;
  }

  /** Adds a list of File objects, up to the limit. */
  add(files) {
    const accepted = files.slice(0, Math.max(0, FILE_LIMIT - this.#chips.length));
    if (accepted.length < files.length) {
      this.#notify('page-files-limit', { limit: FILE_LIMIT, left: files.length - accepted.length });
    }
    if (!accepted.length) return;
    this.#announce('page-files-reading', { count: accepted.length });
    for (const file of accepted) this.#read(this.#addChip(file.name), file);
  }

  /** Removes all files and returns the readable ones: the question is asked without the others. */
  take() {
    const taken = this.#attachments();
    this.#chips = [];
    this.#list.replaceChildren();
    this.#announcements.replaceChildren();
    this.#store();
    return taken;
  }

  /** Puts the attachments of an unanswered question back. */
  restore(attachments) {
    for (const attachment of attachments) this.#addChip(attachment.name).complete(attachment);
    this.#store();
  }

  #addChip(name) {
    const chip = new FileChip(name, () => this.#remove(chip));
    this.#chips.push(chip);
    this.#list.append(chip.element);
    this.#list.hidden = false;
    return chip;
  }

  async #read(chip, file) {
    try {
      const result = await this.#reader.read(file, chip.abort.signal);
      chip.complete(result);
      this.#announce(result.omissions.length ? 'page-file-was-read-in-part' : 'page-file-was-read', { name: chip.name });
      this.#offerCollecting(chip, file);
    } catch (error) {
      if (chip.abort.signal.aborted) return;
      if (!(error instanceof FileNotRead)) throw error;
      chip.fail(error.reason, error.values);
      const why = say(document.createElement('span'), error.reason, error.values);
      this.#announce('page-file-was-not-read', { name: chip.name }).append(' ', why);
    }
    this.#store();
    if (!this.isReading) this.#onSettled();
  }

  /** Only with the file itself: after a reload the page has no more than its text. */
  async #offerCollecting(chip, file) {
    if (!(await this.#collector.isAvailable())) return;
    chip.offer('page-collect', 'page-collect-file', async () => {
      const outcome = await this.#collector.collect(file, (key, values) => this.#announce(key, values));
      if (!outcome) return;
      this.#announce(outcome.key, outcome.values);
      this.#notify(outcome.key, outcome.values);
    });
  }

  #remove(chip) {
    const place = this.#chips.indexOf(chip);
    this.#chips.splice(place, 1);
    chip.abort.abort();
    chip.element.remove();
    this.#store();
    const next = this.#chips[place] ?? this.#chips[place - 1];
    if (next) next.focus();
    else this.#moveFocus();
    this.#announce('page-file-was-removed', { name: chip.name });
    if (!this.isReading) this.#onSettled();
  }

  #attachments() {
    return this.#chips.flatMap(({ attachment }) => attachment ?? []);
  }

  #store() {
    this.#list.hidden = this.isEmpty;
    storeAttachments(this.#attachments());
  }

  /** Adds one sentence to the live region. A sentence is never changed, because screen readers would repeat it. */
  #announce(key, values) {
    const line = document.createElement('p');
    this.#announcements.append(line);
    const sentence = say(document.createElement('span'), key, values);
    line.append(sentence);
    return line;
  }
}

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value)).length;

/** One attached file on the page: its name, its state, and a button that removes it. */
class FileChip {
  state = 'reading';
  attachment = null; // {name, text, omissions}, once the file was read
  abort = new AbortController();
  element = document.createElement('li');
  #state = document.createElement('span');
  #remove = document.createElement('button');

  constructor(name, onRemove) {
    this.name = name;
    const description = document.createElement('span');
    description.className = 'words';
    const shownName = document.createElement('bdi');
    shownName.className = 'name';
    shownName.textContent = name;
    description.append(shownName, ' ', this.#state);
    this.#state.className = 'state';
    this.#remove.type = 'button';
    this.#remove.textContent = '×';
    this.#remove.addEventListener('click', onRemove);
    this.element.append(description, label(this.#remove, 'page-file-remove', { name }));
    this.#setState('reading', 'page-file-reading');
  }

  /** `omissions`: what the service did not read of the file. */
  complete({ text, omissions }) {
    this.attachment = { name: this.name, text, omissions };
    this.#setState('read', omissions.length ? 'page-file-read-in-part' : 'page-file-read', { characters: text.length });
  }

  /** `reason` is a text key. */
  fail(reason, values) {
    this.#setState('failed', reason, values);
    scrollIntoList(this.element);
  }

  /** Adds a button. `text` and `name` are text keys. */
  offer(text, name, onClick) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'offer';
    button.addEventListener('click', onClick);
    this.#remove.before(label(say(button, text), name, { name: this.name }));
  }

  focus() {
    this.#remove.focus();
  }

  #setState(state, key, values) {
    this.state = state;
    this.element.className = `chip ${state}`;
    say(this.#state, key, values);
  }
}

/** `reason` is a text key, `values` its arguments. */
class FileNotRead extends Error {
  constructor(reason, values = {}) {
    super(reason);
    this.reason = reason;
    this.values = values;
  }
}

/** The endpoint `/read`: its limits, and uploads, one after the other: parallel ones would slow each other down. */
class ReadEndpoint {
  #limits = null;
  #last = Promise.resolve();

  /** The limit in bytes of a prompt with its attachments; Infinity until the service has told it. */
  promptLimitBytes = Infinity;

  /** Resolves to {text, omissions}. Rejects with FileNotRead. */
  read(file, signal) {
    const result = this.#last.then(() => this.#read(file, signal));
    this.#last = result.catch(() => {});
    return result;
  }

  async #read(file, signal) {
    const limit = await this.#fileLimit();
    if (file.size > limit) throw new FileNotRead('page-file-too-large', { limit });
    const response = await request(`?name=${encodeURIComponent(file.name)}`, {
      method: 'POST',
      headers: { 'Content-Type': file.type || 'application/octet-stream' },
      body: file,
      signal,
    });
    const body = await response.json().catch(() => ({})); // a proxy may send anything
    if (response.ok && body.text) return body;
    throw new FileNotRead(REASONS[body.reason] ?? REASONS[body.code] ?? 'page-file-failed', { limit });
  }

  async #fileLimit() {
    if (!this.#limits) {
      const response = await request('');
      if (!response.ok) throw new FileNotRead('page-file-busy');
      this.#limits = await response.json();
      this.promptLimitBytes = this.#limits.prompt_limit_bytes;
    }
    return this.#limits.file_limit_bytes;
  }
}

async function request(query, options) {
  try {
    return await fetch(new URL(`../read${query}`, document.baseURI), options);
  } catch {
    throw new FileNotRead('page-file-unsent'); // no connection, or the file changed or is a folder
  }
}

/** Accepts files that are dropped on the page or pasted into the form. The browser handles dropped and pasted text. */
export function acceptDropsAndPastes(form, add) {
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  const highlight = (dropping) => form.classList.toggle('dropping', dropping);

  // On the whole page: the browser would open a file dropped beside the field instead of the conversation.
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    highlight(true);
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => relatedTarget ?? highlight(false));
  document.addEventListener('drop', (event) => {
    highlight(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });

  form.addEventListener('paste', (event) => {
    const { files, types } = event.clipboardData;
    // Word and Excel add a picture of the copied text: the person means the text.
    if (!files.length || types.includes('text/html')) return;
    event.preventDefault();
    add([...files]);
  });
}

/** Sets the classes `above` and `below` on a list that continues beyond its visible part. */
function showScrollShadows(list) {
  const update = () => {
    list.classList.toggle('above', list.scrollTop > SHADOW_PX);
    list.classList.toggle('below', list.scrollTop + list.clientHeight < list.scrollHeight - SHADOW_PX);
  };
  list.addEventListener('scroll', update, { passive: true });
  new ResizeObserver(update).observe(list);
  new MutationObserver(update).observe(list, { childList: true, subtree: true, characterData: true });
}

/** Scrolls the list alone; scrollIntoView would scroll the page too. */
function scrollIntoList(item) {
  const list = item.parentElement;
  const top = item.offsetTop - list.offsetTop;
  list.scrollTop = Math.min(top, Math.max(list.scrollTop, top + item.offsetHeight - list.clientHeight));
}
