/** The open conversation: opening one, showing its earlier turns, and what happens when it is lost or deleted. */

import { Conversation } from '../conversation/conversation.js';
import { showIntroduction } from '../personality/chooser.js';
import { Exchange } from './exchange.js';
import { Transcript } from './transcript.js';

/** Its events: "opened": another conversation is open; "identified": the open one has got its id, or lost it; "answered":
 * an answer has ended. */
export class Chat extends EventTarget {
  #parts;
  #exchange;
  #handlers;
  #transcript = new Transcript();
  #awaitsRestore = false; // the service has not sent the earlier conversation yet
  #restoredKey = 'page-restored'; // the text when it has
  personality = null; // its description
  conversation = null;
  isDeleting = false;

  /** `parts`: the parts of the page (page.js). */
  constructor(parts) {
    super();
    this.#parts = parts;
    this.#exchange = new Exchange(parts, this);
    this.#handlers = { ...this.#ownHandlers(), ...this.#exchange.handlers };
  }

  get isAnswering() {
    return Boolean(this.conversation?.isAnswering);
  }

  /** The id of the open conversation; "" until its first question. */
  get id() {
    return this.conversation?.id ?? '';
  }

  /** Whether nothing has been asked. */
  get isEmpty() {
    return this.#parts.messages.isEmpty && !this.id;
  }

  ask(text) {
    return this.#exchange.ask(text);
  }

  /** Asks the last question again, or `text` in its place. Returns whether it was asked. */
  revise(text) {
    return this.#exchange.revise(text);
  }

  stop() {
    this.#exchange.stop();
  }

  /** Call this when the messages may have grown. */
  onDraw() {
    if (this.isAnswering) this.#exchange.announce();
  }

  /** Opens a conversation. `session`: its id; "": a new one; undefined: this tab's latest one, or a new one. A running
   * answer of the conversation before goes on. */
  open(personality, session) {
    const isOther = this.personality !== personality;
    if (this.conversation) this.#restoredKey = 'page-opened';
    this.conversation?.close();
    this.personality = personality;
    if (isOther) showIntroduction(personality);
    this.#begin(session);
    if (isOther) this.#parts.model.switchTo(personality);
    this.conversation.start();
    this.#report('opened');
  }

  #begin(session) {
    const { announcer, autoscroll, composer, ownerKnown, status } = this.#parts;
    const { personality } = this;
    this.#exchange.begin();
    const options = { session, ready: ownerKnown };
    this.conversation = new Conversation(personality.personality, (event) => this.#onEvent(event), options);
    composer.switchTo(this.conversation.storage);
    composer.isAnswering = false;
    status.clear();
    announcer.begin();
    this.#clear();
    autoscroll.toStart();
    this.#awaitsRestore = Boolean(this.id);
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
    if (personality.greeting) messages.addGreeting(personality);
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
    if (event.type === 'session') this.#report('identified');
    if (event.type === 'done' || event.type === 'error') this.#report('answered');
  }

  #report(type) {
    this.dispatchEvent(new Event(type));
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
    status.show(turns.at(-1).role === 'user' ? 'page-restored-unanswered' : this.#restoredKey);
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
    for (const turn of turns) {
      if (turn.role === 'user') messages.addTurnsQuestion(turn, this.personality);
      else drawings.push(messages.addTurnsAnswer(turn, this.personality));
    }
    if (turns.at(-1)?.role === 'assistant' && !this.isAnswering) messages.offerRevision();
    return drawings;
  }

  /** Says that the service does not have the conversation: it has lost it meanwhile, or a link leads to one that is
   * gone or another person's. */
  #noteExpired() {
    const { messages, status } = this.#parts;
    const key = messages.isEmpty ? 'page-unknown' : 'page-expired';
    if (this.isAnswering) this.#noteExpiredAbove(this.#exchange.question);
    else {
      messages.addNote(key);
      status.show(key);
    }
    if (this.#awaitsRestore) this.#restoreDraft();
    this.#awaitsRestore = false;
    this.#report('identified');
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

  /** Deletes the conversation. No question can be sent meanwhile, because it would be deleted too. Resolves to whether
   * it is deleted. */
  async delete() {
    const { status } = this.#parts;
    const old = this.conversation;
    this.isDeleting = true;
    status.show('page-deleting');
    const isDeleted = await old.forget();
    this.isDeleting = false;
    if (isDeleted && this.conversation === old) this.open(this.personality, '');
    status.show(isDeleted ? 'page-forgotten' : 'page-not-forgotten');
    return isDeleted;
  }

  /** Removes the conversation from the page, because another tab has deleted it. */
  noteDeletion() {
    this.open(this.personality, '');
    this.#parts.status.show('page-deleted-elsewhere');
  }
}
