/** The messages as people see them: questions, answers with their notes, errors with a way on. Knows no connection. */

import { Answer, showWhere } from './answer.js';
import { hush, label, say } from './language.js';

export class Messages {
  #list;
  #drawn;
  #before = null;

  /** `drawn()` is called when the list may have grown. */
  constructor(list, drawn) {
    this.#list = list;
    this.#drawn = drawn;
  }

  get empty() {
    return !this.#list.querySelector('.question');
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** What the person wrote, shown to the letter. */
  question(text, language) {
    const item = message('question', language);
    say(item.querySelector('h3'), 'you');
    const body = item.querySelector('.body');
    body.textContent = text;
    this.#append(item);
    return item;
  }

  /** An answer of `personality`, empty so far. */
  answer(personality) {
    const item = message('answer', personality.language);
    say(item.querySelector('h3'), 'assistant', { title: personality.title });
    this.#append(item);
    return new ShownAnswer(item, this.#drawn);
  }

  /** An answer that is already whole: the greeting, or one of an earlier visit. */
  whole(text, personality) {
    const answer = this.answer(personality);
    answer.add(text);
    answer.finish();
  }

  /** Something about the conversation that stays true for what is above it. */
  note(key, values) {
    const item = document.createElement('li');
    item.className = 'note';
    this.#append(say(item, key, values));
  }

  /** The messages that `add()` adds go above the questions that are here already. */
  above(add) {
    this.#before = this.#list.querySelector('.question');
    add();
    this.#before = null;
  }

  #append(item) {
    this.#list.insertBefore(item, this.#before);
    this.#drawn();
  }
}

/** A message: who, in the interface's language, and what, in its own. */
function message(kind, language) {
  const item = document.createElement('li');
  item.className = `message ${kind}`;
  const body = document.createElement('div');
  body.className = 'body';
  body.lang = language;
  item.append(document.createElement('h3'), body);
  return item;
}

class ShownAnswer {
  #item;
  #body;
  #answer;
  #drawn;
  #sources = null;

  constructor(item, drawn) {
    this.#item = item;
    this.#body = item.querySelector('.body');
    this.#drawn = drawn;
    this.#answer = new Answer(this.#body, drawn);
    item.classList.add('waiting');
  }

  get empty() {
    return this.#answer.text.trim() === '';
  }

  /** What people see of it. */
  get shown() {
    return this.#body.innerText;
  }

  add(text) {
    this.#answer.add(text);
    if (!this.empty) this.#item.classList.remove('waiting');
  }

  finish() {
    this.#item.classList.remove('waiting');
    this.#answer.finish();
  }

  note(key, values) {
    const note = document.createElement('p');
    note.className = 'note';
    this.#item.append(say(note, key, values));
    this.#drawn();
  }

  /** `source` is a frame of the protocol; an address that is not of the web is not made a link. */
  source({ number, title, url, language }) {
    this.#sources ??= this.#sourceList();
    const entry = document.createElement('li');
    entry.value = number;
    const name = document.createElement(/^https?:\/\//i.test(url ?? '') ? 'a' : 'span');
    name.textContent = title;
    if (language) name.lang = language;
    if (name.matches('a')) {
      name.href = url;
      showWhere(name);
    }
    entry.append(name);
    this.#sources.append(entry);
    this.#drawn();
  }

  #sourceList() {
    const heading = document.createElement('h4');
    const list = document.createElement('ol');
    list.className = 'sources';
    this.#item.append(say(heading, 'sources'), label(list, 'sources'));
    return list;
  }

  /** Why there is no (whole) answer. `detail` is shown by `fill(element)`; `again()` asks once more. */
  fail(fill, again) {
    this.finish();
    const box = document.createElement('div');
    box.className = 'error';
    const what = say(document.createElement('strong'), this.empty ? 'notAnswered' : 'interrupted');
    const detail = document.createElement('span');
    fill(detail);
    box.append(what, ' ', detail);
    const button = say(document.createElement('button'), 'retry');
    button.type = 'button';
    button.addEventListener('click', again);
    box.append(button);
    this.#item.append(box);
    this.#drawn();
    return box;
  }

  /** Takes away the way on, once another was taken. */
  settle() {
    const button = this.#item.querySelector('.error button');
    button?.remove();
  }

  remove() {
    this.#item.remove();
  }
}

/** The one line that says what is going on; the same line twice is not announced twice. */
export class StatusLine {
  #element;
  #shown = '';

  constructor(element) {
    this.#element = element;
  }

  show(key, values = {}) {
    const shown = JSON.stringify([key, values]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    say(this.#element, key, values);
  }

  clear() {
    this.#shown = '';
    hush(this.#element);
  }
}
