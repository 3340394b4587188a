/** One conversation with one personality: its session, its pending question, and reconnection.
 *
 * It calls `onEvent(event)` with the server's frames (docs/protocols.md) and with these events of its own:
 *   {type: "restored", turns, answering}   the conversation as the service has it: an earlier one, or one to which
 *                               another tab has added. `answering`: the answer to the last question follows
 *   {type: "expired"}           the service no longer has the conversation
 *   {type: "connection", state} "connecting", "lost" or "back", if the person should know
 *   {type: "error", code}       without `message`: the connection failed (`code` is a text key), or "empty": no answer
 * Each `ask`, and each answer that follows, ends with exactly one `done` or `error`. An answer goes on without its
 * connection; after a reconnection only its new part becomes an event. This module does not touch the DOM.
 */

import { backoff, deferred, pause } from '../browser/waiting.js';
import { listenToOtherTabs, tellOtherTabs } from './other_tabs.js';
import { PendingQuestion } from './pending_question.js';
import { Socket } from './socket.js';
import { ConversationStorage } from './tab_storage.js';

const STOP_WITHIN_MS = 5000;
const RESUME_WITHIN_MS = 10_000;
const FORGET_WITHIN_MS = 5000;
const LOOK_AGAIN_MS = 5000; // for an answer that another process writes
const LOOKS = 24;
const TOO_LARGE = 1009; // closing code of RFC 6455

export class Conversation {
  #onEvent;
  #ready;
  #socket = null;
  #connecting = null; // a promise that several callers may await
  #resuming = null;
  #forgetting = null;
  #question = null; // the pending PendingQuestion
  #told = null; // the question of which other tabs know
  #settled = null; // a promise: resolved when the pending question is over
  #ignoresAnswer = false; // the answer that comes first is not the pending question's
  #stopsAnswer = false; // the person stopped an answer without a connection
  #reconnecting = false;
  #isLost = false; // and the person knows
  #isStale = false; // another tab has added to the conversation during this tab's answer
  #looks = 0;
  #timer = 0;
  #closed = false;
  #leaveTabs;

  /** `session`: the id of a conversation to continue; "": a new one; without it the tab's latest one, or a new one.
   * `ready`: a promise; nothing is sent before it is resolved. */
  constructor(personality, onEvent, { session, ready } = {}) {
    this.storage = new ConversationStorage(personality, session);
    this.personality = personality;
    this.#ready = ready;
    this.#onEvent = (event) => !this.#closed && onEvent(event);
    this.#leaveTabs = listenToOtherTabs((changed) => changed === this.id && this.#lookAgain());
  }

  /** The secret id of the conversation; "" until its first question. */
  get id() {
    return this.storage.session;
  }

  get isAnswering() {
    return this.#question !== null;
  }

  /** Continues an earlier conversation. A new one connects with its first question. */
  start() {
    if (this.storage.session) this.#reconnect();
  }

  /** `attachments`: [{name, text}]. `sentText`: the text as the service must get it, if it is another one. `revises`: the
   * question replaces the last one, or the exchange of that number if it still is the last one, and takes over its
   * attachments. */
  async ask(text, language, attachments, { sentText = text, revises = false } = {}) {
    const question = this.#expect(new PendingQuestion(text, { sentText }));
    this.storage.pending = text;
    this.storage.pendingAttachments = attachments;
    if (!this.#socket && !this.#isLost) this.#onEvent({ type: 'connection', state: 'connecting' });
    try {
      await this.#connected();
    } catch {
      if (this.#question === question) this.#fail('unreachable');
      return;
    }
    if (this.#question !== question) return; // stopped while connecting
    question.isSent = true;
    const revision = revises && { revises, keeps_attachments: true };
    this.#socket.send({ type: 'prompt', text: sentText, language, attachments, goes_on: true, ...revision });
  }

  stop() {
    if (!this.#question) return;
    if (!this.#question.isSent || !this.#socket || this.#resuming) {
      this.#stopWithoutConnection();
      return;
    }
    const { promise } = this.#settled;
    this.#socket.send({ type: 'stop' });
    // A dead connection that still looks open would make the person wait.
    within(promise, STOP_WITHIN_MS).catch(() => this.#abandon());
  }

  /** Deletes the conversation from the service. Resolves to false if the deletion is uncertain. */
  async forget() {
    try {
      if (this.#question) {
        const { promise } = this.#settled;
        this.stop();
        await promise;
      }
      if (this.storage.session) await this.#delete();
    } catch {
      return false;
    }
    this.storage.pending = '';
    return true;
  }

  /** Ends this object. A running answer goes on. */
  close() {
    this.#closed = true;
    this.#leaveTabs();
    clearTimeout(this.#timer);
    this.#disconnect();
  }

  async #delete() {
    await this.#connected();
    if (!this.storage.session) return; // the session turned out to be gone while connecting
    this.#forgetting = deferred();
    this.#socket.send({ type: 'forget' });
    try {
      await within(this.#forgetting.promise, FORGET_WITHIN_MS);
    } finally {
      this.#forgetting = null;
    }
    this.storage.session = '';
    this.#disconnect();
  }

  /** Resolves when the socket is open and, if there is a session, continues it. */
  #connected() {
    this.#connecting ??= this.#connect().catch((error) => {
      this.#disconnect();
      throw error;
    });
    return this.#connecting;
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#ignoresAnswer = false;
    await this.#ready;
    if (this.#closed) throw new Error('closed');
    this.#socket = new Socket(this.personality, (frame) => this.#onFrame(frame), (code) => this.#onDropped(code));
    await this.#socket.opened;
    const session = this.storage.session;
    if (!session) return;
    this.#resuming = deferred();
    this.#socket.send({ type: 'resume', session });
    try {
      await within(this.#resuming.promise, RESUME_WITHIN_MS);
    } finally {
      this.#resuming = null;
    }
  }

  #disconnect() {
    this.#socket?.close();
    this.#socket = null;
    this.#connecting = null;
  }

  #onFrame(frame) {
    if (this.#resuming) this.#onResumed(frame);
    else if (frame.type === 'forgotten') this.#forgetting?.resolve();
    else if (frame.type === 'done' || frame.type === 'error') this.#onAnswered(frame);
    else if (frame.type === 'session') {
      this.storage.session = frame.session;
      this.#onEvent(frame);
    } else if (!this.#ignoresAnswer) this.#onAnswerFrame(frame);
  }

  #onAnswerFrame(frame) {
    const part = this.#question?.takeNew(frame);
    this.#tellBegun();
    if (frame.type === 'masked' && part) this.storage.pending = this.#question.text;
    if (part) this.#onEvent(part);
  }

  /** Other tabs that show this conversation follow the answer, which the service has begun. */
  #tellBegun() {
    if (!this.#question || this.#question.isFollowed || this.#question === this.#told) return;
    this.#told = this.#question;
    tellOtherTabs(this.id);
  }

  #onAnswered(frame) {
    if (this.#ignoresAnswer) {
      this.#ignoresAnswer = false;
      this.#lookAgain();
      return;
    }
    if (frame.code === 'session_unknown') this.#startNewSession();
    if (frame.code === 'exchange_outdated') this.#isStale = true;
    this.#end(frame);
  }

  /** The session expired, or another tab deleted it, during this connection. The next question opens a new session. */
  #startNewSession() {
    this.storage.forgetSession();
    this.#disconnect();
  }

  #onResumed(frame) {
    if (frame.type === 'session') {
      this.#tellBack();
      this.#onEvent(frame);
      this.#continue(frame);
      this.#resuming.resolve();
    } else if (frame.code === 'session_unknown') {
      this.#tellBack();
      this.storage.forgetSession();
      if (this.#question?.isSent) this.#fail('dropped');
      this.#onEvent({ type: 'expired' });
      this.#resuming.resolve();
    } else if (frame.type === 'error') {
      this.#resuming.reject(new Error(frame.code));
    }
  }

  #tellBack() {
    if (this.#isLost) this.#onEvent({ type: 'connection', state: 'back' });
    this.#isLost = false;
  }

  /** Continues with the turns that the service has, and with the answer that it is writing. */
  #continue({ turns, answering = false }) {
    const asked = turns.findLast(({ role }) => role === 'user')?.text;
    if (asked === this.storage.pending && !this.#question) this.storage.pending = '';
    if (this.#question?.isSent) this.#continueAnswer(turns, answering && this.#question.isSame(asked), asked);
    else if (answering && !this.#question && !this.#stopsAnswer) {
      this.#expect(new PendingQuestion(asked, { isSent: true, isFollowed: true }));
      this.#onEvent({ type: 'restored', turns, answering });
    } else if (!this.#stopsAnswer) this.#onEvent({ type: 'restored', turns, answering: false });
    this.#ignoresAnswer = answering && !(this.#question?.isSent && this.#question.isSame(asked));
    if (this.#stopsAnswer && answering) this.#socket.send({ type: 'stop' });
    this.#stopsAnswer = false;
    if (!answering && turns.at(-1)?.role === 'user') this.#lookAgainLater();
  }

  /** Continues the answer to the pending question after a reconnection: live, or with what the service stored of it. */
  #continueAnswer(turns, isRunning, asked) {
    this.#question.expectReplay();
    if (isRunning) return;
    const { role, sources = [], text, reason, model, exchange, receipt } = turns.at(-1) ?? {};
    if (!this.#question.isSame(asked) || role !== 'assistant') {
      this.#fail('dropped');
      return;
    }
    for (const source of sources) this.#onAnswerFrame({ type: 'source', ...source });
    this.#onAnswerFrame({ type: 'text', text });
    if (reason === 'stop' || reason === 'length') this.#end({ type: 'done', reason, model, exchange, receipt });
    else this.#fail('dropped');
  }

  /** Begins to wait for an answer. */
  #expect(question) {
    this.#question = question;
    this.#settled = deferred();
    return question;
  }

  /** Ends the pending question. */
  #end(event) {
    if (!this.#question) return;
    const isEmpty = event.type === 'done' && event.reason !== 'stopped' && !this.#question.isAnswered;
    if (this.#question.isSent && !this.#question.isFollowed) tellOtherTabs(this.id);
    this.#question = null;
    if (event.type === 'done') this.storage.pending = '';
    this.#settled.resolve();
    this.#onEvent(isEmpty ? { type: 'error', code: 'empty' } : event);
    if (this.#isStale) this.#lookAgain();
  }

  #fail(code) {
    this.#end({ type: 'error', code });
  }

  #stopWithoutConnection() {
    this.#stopsAnswer = this.#question.isSent;
    this.#end({ type: 'done', reason: 'stopped' });
  }

  /** Gives up a connection that does not react. */
  #abandon() {
    this.#stopWithoutConnection();
    this.#disconnect();
    this.#onDropped();
  }

  #onDropped(code) {
    this.#socket = null;
    this.#connecting = null;
    const lost = new Error('connection lost');
    this.#forgetting?.reject(lost);
    if (this.#resuming) this.#resuming.reject(lost);
    else if (code === TOO_LARGE) this.#fail('too_large');
    else if (this.#question?.isSent && !this.storage.session) this.#fail('dropped');
    if (this.storage.session && !this.#forgetting) this.#reconnect();
  }

  /** Reconnects with growing pauses until the session continues. */
  async #reconnect() {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    for (let attempt = 0; this.storage.session && !this.#closed; attempt += 1) {
      try {
        await this.#connected();
        break;
      } catch {
        if (!this.#isLost) this.#onEvent({ type: 'connection', state: 'lost' });
        this.#isLost = true;
        await pause(backoff(attempt));
      }
    }
    this.#reconnecting = false;
    if (this.#isStale && !this.#question) this.#lookAgain();
  }

  #lookAgainLater() {
    this.#looks += 1;
    if (this.#looks <= LOOKS) this.#timer = setTimeout(() => this.#lookAgain(), LOOK_AGAIN_MS);
  }

  /** Shows an answer that another tab, or another process of the service, has written meanwhile. */
  #lookAgain() {
    this.#isStale = this.#question !== null || this.#reconnecting;
    if (this.#isStale || this.#closed || this.#forgetting || !this.storage.session) return;
    this.#disconnect();
    this.#reconnect();
  }
}

/** Resolves like `promise`, or rejects after `ms` milliseconds. */
function within(promise, ms) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
