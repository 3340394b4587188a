/** Values that the browser keeps: which conversation a tab shows, and for each conversation the draft and the pending
 * question; and the attachments of the next question.
 *
 * All but the draft go when the tab is closed. Each tab keeps its own draft, so that two tabs do not disturb each other;
 * a copy in localStorage, of the tab that typed last, survives the tab.
 */

import { load, store, storedKeys } from '../browser/storage.js';

const ISSUED_DRAFT = 'draft:web:'; // of a conversation that has begun

const toJson = (list) => (list.length ? JSON.stringify(list) : '');
const fromJson = (text) => JSON.parse(text || '[]');

/** Returns whether the browser keeps them over a reload. */
export const storeAttachments = (attachments) => store('sessionStorage', 'files', toJson(attachments));
export const loadAttachments = () => fromJson(load('sessionStorage', 'files'));

/** Deletes the draft of a conversation that is deleted. */
export function deleteDraft(session) {
  for (const storage of ['sessionStorage', 'localStorage']) store(storage, `draft:${session}`, '');
}

/** Deletes the drafts of conversations that are not among `ids`: they have expired, or another device deleted them. */
export function keepDraftsOf(ids) {
  const kept = new Set(ids);
  const names = storedKeys('localStorage').flatMap((key) => (key.startsWith(ISSUED_DRAFT) ? [key.slice('draft:'.length)] : []));
  for (const session of names) if (!kept.has(session)) store('localStorage', `draft:${session}`, '');
}

/** Lets the tab's next conversation with a personality be a new one, if its latest one is deleted. */
export function leaveDeleted(personality, session) {
  const key = `session:${personality}`;
  if (load('sessionStorage', key) === session) store('sessionStorage', key, '');
}

export class ConversationStorage {
  #session;

  /** `session`: the conversation's id; "": a new one; undefined: the one that this tab showed last. */
  constructor(personality, session) {
    this.personality = personality;
    this.#session = session ?? load('sessionStorage', `session:${personality}`);
    this.#storeSession();
  }

  get session() {
    return this.#session;
  }

  /** Draft and pending question stay with the conversation when it gets its id, or loses it. */
  set session(value) {
    if (value === this.#session) return;
    const { draft, pending, pendingAttachments } = this;
    this.draft = this.pending = '';
    this.#session = value;
    this.#storeSession();
    if (draft) this.draft = draft;
    this.pending = pending;
    this.pendingAttachments = pendingAttachments;
  }

  /** The service no longer has the conversation: the next question begins another one, with this draft. */
  forgetSession() {
    const old = this.#session;
    this.session = '';
    if (old) deleteDraft(old);
  }

  /** The text in the question field. */
  get draft() {
    return load('sessionStorage', this.#key('draft')) || load('localStorage', this.#key('draft'));
  }

  set draft(value) {
    const key = this.#key('draft');
    const isOwn = load('localStorage', key) === load('sessionStorage', key); // another tab's draft stays
    store('sessionStorage', key, value);
    if (value || isOwn) store('localStorage', key, value);
  }

  /** The question that was sent and has no complete answer yet. After a reload it becomes the draft again. */
  get pending() {
    return load('sessionStorage', this.#key('pending'));
  }

  set pending(value) {
    store('sessionStorage', this.#key('pending'), value);
    if (!value) this.pendingAttachments = [];
  }

  get pendingAttachments() {
    return fromJson(load('sessionStorage', this.#key('pendingFiles')));
  }

  set pendingAttachments(attachments) {
    store('sessionStorage', this.#key('pendingFiles'), toJson(attachments));
  }

  #key(value) {
    return `${value}:${this.#session || this.personality}`;
  }

  #storeSession() {
    store('sessionStorage', `session:${this.personality}`, this.#session);
  }
}
