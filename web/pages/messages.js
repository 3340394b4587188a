/** The messages as people see them: questions, answers with their notes, errors with a way on. Knows no connection. */

import { Answer } from './answer.js';
import { hush, label, say } from './language.js';
import { Sources } from './sources.js';

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

  /** What the person wrote, shown to the letter, and the names of the files that went with it. */
  question(text, language, names = []) {
    const item = message('question', language);
    say(item.querySelector('h3'), 'you');
    const body = item.querySelector('.body');
    body.textContent = text;
    if (names.length) item.append(attached(names));
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

  /** An answer that nothing will be added to: the greeting, or one of an earlier visit with how it ended. */
  past(text, personality, { sources = [], reason = 'stop' } = {}) {
    const answer = this.answer(personality);
    for (const source of sources) answer.source(source);
    answer.add(text);
    answer.finish();
    if (reason === 'length') answer.note(reason);
    // A reload ends an answer as a person does: what is stored does not tell who or what it was.
    else if (reason !== 'stop') answer.note(answer.empty ? 'notAnswered' : 'interrupted');
  }

  /** Something about the conversation that stays true for what is above it. `before`: a message; else it is the last. */
  note(key, before) {
    const item = document.createElement('li');
    item.className = 'note';
    this.#append(say(item, key), before);
    return item;
  }

  /** Whether this question is the first one. */
  begunBy(question) {
    return this.#list.querySelector('.question') === question;
  }

  /** For who wants to read the latest. */
  focus() {
    const latest = this.#list.lastElementChild;
    if (!latest) return;
    latest.tabIndex = -1;
    latest.focus({ preventScroll: true });
  }

  /** The messages that `add()` adds go above the questions that are here already. */
  above(add) {
    this.#before = this.#list.querySelector('.question');
    add();
    this.#before = null;
  }

  #append(item, before = this.#before) {
    this.#list.insertBefore(item, before);
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

function attached(names) {
  const list = label(document.createElement('ul'), 'files');
  list.className = 'files';
  list.setAttribute('role', 'list');
  for (const name of names) {
    const entry = document.createElement('li');
    entry.className = 'chip';
    entry.dir = 'auto';
    entry.textContent = name;
    list.append(entry);
  }
  return list;
}

class ShownAnswer {
  #item;
  #body;
  #answer;
  #drawn;
  #sources;

  constructor(item, drawn) {
    this.#item = item;
    this.#body = item.querySelector('.body');
    this.#drawn = drawn;
    this.#sources = new Sources(item);
    this.#answer = new Answer(this.#body, drawn, (number) => this.#sources.linkTo(number));
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

  /** `frame` is a `source` of the protocol. */
  source(frame) {
    this.#sources.add(frame);
    this.#drawn();
  }

  /** Why there is no (whole) answer. `detail` is shown by `fill(element)`; `again()`, if it may help, asks once more. */
  fail(fill, again) {
    this.finish();
    const box = document.createElement('div');
    box.className = 'error';
    const what = say(document.createElement('strong'), this.empty ? 'notAnswered' : 'interrupted');
    const detail = document.createElement('span');
    fill(detail);
    box.append(what, ' ', detail);
    if (again) box.append(retry(again));
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

function retry(again) {
  const button = say(document.createElement('button'), 'retry');
  button.type = 'button';
  button.addEventListener('click', again);
  return button;
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

  says(key) {
    return this.#element.dataset.string === key;
  }

  /** Takes back what is true no longer, unless something else was said since. Whether it was there. */
  withdraw(key) {
    if (!this.says(key)) return false;
    this.clear();
    return true;
  }
}
