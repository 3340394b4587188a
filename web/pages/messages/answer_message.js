/** One answer on the page: its text, sources and notes, and the error that ended it. */

import { Answer } from './answer.js';
import { say } from '../interface/language.js';
import { makeAloudButton } from '../speech/aloud_button.js';
import { makeMessage } from './message.js';
import { Sources } from './sources.js';

export class AnswerMessage {
  element;
  #body;
  #answer;
  #onDraw;
  #sources;

  /** `onDraw()` is called when the answer may have grown. */
  constructor({ title, language }, onDraw) {
    this.element = makeMessage('answer', language, 'page-assistant', { title });
    this.#body = this.element.querySelector('.body');
    this.#body.after(makeAloudButton(this.#body));
    this.#onDraw = onDraw;
    this.#sources = new Sources(this.element);
    this.#answer = new Answer(this.#body, onDraw, (number) => this.#sources.linkTo(number));
    this.element.classList.add('waiting', 'growing');
  }

  get isEmpty() {
    return this.#answer.text.trim() === '';
  }

  /** The element with the answer's content. */
  get body() {
    return this.#body;
  }

  /** The answer as the model wrote it. */
  get text() {
    return this.#answer.text;
  }

  get sourceCount() {
    return this.element.querySelectorAll('.sources > li').length;
  }

  /** Makes ready to draw text that will come. */
  prepare() {
    this.#answer.prepare();
  }

  add(text) {
    this.#answer.add(text);
    if (!this.isEmpty) this.element.classList.remove('waiting');
  }

  /** Shows a complete text. Resolves when it is drawn. */
  show(text) {
    this.element.classList.remove('waiting', 'growing');
    return this.#answer.show(text);
  }

  /** Resolves when the whole answer is drawn. */
  finish() {
    this.element.classList.remove('waiting', 'growing');
    return this.#answer.finish();
  }

  addNote(key, values) {
    const note = document.createElement('p');
    note.className = 'note';
    this.element.append(say(note, key, values));
    this.#onDraw();
  }

  /** `frame` is a `source` frame of the protocol. */
  addSource(frame) {
    this.#sources.add(frame);
    this.#answer.updateCitations();
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
    const reason = document.createElement('p');
    reason.setAttribute('role', 'alert');
    reason.append(title, ' ', detail);
    box.append(reason);
    if (retry) box.append(makeRetryButton(retry));
    this.element.append(box);
    this.#onDraw();
  }

  /** Removes the retry button after the person asked in another way. */
  removeRetry() {
    const button = this.element.querySelector('.error button');
    button?.remove();
  }

  remove() {
    this.element.remove();
  }
}

function makeRetryButton(retry) {
  const button = say(document.createElement('button'), 'page-retry');
  button.type = 'button';
  button.addEventListener('click', retry);
  return button;
}
