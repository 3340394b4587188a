/** The visible messages: questions, answers with notes, and errors with a retry button. */

import { Answer } from './answer.js';
import { clearText, label, say } from '../interface/language.js';
import { Sources } from './sources.js';

export class Messages {
  #list;
  #onDraw;
  #before = null;

  /** `onDraw()` is called when the list may have grown. */
  constructor(list, onDraw) {
    this.#list = list;
    this.#onDraw = onDraw;
  }

  get isEmpty() {
    return !this.#list.querySelector('.question');
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** Adds a question, shown exactly as written, with the names of its files. */
  addQuestion(text, language, names = []) {
    const item = makeMessage('question', language);
    say(item.querySelector('h3'), 'page-you');
    const body = item.querySelector('.body');
    body.textContent = text;
    if (names.length) item.append(listOfFiles(names));
    this.#append(item);
    return item;
  }

  /** Adds an empty answer of `personality`. */
  addAnswer(personality) {
    const item = makeMessage('answer', personality.language);
    say(item.querySelector('h3'), 'page-assistant', { title: personality.title });
    this.#append(item);
    return new AnswerMessage(item, this.#onDraw);
  }

  /** Adds a complete answer: the greeting, or one of an earlier visit with the reason why it ended. */
  addCompleteAnswer(text, personality, { sources = [], reason = 'stop' } = {}) {
    const answer = this.addAnswer(personality);
    for (const source of sources) answer.addSource(source);
    answer.add(text);
    answer.finish();
    if (reason === 'length') answer.addNote('page-done-length');
    // The stored reason does not distinguish a reload from a person's stop.
    else if (reason !== 'stop') answer.addNote(answer.isEmpty ? 'page-not-answered' : 'page-interrupted');
  }

  /** Adds a note about the messages above it, in front of the message `before` or at the end. */
  addNote(key, before, values) {
    const item = document.createElement('li');
    item.className = 'note';
    this.#append(say(item, key, values), before);
    return item;
  }

  /** Whether this question is the first one. */
  isFirst(question) {
    return this.#list.querySelector('.question') === question;
  }

  /** Moves the focus to the latest message. */
  focus() {
    const latest = this.#list.lastElementChild;
    if (!latest) return;
    latest.tabIndex = -1;
    latest.focus({ preventScroll: true });
  }

  /** Places the messages that `add()` adds above the existing questions. */
  insertAbove(add) {
    this.#before = this.#list.querySelector('.question');
    add();
    this.#before = null;
  }

  #append(item, before = this.#before) {
    this.#list.insertBefore(item, before);
    this.#onDraw();
  }
}

/** Makes a message. Its heading is in the interface's language, its body in `language`. */
function makeMessage(kind, language) {
  const item = document.createElement('li');
  item.className = `message ${kind}`;
  const body = document.createElement('div');
  body.className = 'body';
  body.lang = language;
  item.append(document.createElement('h3'), body);
  return item;
}

function listOfFiles(names) {
  const list = label(document.createElement('ul'), 'page-files');
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

class AnswerMessage {
  #item;
  #body;
  #answer;
  #onDraw;
  #sources;

  constructor(item, onDraw) {
    this.#item = item;
    this.#body = item.querySelector('.body');
    this.#onDraw = onDraw;
    this.#sources = new Sources(item);
    this.#answer = new Answer(this.#body, onDraw, (number) => this.#sources.linkTo(number));
    item.classList.add('waiting');
  }

  get isEmpty() {
    return this.#answer.text.trim() === '';
  }

  /** The text that people see. */
  get visibleText() {
    return this.#body.innerText;
  }

  add(text) {
    this.#answer.add(text);
    if (!this.isEmpty) this.#item.classList.remove('waiting');
  }

  finish() {
    this.#item.classList.remove('waiting');
    this.#answer.finish();
  }

  addNote(key, values) {
    const note = document.createElement('p');
    note.className = 'note';
    this.#item.append(say(note, key, values));
    this.#onDraw();
  }

  /** `frame` is a `source` frame of the protocol. */
  addSource(frame) {
    this.#sources.add(frame);
    this.#onDraw();
  }

  /** Shows why the answer failed. `fill(element)` writes the detail. `retry()` asks again; null omits its button. */
  fail(fill, retry) {
    this.finish();
    const box = document.createElement('div');
    box.className = 'error';
    const title = say(document.createElement('strong'), this.isEmpty ? 'page-not-answered' : 'page-interrupted');
    const detail = document.createElement('span');
    fill(detail);
    box.append(title, ' ', detail);
    if (retry) box.append(makeRetryButton(retry));
    this.#item.append(box);
    this.#onDraw();
    return box;
  }

  /** Removes the retry button after the person asked in another way. */
  removeRetry() {
    const button = this.#item.querySelector('.error button');
    button?.remove();
  }

  remove() {
    this.#item.remove();
  }
}

function makeRetryButton(retry) {
  const button = say(document.createElement('button'), 'page-retry');
  button.type = 'button';
  button.addEventListener('click', retry);
  return button;
}

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
