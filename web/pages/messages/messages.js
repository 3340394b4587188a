/** The visible messages of a conversation, in their order: questions, answers, and notes between them.
 *
 * Messages send the bubbling event "revise" to the list when a person asks the last question again, or another one in
 * its place.
 */

import { AnswerMessage } from './answer_message.js';
import { say } from '../interface/language.js';
import { QuestionMessage } from './question_message.js';

export class Messages {
  #list;
  #onDraw;
  #session;
  #before = null;
  #latest = {}; // the last question and answer
  #byElement = new WeakMap();

  /** `onDraw()` is called when the list may have grown. `session()` returns the id of the conversation. */
  constructor(list, onDraw, session) {
    this.#list = list;
    this.#onDraw = onDraw;
    this.#session = session;
  }

  get isEmpty() {
    return !this.#list.querySelector('.question');
  }

  get isEditing() {
    return this.#latest.question?.isBeingEdited ?? false;
  }

  /** The questions and answers, in their order. */
  get all() {
    return [...this.#list.children].map((element) => this.#byElement.get(element)).filter(Boolean);
  }

  /** The last question and answer. */
  get latest() {
    return this.#latest;
  }

  clear() {
    this.#latest = {};
    this.#list.replaceChildren();
  }

  /** Adds a question. `about`: the names of its `files`, and the Date `at` which it was asked. */
  addQuestion(text, language, about) {
    const question = new QuestionMessage(text, language, about);
    this.#byElement.set(question.element, question);
    this.#append(question.element);
    this.#latest.question?.settle();
    this.#latest = { question };
    return question;
  }
  /** Adds an empty answer of `personality`. */
  addAnswer(personality) {
    const answer = this.#makeAnswer(personality);
    answer.prepare();
    return answer;
  }

  /** Resolves when the greeting is drawn. */
  addGreeting(personality) {
    return this.#makeAnswer(personality).show(personality.greeting);
  }

  /** Adds a question of an earlier visit, as a `session` frame has it. */
  addTurnsQuestion({ text, attachments: files, at }, personality) {
    this.addQuestion(text, personality.language, { files, at: at ? new Date(at) : null });
  }

  /** Adds an answer of an earlier visit, as a `session` frame has it. Resolves when it is drawn. */
  addTurnsAnswer({ text, at, sources = [], ...facts }, personality) {
    const answer = this.#makeAnswer(personality);
    for (const source of sources) answer.addSource(source);
    const drawing = answer.show(text);
    if (facts.reason === 'length') answer.addNote('page-done-length');
    // The stored reason does not distinguish a reload from a person's stop.
    else if (facts.reason !== 'stop' || answer.isEmpty) answer.addNote(answer.isEmpty ? 'page-not-answered' : 'page-interrupted');
    answer.addActions({ ...facts, at: at ? new Date(at) : null });
    return drawing;
  }

  #makeAnswer(personality) {
    const answer = new AnswerMessage(personality, this.#onDraw, this.#session);
    this.#byElement.set(answer.element, answer);
    this.#append(answer.element);
    this.#latest.answer = answer;
    return answer;
  }

  /** Lets the person ask the last question again, or edit it. */
  offerRevision() {
    this.#latest.question.offerRevision();
    this.#latest.answer.offerRevision();
  }

  withdrawRevision() {
    this.#latest.question?.withdrawRevision();
    this.#latest.answer?.withdrawRevision();
  }

  /** Adds a note about the messages above it, in front of the question `before` or at the end. */
  addNote(key, before, values) {
    const item = document.createElement('li');
    item.className = 'note';
    this.#append(say(item, key, values), before?.element);
    return item;
  }

  /** Whether this question is the first one. */
  isFirst(question) {
    return this.#list.querySelector('.question') === question.element;
  }

  /** Moves the focus to the latest message. */
  focus() {
    const latest = this.#list.lastElementChild;
    if (!latest) return;
    latest.tabIndex = -1;
    latest.focus({ preventScroll: true });
  }

  /** Places the messages that `add()` adds above the existing questions. Returns what it returns. */
  insertAbove(add) {
    const latest = this.#latest;
    this.#before = this.#list.querySelector('.question');
    if (this.#before) this.#latest = {};
    const added = add();
    if (this.#before) {
      this.#latest.question?.settle();
      this.#latest = latest;
    }
    this.#before = null;
    return added;
  }

  #append(item, before = this.#before) {
    this.#list.insertBefore(item, before);
    this.#onDraw();
  }
}
