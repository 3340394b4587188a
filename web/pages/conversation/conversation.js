/** One conversation with one personality: its session, its pending question, and reconnection.
 *
 * It calls `onEvent(event)` with the server's frames (docs/protocols.md) and with these events of its own:
 *   {type: "restored", turns}   an earlier conversation continues
 *   {type: "expired"}           the service no longer has the conversation
 *   {type: "connection", state} "connecting", "lost" or "back", if the person should know
 *   {type: "error", code}       without `message`: the connection failed (`code` is a text key)
 * Each `ask` ends with exactly one `done` or `error`. This module does not touch the DOM.
 */

import { backoff, deferred, pause } from '../browser/waiting.js';
import { Socket } from './socket.js';
import { ConversationStorage } from './tab_storage.js';

const STOP_WITHIN_MS = 5000;
const RESUME_WITHIN_MS = 10_000;
const FORGET_WITHIN_MS = 5000;
const TOO_LARGE = 1009; // closing code of RFC 6455

export class Conversation {
  #onEvent;
  #socket = null;
  #connecting = null; // a promise that several callers may await
  #resuming = null;
  #forgetting = null;
  #question = null; // the pending question: {text, sent}
  #settled = null; // a promise: resolved when the pending question is over
  #reconnecting = false;
  #closed = false;

  /** `session`: the id of a conversation to continue; "": a new one; without it the tab's latest one, or a new one. */
  constructor(personality, onEvent, { session } = {}) {
    this.storage = new ConversationStorage(personality, session);
    this.personality = personality;
    this.#onEvent = (event) => !this.#closed && onEvent(event);
  }

  get isAnswering() {
    return this.#question !== null;
  }

  /** The secret id of the conversation; "" until its first question. */
  get id() {
    return this.storage.session;
  }

  /** Continues an earlier conversation. A new one connects with its first question. */
  start() {
    if (this.storage.session) this.#reconnect();
  }

  /** `attachments`: [{name, text}]. */
  async ask(text, language, attachments) {
    const question = { text, sent: false };
    this.#question = question;
    this.#settled = deferred();
    this.storage.pending = text;
    this.storage.pendingAttachments = attachments;
    try {
      await this.#connected();
    } catch {
      if (this.#question === question) this.#fail('unreachable');
      return;
    }
    if (this.#question !== question) return; // stopped while connecting
    question.sent = true;
    this.#socket.send({ type: 'prompt', text, language, attachments });
  }

  stop() {
    if (!this.#question) return;
    if (!this.#question.sent) {
      this.#end({ type: 'done', reason: 'stopped' });
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

  /** Ends this object. A running answer is cancelled; its question stays in the storage. */
  close() {
    this.#closed = true;
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
    if (this.#question) this.#onEvent({ type: 'connection', state: 'connecting' });
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
    else if (this.#forgetting && frame.type === 'forgotten') this.#forgetting.resolve();
    else if (frame.type === 'done' || frame.type === 'error') {
      if (frame.code === 'session_unknown') this.#startNewSession();
      this.#end(frame);
    } else {
      if (frame.type === 'session') this.storage.session = frame.session;
      this.#onEvent(frame);
    }
  }

  /** The session expired, or another tab deleted it, during this connection. The next question opens a new session. */
  #startNewSession() {
    this.storage.session = '';
    this.#disconnect();
  }

  #onResumed(frame) {
    if (frame.type === 'session') {
      this.#onEvent(frame);
      this.#onEvent({ type: 'restored', turns: frame.turns });
      this.#resuming.resolve();
    } else if (frame.code === 'session_unknown') {
      this.storage.session = '';
      this.#onEvent({ type: 'expired' });
      this.#resuming.resolve();
    } else if (frame.type === 'error') {
      this.#resuming.reject(new Error(frame.code));
    }
  }

  /** Ends the pending question. */
  #end(event) {
    if (!this.#question) return;
    this.#question = null;
    if (event.type === 'done') this.storage.pending = '';
    this.#settled.resolve();
    this.#onEvent(event);
  }

  #fail(code) {
    this.#end({ type: 'error', code });
  }

  /** Gives up a connection that does not react. */
  #abandon() {
    this.#disconnect();
    this.#onDropped();
  }

  #onDropped(code) {
    this.#socket = null;
    this.#connecting = null;
    const lost = new Error('connection lost');
    this.#forgetting?.reject(lost);
    if (this.#resuming) this.#resuming.reject(lost);
    else if (this.#question?.sent) this.#fail(code === TOO_LARGE ? 'too_large' : 'dropped');
    if (this.storage.session && !this.#forgetting) this.#reconnect();
  }

  /** Reconnects with growing pauses until the session continues. */
  async #reconnect() {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    for (let attempt = 0; this.storage.session && !this.#closed; attempt += 1) {
      try {
        await this.#connected();
        if (attempt && !this.#question) this.#onEvent({ type: 'connection', state: 'back' });
        break;
      } catch {
        this.#onEvent({ type: 'connection', state: 'lost' });
        await pause(backoff(attempt));
      }
    }
    this.#reconnecting = false;
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
