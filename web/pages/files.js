/** The files that go with the next question, whoever is asked: read as soon as they are given, and shown as chips. */

import { Chip } from './chip.js';
import { watchEdges } from './edges.js';
import { say } from './language.js';
import { keepFiles, keptFiles } from './memory.js';
import { Unread, Upload } from './upload.js';

const LIMIT = 16; // of the protocol
const FRAME_BYTES = 200; // what else is in a prompt's frame, generously

export class Files {
  #list;
  #spoken;
  #settled;
  #tell;
  #leave;
  #upload = new Upload();
  #chips = [];

  /** `spoken` is a live region for what becomes of each file. `settled()` is called when none is being read any more,
   * `tell(key, values)` says what a person should know, `leave()` takes the focus when the last file went. */
  constructor({ input, list, spoken }, { settled, tell, leave }) {
    this.#list = list;
    watchEdges(list);
    this.#spoken = spoken;
    this.#settled = settled;
    this.#tell = tell;
    this.#leave = leave;
    input.addEventListener('change', () => {
      this.add([...input.files]);
      input.value = ''; // so that the same file can be chosen again
    });
    this.giveBack(keptFiles());
  }

  get empty() {
    return !this.#chips.length;
  }

  get reading() {
    return this.#chips.some(({ state }) => state === 'reading');
  }

  /** What makes a question of this text too long to be sent: a key of strings.js, or "". */
  excess(text) {
    const attachments = this.#attachments();
    if (this.#fits({ text, attachments })) return '';
    return attachments.length && this.#fits({ text }) ? 'tooLargeFiles' : 'tooLarge';
  }

  #fits(prompt) {
    return bytes(prompt) + FRAME_BYTES <= this.#upload.promptLimit;
  }

  /** `given`: a list of File. */
  add(given) {
    const taken = given.slice(0, Math.max(0, LIMIT - this.#chips.length));
    if (taken.length < given.length) this.#tell('filesLimit', { limit: LIMIT, left: given.length - taken.length });
    if (!taken.length) return;
    this.#say('filesReading', { files: taken.length });
    for (const file of taken) this.#read(this.#chip(file.name), file);
  }

  /** Those that were read. All of them go: the question is asked without those that were not. */
  take() {
    const taken = this.#attachments();
    this.#chips = [];
    this.#list.replaceChildren();
    this.#spoken.replaceChildren();
    this.#keep();
    return taken;
  }

  /** The attachments of a question that was not answered. */
  giveBack(attachments) {
    for (const attachment of attachments) this.#chip(attachment.name).read(attachment);
    this.#keep();
  }

  #chip(name) {
    const chip = new Chip(name, () => this.#remove(chip));
    this.#chips.push(chip);
    this.#list.append(chip.element);
    this.#list.hidden = false;
    return chip;
  }

  async #read(chip, file) {
    try {
      const read = await this.#upload.read(file, chip.reading.signal);
      chip.read(read);
      this.#say(read.cut ? 'fileWasReadInPart' : 'fileWasRead', { name: chip.name });
    } catch (problem) {
      if (chip.reading.signal.aborted) return;
      if (!(problem instanceof Unread)) throw problem;
      chip.fail(problem.reason, problem.values);
      const why = say(document.createElement('span'), problem.reason, problem.values);
      this.#say('fileWasNotRead', { name: chip.name }).append(' ', why);
    }
    this.#keep();
    if (!this.reading) this.#settled();
  }

  #remove(chip) {
    const place = this.#chips.indexOf(chip);
    this.#chips.splice(place, 1);
    chip.reading.abort();
    chip.element.remove();
    this.#keep();
    const next = this.#chips[place] ?? this.#chips[place - 1];
    if (next) next.focus();
    else this.#leave();
    this.#say('fileWasRemoved', { name: chip.name });
    if (!this.reading) this.#settled();
  }

  #attachments() {
    return this.#chips.flatMap(({ attachment }) => attachment ?? []);
  }

  #keep() {
    this.#list.hidden = this.empty;
    keepFiles(this.#attachments());
  }

  /** Each sentence is added once and never touched again, as screen readers want it. */
  #say(key, values) {
    const line = document.createElement('p');
    this.#spoken.append(line);
    const words = say(document.createElement('span'), key, values);
    line.append(words);
    return line;
  }
}

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value)).length;
