/** Tells how long a question may be, once it comes near, and offers a way out: a long text becomes a file.
 *
 * The model shows of a file the passages that matter, but reads a question whole. How much fits is an estimate: only the
 * model's own tokens would tell it exactly.
 */

import { say } from '../interface/language.js';

const CHARACTERS_PER_TOKEN = 2; // of a question, beside the instructions and the answer
const NEAR = 0.8;
const PAUSE_MS = 1000; // screen readers read it when the person has stopped typing

export class LengthCounter {
  #box;
  #text;
  #announce;
  #windowOf;
  #level = '';
  #timer = 0;

  /** `box` contains a span and a button. `windowOf()` returns the tokens of the model's context window, or null;
   * `attach()` makes the text a file; `announce(key, values)` has screen readers read a sentence. */
  constructor(box, { windowOf, attach, announce }) {
    this.#box = box;
    this.#text = box.querySelector('span');
    this.#announce = announce;
    this.#windowOf = windowOf;
    box.querySelector('button').addEventListener('click', attach);
  }

  /** Call this when the text in the field has changed. */
  update({ length }) {
    const limit = CHARACTERS_PER_TOKEN * (this.#windowOf() ?? Infinity);
    const level = length > limit ? 'over' : length >= NEAR * limit ? 'near' : '';
    this.#box.hidden = !level;
    this.#box.classList.toggle('over', level === 'over');
    if (level) say(this.#text, `page-length-${level}`, { count: length, limit });
    if (level === this.#level) return;
    this.#level = level;
    clearTimeout(this.#timer);
    if (level) this.#timer = setTimeout(() => this.#announce(`page-length-${level}`, { count: length, limit }), PAUSE_MS);
  }
}
