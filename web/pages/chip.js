/** One attached file as people see it: its name, what became of it, and a way to take it away. Reads nothing. */

import { reveal } from './edges.js';
import { label, say } from './language.js';

export class Chip {
  state = 'reading';
  attachment = null; // {name, text, cut}, once it was read
  reading = new AbortController();
  element = document.createElement('li');
  #state = document.createElement('span');
  #remove = document.createElement('button');

  constructor(name, removed) {
    this.name = name;
    const words = document.createElement('span');
    words.className = 'words';
    const shown = document.createElement('bdi');
    shown.className = 'name';
    shown.textContent = name;
    words.append(shown, ' ', this.#state);
    this.#state.className = 'state';
    this.#remove.type = 'button';
    this.#remove.textContent = '×';
    this.#remove.addEventListener('click', removed);
    this.element.append(words, label(this.#remove, 'removeFile', { name }));
    this.#become('reading', 'fileReading');
  }

  /** `cut`: the rest of it was too long. */
  read({ text, cut }) {
    this.attachment = { name: this.name, text, cut };
    this.#become('read', cut ? 'fileReadInPart' : 'fileRead', { characters: text.length });
  }

  /** `reason` is a key of strings.js. */
  fail(reason, values) {
    this.#become('failed', reason, values);
    reveal(this.element);
  }

  focus() {
    this.#remove.focus();
  }

  #become(state, key, values) {
    this.state = state;
    this.element.className = `chip ${state}`;
    say(this.#state, key, values);
  }
}
