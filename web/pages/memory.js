/** What a tab keeps over a reload: per personality the key of its session, the draft, and the question under way;
 * and the files that are attached to the next question, whoever is asked.
 *
 * In sessionStorage, not localStorage: the key opens the whole conversation, so on a shared computer it must go when
 * the tab is closed; and two tabs stay two conversations. The service itself keeps the conversation as long as it says.
 */

const PREFIX = 'csps-llm:';
const held = new Map(); // until the page is left: a storage may be switched off, or full

/** `storage` is a name, as merely touching a storage that is switched off throws. */
export function remember(storage, key, value) {
  held.set(`${storage}:${key}`, value);
  try {
    if (value) globalThis[storage].setItem(PREFIX + key, value);
    else globalThis[storage].removeItem(PREFIX + key);
  } catch (error) {
    console.info('not kept over a reload:', key, error.name);
  }
}

/** The kept value, or "". */
export function recall(storage, key) {
  const value = held.get(`${storage}:${key}`);
  if (value !== undefined) return value;
  try {
    return globalThis[storage].getItem(PREFIX + key) ?? '';
  } catch {
    return ''; // switched off: nothing was kept
  }
}

const asJson = (list) => (list.length ? JSON.stringify(list) : '');
const fromJson = (kept) => JSON.parse(kept || '[]');

export const keepFiles = (attachments) => remember('sessionStorage', 'files', asJson(attachments));
export const keptFiles = () => fromJson(recall('sessionStorage', 'files'));

export class Memory {
  constructor(personality) {
    this.personality = personality;
  }

  get session() {
    return recall('sessionStorage', `session:${this.personality}`);
  }

  set session(value) {
    remember('sessionStorage', `session:${this.personality}`, value);
  }

  /** What is being written. */
  get draft() {
    return recall('sessionStorage', `draft:${this.personality}`);
  }

  set draft(value) {
    remember('sessionStorage', `draft:${this.personality}`, value);
  }

  /** What was sent and has no whole answer yet: it becomes the draft again if the page is reloaded before. */
  get pending() {
    return recall('sessionStorage', `pending:${this.personality}`);
  }

  set pending(value) {
    remember('sessionStorage', `pending:${this.personality}`, value);
    if (!value) this.pendingFiles = [];
  }

  /** Its attachments. */
  get pendingFiles() {
    return fromJson(recall('sessionStorage', `pendingFiles:${this.personality}`));
  }

  set pendingFiles(attachments) {
    remember('sessionStorage', `pendingFiles:${this.personality}`, asJson(attachments));
  }
}
