/** The field that searches the conversations as the person types, after a short pause. */

import { make, makeText } from '../interface/elements.js';

const PAUSE_MS = 300;
const WORDS_LIMIT_CHARS = 200; // of the service

export class SearchField {
  #input = make('input');
  #timer = 0;
  #latest = '';
  element = make('form', 'search');

  /** `onSearch(words)` is called when the words have changed. */
  constructor(onSearch) {
    Object.assign(this.#input, { type: 'search', id: 'search', maxLength: WORDS_LIMIT_CHARS, autocomplete: 'off' });
    const name = makeText('label', 'page-list-search');
    name.htmlFor = this.#input.id;
    this.element.setAttribute('role', 'search');
    this.element.append(name, this.#input);
    this.#input.addEventListener('input', () => this.#schedule(() => this.#report(onSearch)));
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      clearTimeout(this.#timer);
      this.#report(onSearch);
    });
  }

  get words() {
    return this.#latest;
  }

  focus() {
    this.#input.focus();
  }

  #schedule(report) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(report, PAUSE_MS);
  }

  #report(onSearch) {
    const words = this.#input.value.trim();
    if (words === this.#latest) return;
    this.#latest = words;
    onSearch(words);
  }

  /** Escape empties the field first. It would also close the dialog around it, or stop an answer. */
  #onKey(event) {
    if (event.key !== 'Escape' || !this.#input.value) return;
    event.preventDefault();
    event.stopPropagation();
    this.#input.value = '';
    this.element.requestSubmit();
  }
}
