/** The latest question and its answer: sending, drawing the answer's events, its end or failure, and asking again. */

import { language, say } from '../interface/language.js';
import { noteInTitle } from '../interface/page_title.js';
import { countWords } from '../interface/spoken_text.js';
import { errorKey, isRetryable, roundWait, statusKey } from './status_texts.js';

export class Exchange {
  #parts;
  #chat;
  #current = null; // {text, files, language, question, answer, isStreaming}; `isStreaming`: text has come
  #failed = null; // the exchange whose answer failed

  /** `parts`: the parts of the page (page.js). `chat` has the open conversation and its personality. */
  constructor(parts, chat) {
    this.#parts = parts;
    this.#chat = chat;
  }

  /** The question's message on the page. */
  get question() {
    return this.#current.question;
  }

  /** The question and the Markdown of its answer. */
  get texts() {
    return [this.#current.text, this.#current.answer.text];
  }

  /** Forgets the exchange, because another conversation opens. */
  begin() {
    this.#current = this.#failed = null;
  }

  /** Reads the answer so far to screen readers, if the person wants that. */
  announce() {
    if (this.#current) this.#parts.announcer.update(this.#current.answer.body);
  }

  /** Sends a question. Returns whether it was accepted (also ""). */
  ask(text) {
    const obstacle = this.#obstacleTo(text);
    if (obstacle) this.#parts.status.show(obstacle);
    else if (text) this.#send(text, this.#parts.attachments.take());
    return !obstacle;
  }

  stop() {
    if (!this.#chat.isAnswering) return;
    this.#parts.status.show('page-stopping');
    this.#chat.conversation.stop();
  }

  /** The text key of the reason why this question cannot be sent now, or "". */
  #obstacleTo(text) {
    const { attachments, pageLinks } = this.#parts;
    if (!text) return attachments.isEmpty ? '' : 'page-question-missing';
    if (!this.#chat.conversation) return 'page-starting-kept';
    if (this.#chat.isDeleting) return 'page-deleting-kept';
    if (this.#chat.isAnswering) return 'page-busy';
    if (attachments.isReading) return 'page-still-reading';
    if (pageLinks.isReading) return 'page-link-still-reading';
    return attachments.tooLargeKey(text);
  }

  #send(text, files) {
    const { announcer, autoscroll, composer, messages, pageLinks } = this.#parts;
    const { conversation, personality } = this.#chat;
    const sentText = pageLinks.sentText(text);
    this.#failed?.answer.removeRetry();
    this.#failed = null;
    const names = files.map(({ name }) => name);
    const question = messages.addQuestion(text, personality.language, names);
    const answer = messages.addAnswer(personality);
    this.#current = { text, files, language: language(), question, answer, isStreaming: false };
    announcer.begin();
    composer.isAnswering = true;
    autoscroll.pinLastQuestion();
    conversation.ask(text, this.#current.language, files, sentText);
  }

  /** Begins to show the answer that the service is writing to the last question. */
  follow(text) {
    const { announcer, composer, messages, status } = this.#parts;
    const { personality } = this.#chat;
    const question = messages.lastQuestion;
    const answer = messages.addAnswer(personality);
    this.#current = { text, files: [], language: personality.language, question, answer, isStreaming: false };
    announcer.begin();
    composer.isAnswering = true;
    status.show('page-answering', { title: personality.title });
  }

  /** The handler of each event type of the conversation that is about the answer. */
  handlers = {
    status: (event) => this.#showState(event),
    source: (event) => this.#current.answer.addSource(event),
    text: ({ text }) => this.#add(text),
    done: (event) => this.#finish(event),
    error: (event) => this.#fail(event),
  };

  #showState(event) {
    const { answer } = this.#current;
    this.#current.isStreaming = false;
    const seconds = event.state === 'loading' ? roundWait(event.wait_s) : event.wait_s;
    const { title } = this.#chat.personality;
    const args = { title, position: event.position, seconds, count: event.turns_dropped };
    if (event.state === 'trimmed') answer.addNote(statusKey(event), args);
    const awaitsFirstText = event.state === 'reconnecting' && answer.isEmpty;
    this.#parts.status.show(awaitsFirstText ? 'page-model-awaited' : statusKey(event), args);
  }

  #add(text) {
    const { title } = this.#chat.personality;
    // Only once: a notice that appears during the answer must stay readable.
    if (!this.#current.isStreaming) this.#parts.status.show('page-answering', { title });
    this.#current.isStreaming = true;
    this.#current.answer.add(text);
  }

  async #finish({ reason, model: modelName }) {
    const { composer, model } = this.#parts;
    const finished = this.#current;
    const { answer } = finished;
    model.check(modelName);
    if (reason !== 'stop') answer.addNote(`page-done-${reason}`);
    // A person who stops before the first word probably wants to rephrase.
    if (reason === 'stopped' && answer.isEmpty) this.#returnToField(finished);
    await answer.finish();
    if (this.#current !== finished) return; // the person asked on, or went to another conversation
    composer.isAnswering = false;
    this.#announceEnd(`page-done-${reason}`);
  }

  #announceEnd(key) {
    const { answer } = this.#current;
    const values = { words: countWords(answer.text), sources: answer.sourceCount };
    this.#parts.status.showEnd(key, values, { body: answer.body, title: this.#chat.personality.title });
    noteInTitle('page-title-answered');
  }

  async #fail(event) {
    const { announcer, composer, status } = this.#parts;
    const failed = this.#current;
    this.#failed = failed;
    const fill = (detail) => fillReason(detail, event, failed);
    failed.answer.fail(fill, isRetryable(event) ? () => this.#askAgain() : null);
    announcer.begin(); // the error is an alert
    noteInTitle('page-title-failed');
    this.#returnToField(failed);
    if (composer.draft === failed.text) this.#chat.conversation.storage.pending = '';
    await failed.answer.finish();
    if (this.#current !== failed) return;
    composer.isAnswering = false;
    status.clear();
  }

  /** Puts a question back into the field, so that the person can change it. */
  #returnToField({ text, files }) {
    const { attachments, composer } = this.#parts;
    if (composer.draft) return;
    composer.draft = text;
    attachments.restore(files);
  }

  #askAgain() {
    const { attachments, composer, status } = this.#parts;
    const { text, files, question, answer } = this.#failed;
    const isInField = composer.draft.trim() === text; // possibly with other files by now
    const obstacle = isInField ? this.#obstacleTo(text) : '';
    if (obstacle) {
      status.show(obstacle);
      return;
    }
    if (answer.isEmpty) {
      question.remove();
      answer.remove();
    }
    if (isInField) composer.draft = '';
    this.#send(text, isInField ? attachments.take() : files);
    composer.focus();
  }
}

/** Writes why an answer failed. The service's message is in the language of the question; our own texts follow the
 * interface. */
function fillReason(detail, { code, message }, { files, language: lang }) {
  if (message) Object.assign(detail, { textContent: message, lang });
  else say(detail, errorKey(code, files));
}
