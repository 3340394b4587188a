/** The open conversation: opening one, showing its earlier turns, and what happens when it is lost or deleted. */

import { Conversation } from '../conversation/conversation.js';
import { showIntroduction } from '../personality/chooser.js';
import { Exchange } from './exchange.js';
import { Transcript } from './transcript.js';

export class Chat {
  #parts;
  #exchange;
  #handlers;
  #transcript = new Transcript();
  #awaitsRestore = false; // the service has not sent the earlier visit's conversation yet
  personality = null; // its description
  conversation = null;
  isDeleting = false;

  /** `parts`: the parts of the page (page.js). */
  constructor(parts) {
    this.#parts = parts;
    this.#exchange = new Exchange(parts, this);
    this.#handlers = { ...this.#ownHandlers(), ...this.#exchange.handlers };
  }

  get isAnswering() {
    return Boolean(this.conversation?.isAnswering);
  }

  ask(text) {
    return this.#exchange.ask(text);
  }

  stop() {
    this.#exchange.stop();
  }

  /** Call this when the messages may have grown. */
  onDraw() {
    if (this.isAnswering) this.#exchange.announce();
  }

  /** Switches to a personality: its earlier conversation in this tab, or a new one. */
  switchTo(personality) {
    this.conversation?.close();
    this.personality = personality;
    showIntroduction(personality);
    this.#begin();
    this.#parts.model.switchTo(personality);
    this.conversation.start();
  }

  /** Begins an empty conversation with the current personality. */
  #begin() {
    const { announcer, autoscroll, composer, status } = this.#parts;
    const { personality } = this;
    this.#exchange.begin();
    this.conversation = new Conversation(personality.personality, (event) => this.#onEvent(event));
    composer.switchTo(this.conversation.storage);
    composer.isAnswering = false;
    status.clear();
    announcer.begin();
    this.#clear();
    autoscroll.toStart();
    this.#awaitsRestore = Boolean(this.conversation.storage.session);
    if (!this.#awaitsRestore) this.#restoreDraft();
  }

  /** Removes all messages but the greeting. */
  #clear() {
    const { composer, messages } = this.#parts;
    const { personality } = this;
    const { activeElement } = document;
    this.#transcript.reset();
    messages.clear();
    if (document.activeElement !== activeElement) composer.focus(); // the focus was in a message
    if (personality.greeting) messages.addCompleteAnswer(personality.greeting, personality);
  }

  /** Turns a question that had no answer before the reload into the draft. */
  #restoreDraft() {
    const { attachments, composer } = this.#parts;
    const { storage } = this.conversation;
    if (!storage.pending || this.isAnswering) return; // a running question is already on the page
    composer.draft = [storage.pending, composer.draft].filter(Boolean).join('\n\n');
    attachments.restore(storage.pendingAttachments);
    storage.pending = '';
  }

  #onEvent(event) {
    this.#handlers[event.type]?.(event); // the protocol asks clients to ignore unknown types
    if (event.type === 'done' || event.type === 'error') this.#transcript.add(...this.#exchange.texts);
  }

  /** The handler of each event type of the conversation that is not about an answer. */
  #ownHandlers() {
    const { model, status } = this.#parts;
    return {
      session: (event) => model.update(event),
      restored: (event) => this.#show(event),
      expired: () => this.#noteExpired(),
      connection({ state }) {
        if (state !== 'back' || !status.isShowing('page-expired')) status.show(`page-connection-${state}`);
      },
    };
  }

  /** Shows the turns of an earlier visit, or those that another tab has added. An answer that is being written follows. */
  #show({ turns, answering }) {
    if (this.#awaitsRestore) this.#restore(turns);
    else this.#update(turns);
    this.#transcript.reset(turns);
    if (answering) this.#exchange.follow(turns.at(-1).text);
  }

  async #restore(turns) {
    this.#awaitsRestore = false;
    const { autoscroll, messages, status } = this.#parts;
    const { conversation } = this;
    this.#restoreDraft();
    const drawings = messages.insertAbove(() => this.#add(turns));
    autoscroll.pinLastQuestion();
    await Promise.all(drawings);
    if (!turns.length || this.conversation !== conversation || this.isAnswering) return;
    status.show(turns.at(-1).role === 'user' ? 'page-restored-unanswered' : 'page-restored');
  }

  #update(turns) {
    const added = this.#transcript.findNew(turns);
    if (!added) this.#clear();
    this.#add(added ?? turns);
  }

  /** Adds messages. Returns promises: each answer is drawn. */
  #add(turns) {
    const { messages } = this.#parts;
    const drawings = [];
    for (const { role, text, attachments: names, ...ending } of turns) {
      if (role === 'user') messages.addQuestion(text, this.personality.language, names);
      else drawings.push(messages.addCompleteAnswer(text, this.personality, ending));
    }
    return drawings;
  }

  #noteExpired() {
    const { messages, status } = this.#parts;
    if (this.isAnswering) this.#noteExpiredAbove(this.#exchange.question);
    else if (!messages.isEmpty) {
      messages.addNote('page-expired');
      status.show('page-expired');
    }
    if (this.#awaitsRestore) this.#restoreDraft();
    this.#awaitsRestore = false;
  }

  /** Notes that the messages above the question are gone and that it starts a new conversation. */
  #noteExpiredAbove(question) {
    const { announcer, messages } = this.#parts;
    if (messages.isFirst(question)) return;
    messages.addNote('page-expired-above', question);
    announcer.announce('page-expired-above');
  }

  onModelAvailable(isAvailable) {
    const { status } = this.#parts;
    if (!isAvailable && !this.isAnswering) status.show('page-model-away');
    if (isAvailable && status.withdraw('page-model-away')) status.show('page-model-back');
  }

  /** Notes in the conversation that another model answers from here on. An answer under way is the earlier one's, and
   * keeps its status. */
  onModelChange(name) {
    const { announcer, messages, status } = this.#parts;
    if (messages.isEmpty) {
      status.show('page-model-changed', { model: name });
      return;
    }
    messages.addNote('page-model-changed', null, { model: name });
    announcer.announce('page-model-changed', { model: name });
  }

  /** Whether there is nothing to delete. */
  get isEmpty() {
    return this.#parts.messages.isEmpty && !this.conversation.storage.session;
  }

  /** Deletes the conversation. No question can be sent meanwhile, because it would be deleted too. */
  async delete() {
    const { composer, status } = this.#parts;
    const old = this.conversation;
    this.isDeleting = true;
    status.show('page-deleting');
    const isDeleted = await old.forget();
    this.isDeleting = false;
    if (isDeleted && this.conversation === old) {
      old.close();
      this.#begin();
    }
    status.show(isDeleted ? 'page-forgotten' : 'page-not-forgotten');
    composer.focus();
  }
}
