/** The files of the next question: chosen, dropped or pasted; read by the service; shown as chips. */

import { say } from '../interface/language.js';
import { addSentence } from './announcements.js';
import { loadAttachments, storeAttachments } from '../conversation/tab_storage.js';
import { FileChip } from './file_chip.js';
import { FileNotRead, ReadEndpoint } from './file_reading.js';

const FILE_LIMIT = 16; // of the protocol
const FRAME_BYTES = 200; // an upper bound for the other fields of a prompt's frame
const SHADOW_PX = 4; // a smaller overflow needs no shadow
const NOT_KEPT = { reason: 'page-file-not-kept' }; // a browser does not keep files over a reload, only texts

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

  /** Whether no file would go with the question. */
  get isEmpty() {
    return this.#chips.every(({ state }) => state === 'failed');
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
    if (!files.length) this.#notify('page-folder-empty');
    if (accepted.length < files.length) {
      this.#notify('page-files-limit', { limit: FILE_LIMIT, left: files.length - accepted.length });
    }
    if (!accepted.length) return;
    this.#announce('page-files-reading', { count: accepted.length });
    for (const file of accepted) this.#read(this.#addChip(file.name), file);
    this.#store();
  }

  /** Removes the files that were read, and returns them. The others stay, so that none is lost unnoticed. */
  take() {
    const taken = this.#attachments();
    this.#chips = this.#chips.filter(({ attachment }) => !attachment);
    this.#list.replaceChildren(...this.#chips.map(({ element }) => element));
    this.#announcements.replaceChildren();
    if (this.#chips.length) {
      this.#announce('page-files-left', { names: this.#chips.map(({ name }) => name).join(', ') });
    }
    this.#store();
    return taken;
  }

  /** Puts the attachments of an unanswered question back. */
  restore(attachments) {
    for (const { fault, ...attachment } of attachments) {
      const chip = this.#addChip(attachment.name);
      if (fault) chip.fail(fault);
      else chip.complete(attachment);
    }
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
      const result = await this.#reader.read(file, chip.abort.signal, (fraction) => chip.progress(fraction));
      chip.complete(result);
      this.#announce(result.omissions.length ? 'page-file-was-read-in-part' : 'page-file-was-read', { name: chip.name });
      this.#offerCollecting(chip, file);
    } catch (error) {
      if (chip.abort.signal.aborted) return;
      if (!(error instanceof FileNotRead)) throw error;
      this.#fail(chip, file, error);
    }
    this.#store();
    if (!this.isReading) this.#onSettled();
  }

  #fail(chip, file, { reason, values, isTemporary }) {
    const retry = () => {
      chip.begin();
      this.#announce('page-files-reading', { count: 1 });
      this.#read(chip, file);
    };
    chip.fail({ reason, values }, isTemporary ? retry : null);
    const why = say(document.createElement('span'), reason, values);
    this.#announce('page-file-was-not-read', { name: chip.name }).append(' ', why);
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

  /** Keeps the chips over a reload: texts that were read, and the names of the other files. */
  #store() {
    this.#list.hidden = !this.#chips.length;
    const names = this.#chips.map(({ name, fault }) => ({ name, fault: fault ?? NOT_KEPT }));
    const isKept = storeAttachments(this.#chips.map(({ attachment }, place) => attachment ?? names[place]));
    if (!isKept) storeAttachments(names); // the texts are more than the browser keeps
  }

  #announce(key, values) {
    return addSentence(this.#announcements, key, values);
  }
}

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value)).length;

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
