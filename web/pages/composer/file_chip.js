/** One attached file on the page: its name, its state, and buttons that remove it or read it again. */

import { label, say } from '../interface/language.js';

const SLOW_MS = 2000; // what takes longer shows its progress

export class FileChip {
  state = 'reading';
  attachment = null; // {name, text, omissions}, once the file was read
  fault = null; // {reason, values}, if it cannot be read
  abort = new AbortController();
  element = document.createElement('li');
  #state = document.createElement('span');
  #remove = document.createElement('button');
  #extra = null; // a button for this state
  #bar = null;
  #slow = 0;

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
    this.begin();
  }

  /** Shows that the file is being read. */
  begin() {
    this.fault = null;
    this.#setState('reading', 'page-file-reading');
    this.#slow = setTimeout(() => this.#showBar(), SLOW_MS);
  }

  /** `fraction`: the part of the file that was sent. */
  progress(fraction) {
    if (!this.#bar) return;
    if (fraction < 1) {
      this.#bar.value = fraction;
      say(this.#state, 'page-file-sending', { percent: Math.floor(100 * fraction) });
    } else {
      this.#bar.removeAttribute('value');
      say(this.#state, 'page-file-reading');
    }
  }

  /** `omissions`: what the service did not read of the file. */
  complete({ text, omissions }) {
    this.attachment = { name: this.name, text, omissions };
    this.#setState('read', omissions.length ? 'page-file-read-in-part' : 'page-file-read', { characters: text.length });
  }

  /** `fault`: {reason, values}; `reason` is a text key. `retry()` reads the file again; null: that is of no use. */
  fail(fault, retry = null) {
    this.fault = retry ? null : fault;
    this.#setState('failed', fault.reason, fault.values);
    if (retry) this.offer('page-retry', 'page-file-retry', retry);
    scrollIntoList(this.element);
  }

  /** Adds a button, which goes with the file's state. `text` and `name` are text keys. */
  offer(text, name, onClick) {
    this.#extra = document.createElement('button');
    this.#extra.type = 'button';
    this.#extra.className = 'offer';
    this.#extra.addEventListener('click', onClick);
    this.#remove.before(label(say(this.#extra, text), name, { name: this.name }));
  }

  focus() {
    this.#remove.focus();
  }

  #setState(state, key, values) {
    clearTimeout(this.#slow);
    const hadFocus = this.#extra === document.activeElement && this.#extra;
    this.#extra?.remove();
    this.#bar?.remove();
    this.#extra = this.#bar = null;
    if (hadFocus) this.focus();
    this.state = state;
    this.element.className = `chip ${state}`;
    say(this.#state, key, values);
  }

  #showBar() {
    this.#bar = label(document.createElement('progress'), 'page-file-progress', { name: this.name });
    this.#bar.max = 1;
    this.#state.before(this.#bar, ' ');
  }
}

/** Scrolls the list alone; scrollIntoView would scroll the page too. */
function scrollIntoList(item) {
  const list = item.parentElement;
  const top = item.offsetTop - list.offsetTop;
  list.scrollTop = Math.min(top, Math.max(list.scrollTop, top + item.offsetHeight - list.clientHeight));
}
