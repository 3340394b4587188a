/** The button of the list of conversations. The list itself is loaded when the page is usable. */

import { load } from '../browser/storage.js';

export const WIDE = '(min-width: 72rem)'; // as in layout.css
export const KEY = 'list';
const OWNER_WITHIN_MS = 5000;

export class ConversationList {
  #button;
  #status;
  #parts = null;
  #panel = null; // a promise
  #resolveOwner;
  /** Resolves when the service has had the chance to give the browser its cookie: a conversation without an owner could
   * be found again by nobody. */
  ownerKnown = new Promise((resolve) => {
    this.#resolveOwner = resolve;
  });

  constructor(button, status) {
    this.#button = button;
    this.#status = status;
    document.documentElement.dataset.list = load('localStorage', KEY);
    button.addEventListener('click', () => this.#use((panel) => panel.toggle()));
  }

  /** Loads the list. `parts`: {chat, navigation, focusConversation}. */
  async start(parts) {
    this.#parts = { ...parts, button: this.#button };
    this.#button.hidden = false;
    setTimeout(this.#resolveOwner, OWNER_WITHIN_MS);
    await this.#use((panel) => panel.refresh());
    this.#resolveOwner();
  }

  search() {
    this.#use((panel) => panel.search());
  }

  async #use(act) {
    this.#panel ??= import('./panel.js').then(({ makePanel }) => makePanel(this.#parts));
    try {
      await act(await this.#panel);
    } catch (error) {
      console.info('the list of conversations is not available:', error.message);
      this.#panel = null;
      this.#status.show('page-list-failed');
    }
  }
}
