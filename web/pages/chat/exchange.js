/** The latest question and its answer: sending, drawing the answer's events, its end or failure, and asking again. */

import { language, say } from '../interface/language.js';
import { noteInTitle } from '../interface/page_title.js';
import { countWords } from '../interface/spoken_text.js';
import { errorKey, isRetryable, roundWait, statusKey } from './status_texts.js';

export class Exchange {
  #parts;
  #chat;
  // {text, files, language, question, answer, replaced, isStreaming}. `replaced`: the answer that this one replaces, also
  // when that has gone; null: none. `isStreaming`: text has come.
  #current = null;
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

  /** The question, the Markdown of its answer, and whether both replace earlier ones. */
  get texts() {
    return [this.#current.text, this.#current.answer.text, { revises: this.#current.replaced !== null }];
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

  /** Asks the last question again, or `text` in its place. Returns whether it was asked. */
  revise(text) {
    const { composer, messages, status } = this.#parts;
    const obstacle = this.#obstacleInChat();
    if (obstacle) {
      status.show(obstacle);
      return false;
    }
    const revised = { ...messages.latest, isEdited: text !== null };
    this.#send(text ?? revised.question.text, [], revised);
    composer.focus();
    return true;
  }

  stop() {
    if (!this.#chat.isAnswering) return;
    this.#parts.status.show('page-stopping');
    this.#chat.conversation.stop();
  }

  /** The text key of the reason why this question cannot be sent now, or "". */
  #obstacleTo(text) {
    const { attachments, messages, pageLinks } = this.#parts;
    if (!text) return attachments.isEmpty ? '' : 'page-question-missing';
    const obstacle = this.#obstacleInChat();
    if (obstacle) return obstacle;
    if (messages.isEditing) return 'page-editing';
    if (attachments.isReading) return 'page-still-reading';
    if (pageLinks.isReading) return 'page-link-still-reading';
    return attachments.tooLargeKey(text);
  }

  #obstacleInChat() {
    if (!this.#chat.conversation) return 'page-starting-kept';
    if (this.#chat.isDeleting) return 'page-deleting-kept';
    return this.#chat.isAnswering ? 'page-busy' : '';
  }

  /** `revised`: the last question and answer, {question, answer, isEdited}, which this question replaces; or null. */
  #send(text, files, revised = null) {
    const { announcer, autoscroll, composer, messages, pageLinks } = this.#parts;
    const { conversation, personality } = this.#chat;
    const sentText = revised ? text : pageLinks.sentText(text); // the links are those of the question field
    this.#failed?.answer.removeRetry();
    this.#failed = null;
    messages.withdrawRevision();
    const question = revised?.question ?? messages.addQuestion(text, personality.language, { files: namesOf(files) });
    if (revised) replaceQuestion(revised, text);
    const replaced = revised?.answer ?? null;
    const answer = messages.addAnswer(personality);
    const isEdited = revised?.isEdited ?? false;
    this.#current = { text, files, language: language(), question, answer, replaced, isEdited, isStreaming: false };
    announcer.begin();
    composer.isAnswering = true;
    autoscroll.pinLastQuestion();
    conversation.ask(text, this.#current.language, files, { sentText, revises: revised && (revised.answer?.exchange ?? true) });
  }

  /** Begins to show the answer that the service is writing to the last question. */
  follow(text) {
    const { announcer, composer, messages, status } = this.#parts;
    const { personality } = this.#chat;
    const { question } = messages.latest;
    const answer = messages.addAnswer(personality);
    const { language: lang } = personality;
    this.#current = { text, files: [], language: lang, question, answer, replaced: null, isStreaming: false };
    announcer.begin();
    composer.isAnswering = true;
    status.show('page-answering', { title: personality.title });
  }

  /** The handler of each event type of the conversation that is about the answer. */
  handlers = {
    masked: (event) => this.#showMasked(event),
    status: (event) => this.#showState(event),
    source: (event) => this.#addSource(event),
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

  /** Shows the question as it is stored, and says what was taken out of it. */
  #showMasked({ question: text, message }) {
    const { question, language: lang } = this.#current;
    this.#current.text = text;
    question.showMasked(text, message, lang);
    this.#parts.announcer.announceMessage(message, lang);
  }

  #addSource(frame) {
    this.#current.replaced?.remove();
    this.#current.answer.addSource(frame);
  }

  #add(text) {
    this.#current.replaced?.remove();
    const { title } = this.#chat.personality;
    // Only once: a notice that appears during the answer must stay readable.
    if (!this.#current.isStreaming) this.#parts.status.show('page-answering', { title });
    this.#current.isStreaming = true;
    this.#current.answer.add(text);
  }

  async #finish({ reason, model: modelName, exchange, usage, receipt }) {
    const { composer, messages, model } = this.#parts;
    const finished = this.#current;
    const { answer, question, replaced } = finished;
    model.check(modelName);
    if (reason !== 'stopped') replaced?.remove();
    if (reason !== 'stop') answer.addNote(`page-done-${reason}`);
    // A person who stops before the first word probably wants to rephrase.
    if (reason === 'stopped' && answer.isEmpty) this.#returnToField(finished);
    answer.addActions({ reason, exchange, model: modelName, usage, at: question.at, receipt });
    await answer.finish();
    if (this.#current !== finished) return; // the person asked on, or went to another conversation
    // Without text, the service may not have stored the question: a revision would replace the one before.
    if (exchange || replaced || !answer.isEmpty) messages.offerRevision();
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
    if (!failed.answer.isEmpty) failed.answer.addActions({ reason: 'failed', at: failed.question.at });
    this.#returnToField(failed);
    if (composer.draft === failed.text) this.#chat.conversation.storage.pending = '';
    await failed.answer.finish();
    if (this.#current !== failed) return;
    composer.isAnswering = false;
    status.clear();
    if (event.code === 'exchange_outdated') this.#keepOutdated(failed);
  }

  /** Another tab has asked on meanwhile: its turns will be shown in the place of this question, which stays as a draft. */
  #keepOutdated({ text, isEdited }) {
    const { composer, status } = this.#parts;
    if (isEdited) composer.draft = [text, composer.draft].filter(Boolean).join('\n\n');
    status.show('page-exchange-outdated');
  }

  /** Puts a question back into the field, so that the person can change it. A revised one stays where it is. */
  #returnToField({ text, files, replaced }) {
    const { attachments, composer } = this.#parts;
    if (composer.draft || replaced) return;
    composer.draft = text;
    attachments.restore(files);
  }

  #askAgain() {
    const { attachments, composer, status } = this.#parts;
    const { text, files, question, answer, replaced } = this.#failed;
    if (replaced) {
      answer.remove();
      this.#send(text, files, { question, answer: replaced, isEdited: this.#failed.isEdited });
      composer.focus();
      return;
    }
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

const namesOf = (files) => files.map(({ name }) => name);

/** Shows the new text of a question. Its answer stays until the new one begins. */
function replaceQuestion({ question, answer }, text) {
  question.text = text;
  answer.markAsReplaced();
}

/** Writes why an answer failed. The service's message is in the language of the question; our own texts follow the
 * interface. */
function fillReason(detail, { code, message }, { files, language: lang }) {
  if (message) Object.assign(detail, { textContent: message, lang });
  else say(detail, errorKey(code, files));
}
