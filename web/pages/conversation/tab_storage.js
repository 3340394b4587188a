/** Values that one tab keeps over a reload: for each personality the session key, the draft and the pending question;
 * and the attachments of the next question.
 *
 * The values are in sessionStorage, not localStorage. The session key opens the whole conversation, so on a shared
 * computer it must go when the tab is closed. Two tabs also stay two conversations. The service keeps the conversation.
 */

import { load, store } from '../browser/storage.js';

const toJson = (list) => (list.length ? JSON.stringify(list) : '');
const fromJson = (text) => JSON.parse(text || '[]');

export const storeAttachments = (attachments) => store('sessionStorage', 'files', toJson(attachments));
export const loadAttachments = () => fromJson(load('sessionStorage', 'files'));

export class ConversationStorage {
  constructor(personality) {
    this.personality = personality;
  }

  get session() {
    return load('sessionStorage', `session:${this.personality}`);
  }

  set session(value) {
    store('sessionStorage', `session:${this.personality}`, value);
  }

  /** The text in the question field. */
  get draft() {
    return load('sessionStorage', `draft:${this.personality}`);
  }

  set draft(value) {
    store('sessionStorage', `draft:${this.personality}`, value);
  }

  /** The question that was sent and has no complete answer yet. After a reload it becomes the draft again. */
  get pending() {
    return load('sessionStorage', `pending:${this.personality}`);
  }

  set pending(value) {
    store('sessionStorage', `pending:${this.personality}`, value);
    if (!value) this.pendingAttachments = [];
  }

  get pendingAttachments() {
    return fromJson(load('sessionStorage', `pendingFiles:${this.personality}`));
  }

  set pendingAttachments(attachments) {
    store('sessionStorage', `pendingFiles:${this.personality}`, toJson(attachments));
  }
}
