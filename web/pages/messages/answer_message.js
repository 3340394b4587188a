/** One answer on the page: its text, sources, notes and actions, and the error that ended it. */

import { ActionRow } from './actions/action_row.js';
import { addCodeButtons } from './actions/code_copying.js';
import { Answer } from './answer.js';
import { say } from '../interface/language.js';
import { makeMessage } from './message.js';
import { markOwnSources } from './own_sources.js';
import { Sources } from './sources.js';

export class AnswerMessage {
  element;
  title;
  // Known when the answer has ended, null if unknown:
  reason = null; // as in `done`, or "failed"
  exchange = null; // its number in the stored conversation
  model = null;
  usage = null;
  at = null; // when it was asked for, a Date
  receipt = null; // the id by which the service's operators find how it was made
  rating = null; // the person's verdict: "good" or "bad"
  #body;
  #answer;
  #onDraw;
  #sources;
  #session;
  #actions = null;
  #drawn = null; // a promise: the whole text is on the page

  /** `onDraw()` is called when the answer may have grown. `session()` returns the id of the conversation. */
  constructor({ title, language }, onDraw, session) {
    this.title = title;
    this.element = makeMessage('answer', language, 'page-assistant', { title });
    this.#body = this.element.querySelector('.body');
    this.#onDraw = onDraw;
    this.#session = session;
    this.#sources = new Sources(this.element);
    this.#answer = new Answer(this.#body, onDraw, (number) => this.#sources.linkTo(number));
    this.element.classList.add('waiting', 'growing');
  }

  get isEmpty() {
    return this.text.trim() === '';
  }

  /** The Markdown. */
  get text() {
    return this.#answer.text;
  }

  /** The element with the answer's content. */
  get body() {
    return this.#body;
  }

  get sourceCount() {
    return this.sources.length;
  }

  /** Makes ready to draw text that will come. */
  prepare() {
    this.#answer.prepare();
  }

  /** The sources as frames of the protocol. */
  get sources() {
    return this.#sources.frames;
  }

  add(text) {
    this.#answer.add(text);
    if (!this.isEmpty) this.element.classList.remove('waiting');
  }

  /** Shows a complete text. Resolves when it is drawn. */
  show(text) {
    this.element.classList.remove('waiting', 'growing');
    this.#drawn = this.#answer.show(text);
    return this.#drawn;
  }

  /** Resolves when the whole answer is drawn. */
  finish() {
    this.element.classList.remove('waiting', 'growing');
    this.#drawn = this.#answer.finish();
    return this.#drawn;
  }

  /** Adds the actions below a finished answer. `facts`: the fields of `done`, or of a turn; `at` as a Date. */
  addActions({ reason, exchange, model, usage, at, receipt, rating }) {
    Object.assign(this, { reason, exchange, model, usage, at, receipt, rating });
    this.#actions = new ActionRow(this, this.#session);
    const drawn = this.#drawn ?? this.finish();
    drawn.then(() => {
      addCodeButtons(this.#body, (copying) => this.#actions.tellCopied(copying));
      markOwnSources(this.#body);
    });
    this.element.append(this.#actions.element);
    this.#onDraw();
  }

  /** Offers to ask again: this answer is the last one. */
  offerRevision() {
    this.#actions?.offerRevision();
  }

  withdrawRevision() {
    this.#actions?.withdrawRevision();
  }

  /** Marks this answer as an earlier one: the next one replaces it when it begins. */
  markAsReplaced() {
    if (this.element.classList.contains('replaced')) return;
    this.element.classList.add('replaced');
    this.#actions?.element.remove();
    this.addNote('page-answer-replaced');
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
