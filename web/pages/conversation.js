/** One conversation with one personality: its session, the question under way, and coming back after a lost connection.
 *
 * Knows no DOM. What happens is told to `tell(event)`: the server's frames as docs/protocols.md has them, and
 *   {type: "restored", turns}   an earlier conversation goes on
 *   {type: "expired"}           the service no longer has it
 *   {type: "connection", state} "connecting", "lost", "back", where the person should know
 *   {type: "error", code}       without `message`: the connection failed (codes in `strings`)
 * After each `ask` there is exactly one `done` or `error`.
 */

import { Memory } from './memory.js';
import { Socket, backoff, deferred, pause } from './socket.js';

const STOP_WITHIN_MS = 5000;
const RESUME_WITHIN_MS = 10_000;
const FORGET_WITHIN_MS = 5000;
const TOO_LARGE = 1009; // a closing code of RFC 6455

export class Conversation {
  #tell;
  #socket = null;
  #connecting = null; // the promise that several wait for
  #resuming = null;
  #forgetting = null;
  #question = null; // {text, sent} of the one under way
  #settled = null; // kept when the question under way is over
  #returning = false;
  #left = false;

  constructor(personality, tell) {
    this.memory = new Memory(personality);
    this.personality = personality;
    this.#tell = (event) => !this.#left && tell(event);
  }

  get answering() {
    return this.#question !== null;
  }

  /** Continues the tab's earlier conversation, if there was one. A new one connects with its first question. */
  start() {
    if (this.memory.session) this.#return();
  }

  /** `attachments`: [{name, text}]. */
  async ask(text, language, attachments) {
    const question = { text, sent: false };
    this.#question = question;
    this.#settled = deferred();
    this.memory.pending = text;
    this.memory.pendingFiles = attachments;
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
    // A connection that is dead without knowing it would keep the person waiting.
    within(promise, STOP_WITHIN_MS).catch(() => this.#abandon());
  }

  /** Deletes the conversation from the service. Resolves to whether that is certain. */
  async forget() {
    try {
      if (this.#question) {
        const { promise } = this.#settled;
        this.stop();
        await promise;
      }
      if (this.memory.session) await this.#delete();
    } catch {
      return false;
    }
    this.memory.pending = '';
    return true;
  }

  /** The page turns to another conversation. An answer under way is cancelled; its question stays in the memory. */
  leave() {
    this.#left = true;
    this.#hangUp();
  }

  async #delete() {
    await this.#connected();
    if (!this.memory.session) return; // while connecting we learned that it is no more
    this.#forgetting = deferred();
    this.#socket.send({ type: 'forget' });
    try {
      await within(this.#forgetting.promise, FORGET_WITHIN_MS);
    } finally {
      this.#forgetting = null;
    }
    this.memory.session = '';
    this.#hangUp();
  }

  /** Resolves when the socket is open and, if there is a session, continues it. */
  #connected() {
    this.#connecting ??= this.#connect().catch((error) => {
      this.#hangUp();
      throw error;
    });
    return this.#connecting;
  }

  async #connect() {
    if (this.#question) this.#tell({ type: 'connection', state: 'connecting' });
    this.#socket = new Socket(this.personality, (frame) => this.#receive(frame), (code) => this.#dropped(code));
    await this.#socket.opened;
    const session = this.memory.session;
    if (!session) return;
    this.#resuming = deferred();
    this.#socket.send({ type: 'resume', session });
    try {
      await within(this.#resuming.promise, RESUME_WITHIN_MS);
    } finally {
      this.#resuming = null;
    }
  }

  #hangUp() {
    this.#socket?.close();
    this.#socket = null;
    this.#connecting = null;
  }

  #receive(frame) {
    if (this.#resuming) this.#resumed(frame);
    else if (this.#forgetting && frame.type === 'forgotten') this.#forgetting.resolve();
    else if (frame.type === 'done' || frame.type === 'error') {
      if (frame.code === 'session_unknown') this.#startAnew();
      this.#end(frame);
    } else {
      if (frame.type === 'session') this.memory.session = frame.session;
      this.#tell(frame);
    }
  }

  /** The session expired, or was deleted in another tab, while we were connected: the next question opens a new one. */
  #startAnew() {
    this.memory.session = '';
    this.#hangUp();
  }

  #resumed(frame) {
    if (frame.type === 'session') {
      this.#tell(frame);
      this.#tell({ type: 'restored', turns: frame.turns });
      this.#resuming.resolve();
    } else if (frame.code === 'session_unknown') {
      this.memory.session = '';
      this.#tell({ type: 'expired' });
      this.#resuming.resolve();
    } else if (frame.type === 'error') {
      this.#resuming.reject(new Error(frame.code));
    }
  }

  /** The question under way is over. */
  #end(event) {
    if (!this.#question) return;
    this.#question = null;
    if (event.type === 'done') this.memory.pending = '';
    this.#settled.resolve();
    this.#tell(event);
  }

  #fail(code) {
    this.#end({ type: 'error', code });
  }

  /** We gave the connection up ourselves. */
  #abandon() {
    this.#hangUp();
    this.#dropped();
  }

  #dropped(code) {
    this.#socket = null;
    this.#connecting = null;
    const lost = new Error('connection lost');
    this.#forgetting?.reject(lost);
    if (this.#resuming) this.#resuming.reject(lost);
    else if (this.#question?.sent) this.#fail(code === TOO_LARGE ? 'tooLarge' : 'dropped');
    if (this.memory.session && !this.#forgetting) this.#return();
  }

  /** Connects again and again, further and further apart, until the session goes on. */
  async #return() {
    if (this.#returning) return;
    this.#returning = true;
    for (let attempt = 0; this.memory.session && !this.#left; attempt += 1) {
      try {
        await this.#connected();
        if (attempt && !this.#question) this.#tell({ type: 'connection', state: 'back' });
        break;
      } catch {
        this.#tell({ type: 'connection', state: 'lost' });
        await pause(backoff(attempt));
      }
    }
    this.#returning = false;
  }
}

/** The promise's value, or a rejection after `ms`. */
function within(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
