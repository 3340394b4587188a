/** Tells screen readers that an answer began and ended, and in sentence mode reads it to them.
 *
 * The visible messages and the visible status are no live regions, because they change many times a second. All that
 * is announced is a line of its own in one polite region: added once, never changed, and gone again soon, or people
 * who read by cursor would find it twice. Errors are alerts where they are shown.
 */

import { language } from './language.js';
import { preference } from './preferences.js';
import { partsOf, textOf, UTTERANCE_CHARACTERS, utteranceLength } from './spoken_text.js';
import { isProgress, isWorthSaying } from './status_announcements.js';
import { text } from './texts.js';

const STAYS_MS = 10_000;
const MS_PER_CHARACTER = 40; // a fast synthetic voice: what comes faster piles up behind it

export class Announcer {
  #region;
  #announced = new Map(); // what of the progress of this answer was announced
  #body = null; // of the answer that is read in sentence mode
  #part = 0; // the part of the answer that is read next
  #offset = 0; // in its text
  #timer = 0; // until the utterance should have been spoken
  #ending = null; // announces the end, after the last sentence

  constructor(region) {
    this.#region = region;
  }

  /** Starts a new answer. */
  begin() {
    clearTimeout(this.#timer);
    this.#timer = this.#part = this.#offset = 0;
    this.#body = this.#ending = null;
    this.#announced.clear();
  }

  /** Announces a status if it is worth it. */
  announceStatus(key, values) {
    if (preference('reading') === 'quiet' && isProgress(key)) return;
    if (isWorthSaying(key, values, this.#announced)) this.announce(key, values);
  }

  /** Announces a text in the interface's language. */
  announce(key, values = {}) {
    this.#say(text(key, language(), values), language());
  }

  /** Announces a message of the service. `lang`: its language. */
  announceMessage(message, lang) {
    this.#say(message, lang);
  }

  /** Reads the sentences of a growing answer that are whole. `body` is its element. */
  update(body) {
    if (preference('reading') !== 'sentences') return;
    this.#body = body;
    this.#speak();
  }

  /** Announces the end of an answer: in sentence mode after its last sentence, in quiet mode before its beginning.
   * `body` is the answer's element, `title` the name of who answers. */
  end(key, values, { body, title }) {
    const announce = () => this.announceStatus(key, values);
    // Who stops an answer does not want to hear the rest.
    if (preference('reading') === 'sentences' && key !== 'page-done-stopped') {
      this.#ending = announce;
      this.update(body);
      return;
    }
    this.begin();
    announce();
    if (preference('reading') === 'quiet') this.#sayBeginning(body, title);
  }

  /** Adds one line to the region. */
  #say(text, lang) {
    const line = document.createElement('p');
    line.lang = lang;
    line.textContent = text.trim();
    this.#region.append(line);
    setTimeout(() => line.remove(), STAYS_MS);
  }

  #speak() {
    if (this.#timer) return;
    const utterance = this.#next();
    if (utterance) {
      this.#say(utterance, this.#body.lang);
      this.#timer = setTimeout(() => this.#onSpoken(), MS_PER_CHARACTER * utterance.length);
    } else if (this.#ending) {
      this.#ending();
      this.#ending = null;
    }
  }

  #onSpoken() {
    this.#timer = 0;
    this.#speak();
  }

  /** The next utterance, or "" if no sentence is whole. */
  #next() {
    const parts = partsOf(this.#body);
    for (; this.#part < parts.length; this.#part += 1, this.#offset = 0) {
      const isWhole = this.#ending !== null || this.#part < parts.length - 1;
      const utterance = this.#takeFrom(parts[this.#part], isWhole);
      if (utterance) return utterance;
      if (!isWhole) return '';
    }
    return '';
  }

  #takeFrom(part, isWhole) {
    const rest = textOf(part).slice(this.#offset);
    const length = utteranceLength(rest, isWhole, this.#body.lang);
    this.#offset += length;
    return rest.slice(0, length).trim();
  }

  /** Quiet mode: the first sentences, and where the rest is. */
  #sayBeginning(body, title) {
    const { beginning, isAll } = beginningOf(body);
    if (beginning) this.#say(beginning, body.lang);
    if (!isAll) this.announce('page-quiet-rest', { title });
  }
}

/** The first sentences of an answer, and whether they are all of it. */
function beginningOf(body) {
  let found = '';
  for (const part of partsOf(body)) {
    if (found.length > UTTERANCE_CHARACTERS) break;
    found = `${found}\n${textOf(part).trim()}`.trim();
  }
  const length = utteranceLength(found, true, body.lang);
  return { beginning: found.slice(0, length), isAll: length === found.length };
}
