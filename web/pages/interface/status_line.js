/** The status line: one sentence about the state of the page. */

import { clearText, say } from './language.js';

/** The status line of the page. Screen readers announce a repeated status only once. */
export class StatusLine {
  #element;
  #current = '';

  constructor(element) {
    this.#element = element;
  }

  show(key, values = {}) {
    const status = JSON.stringify([key, values]);
    if (status === this.#current) return;
    this.#current = status;
    say(this.#element, key, values);
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
