/** The line above the field that shows the page's state. The announcer decides what of it screen readers hear. */

import { clearText, say } from './language.js';

export class StatusLine {
  #element;
  #announcer;
  #current = '';

  constructor(element, announcer) {
    this.#element = element;
    this.#announcer = announcer;
  }

  /** Shows a text and announces it. The same one again changes nothing. */
  show(key, values = {}) {
    if (this.#change(key, values)) this.#announcer.announceStatus(key, values);
  }

  /** Shows that an answer ended. `answer`: its text for screen readers (announcer.js). */
  showEnd(key, values, answer) {
    this.#change(key, values);
    this.#announcer.end(key, values, answer);
  }

  #change(key, values) {
    const status = JSON.stringify([key, values]);
    if (status === this.#current) return false;
    this.#current = status;
    say(this.#element, key, values);
    return true;
  }

  clear() {
    this.#current = '';
    clearText(this.#element);
  }

  isShowing(key) {
    return this.#element.dataset.text === key;
  }

  /** Clears the status if it is still `key`. Returns whether it was. */
  withdraw(key) {
    if (!this.isShowing(key)) return false;
    this.clear();
    return true;
  }
}
