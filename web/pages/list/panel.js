/** The place of the list: beside the conversation on wide screens, a dialog on others. */

import { store } from '../browser/storage.js';
import { loadStyles } from '../browser/styles.js';
import { label } from '../interface/language.js';
import { make, makeButton, makeText } from '../interface/elements.js';
import { KEY, WIDE } from './list.js';
import { ListView } from './list_view.js';

/** Returns the panel when its styles are there. */
export async function makePanel(parts) {
  await loadStyles('list');
  return new Panel(parts);
}

class Panel {
  #button;
  #wide = matchMedia(WIDE);
  #beside = label(make('aside', 'beside'), 'page-list');
  #drawer = label(make('dialog', 'drawer'), 'page-list');
  #content = make('div', 'side');
  #view;

  /** `button` shows and hides the panel. */
  constructor({ button, chat, navigation, focusConversation }) {
    this.#button = button;
    this.#view = new ListView({ chat, navigation, onOpen: () => this.#onOpen(focusConversation) });
    const head = make('div', 'head');
    head.append(makeText('h2', 'page-list'), makeButton('page-close', () => this.#hide()));
    this.#content.append(head, this.#view.element);
    document.querySelector('main').before(this.#beside);
    document.body.append(this.#drawer);
    this.#drawer.addEventListener('click', ({ target }) => target === this.#drawer && this.#drawer.close()); // its backdrop
    this.#drawer.addEventListener('close', () => this.#describe());
    this.#wide.addEventListener('change', () => this.#place());
    this.#place();
  }

  refresh() {
    return this.#view.refresh();
  }

  toggle() {
    if (this.#isShown) this.#hide();
    else this.show();
  }

  show() {
    if (this.#wide.matches) this.#keep('');
    else if (!this.#drawer.open) this.#drawer.showModal();
    this.#describe();
    this.refresh();
  }

  search() {
    this.show();
    this.#view.focusSearch();
  }

  get #isShown() {
    return this.#wide.matches ? document.documentElement.dataset.list !== 'closed' : this.#drawer.open;
  }

  #hide() {
    if (this.#drawer.open) this.#drawer.close();
    else this.#keep('closed');
    this.#describe();
    this.#button.focus();
  }

  #keep(state) {
    store('localStorage', KEY, state);
    document.documentElement.dataset.list = state;
  }

  #place() {
    this.#drawer.close();
    (this.#wide.matches ? this.#beside : this.#drawer).append(this.#content);
    this.#describe();
  }

  #describe() {
    this.#button.setAttribute('aria-expanded', this.#isShown);
  }

  #onOpen(focusConversation) {
    this.#drawer.close();
    focusConversation();
  }
}
