/** The latest tasks and their values, kept in this browser alone until the person deletes them. */

import { load, store } from '../browser/storage.js';
import { say } from '../interface/language.js';

const KEY = 'toil-history';
const ENTRIES = 20;
const LIMIT_CHARS = 500_000;

export class History {
  #parts;
  #onChoose;
  #entries = JSON.parse(load('localStorage', KEY) || '[]');

  /** `parts`: the elements `box` and `forget`. `onChoose(entry)` brings a task back. */
  constructor(parts, onChoose) {
    this.#parts = parts;
    this.#onChoose = onChoose;
    parts.forget.addEventListener('click', () => this.#forget());
    this.#show();
  }

  /** Adds `{prompt, text, schema, value}` as the latest entry. */
  add(task) {
    this.#entries = [{ ...task, at: Date.now() }, ...this.#entries].slice(0, ENTRIES);
    while (JSON.stringify(this.#entries).length > LIMIT_CHARS) this.#entries.pop();
    store('localStorage', KEY, JSON.stringify(this.#entries));
    this.#show();
  }

  /** Writes the dates in the interface's language. */
  translate() {
    this.#show();
  }

  #show() {
    const { box } = this.#parts;
    box.hidden = !this.#entries.length;
    say(box.querySelector('summary'), 'page-toil-history', { count: this.#entries.length });
    box.querySelector('ul').replaceChildren(...this.#entries.map((entry) => this.#makeItem(entry)));
  }

  #makeItem(entry) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    const time = document.createElement('time');
    time.dateTime = new Date(entry.at).toISOString();
    say(time, 'page-toil-history-time', { moment: entry.at });
    button.append(entry.prompt.split('\n', 1)[0].slice(0, 120), time);
    button.addEventListener('click', () => this.#onChoose(entry));
    item.append(button);
    return item;
  }

  #forget() {
    this.#entries = [];
    store('localStorage', KEY, '');
    this.#show();
    document.querySelector('#prompt').focus(); // the button is gone
  }
}
