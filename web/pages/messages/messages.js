/** The visible messages of a conversation, in their order: questions, answers, and notes between them. */

import { AnswerMessage } from './answer_message.js';
import { say } from '../interface/language.js';
import { QuestionMessage } from './question_message.js';

export class Messages {
  #list;
  #onDraw;
  #before = null;
  #lastQuestion = null;

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

  /** Adds a question with the names of its files. */
  addQuestion(text, language, names = []) {
    const question = new QuestionMessage(text, language, names);
    this.#append(question.element);
    this.#lastQuestion = question;
    return question;
  }

  get lastQuestion() {
    return this.#lastQuestion;
  }

  /** Adds an empty answer of `personality`. */
  addAnswer(personality) {
    const answer = this.#makeAnswer(personality);
    answer.prepare();
    return answer;
  }

  /** Adds a complete answer: the greeting, or one of an earlier visit with the reason why it ended.
   *
   * Resolves when it is drawn.
   */
  addCompleteAnswer(text, personality, { sources = [], reason = 'stop' } = {}) {
    const answer = this.#makeAnswer(personality);
    for (const source of sources) answer.addSource(source);
    const drawing = answer.show(text);
    if (reason === 'length') answer.addNote('page-done-length');
    // The stored reason does not distinguish a reload from a person's stop.
    else if (reason !== 'stop' || answer.isEmpty) answer.addNote(answer.isEmpty ? 'page-not-answered' : 'page-interrupted');
    return drawing;
  }

  #makeAnswer(personality) {
    const answer = new AnswerMessage(personality, this.#onDraw);
    this.#append(answer.element);
    return answer;
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
    this.#before = this.#list.querySelector('.question');
    const added = add();
    this.#before = null;
    return added;
  }

  #append(item, before = this.#before) {
    this.#list.insertBefore(item, before);
    this.#onDraw();
  }
}
