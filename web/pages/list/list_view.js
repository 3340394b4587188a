/** The list of a person's conversations: search, entries, whose they are, and how long they are kept. */

import { confirmAction } from '../interface/confirmation.js';
import { clearText, say } from '../interface/language.js';
import { deleteDraft, keepDraftsOf, leaveDeleted } from '../conversation/tab_storage.js';
import { make, makeButton, makeText } from '../interface/elements.js';
import { Entries } from './entries.js';
import { OtherTabs } from './other_tabs.js';
import { change, deleteAll, deleteOne, fetchList } from './requests.js';
import { SearchField } from './search_field.js';

const LISTED = 500; // by the service: of older conversations the page knows nothing

export class ListView {
  #chat;
  #navigation;
  #onOpen;
  #tabs = new OtherTabs((deleted) => this.#onChangeElsewhere(deleted));
  #search = new SearchField(() => this.refresh());
  #status = make('p', 'outcome'); // also announces it: the page's own status is silent behind a dialog
  #entries;
  #empty = makeText('p', 'page-list-empty', 'remark');
  #trouble = make('div', 'remark');
  #owner = make('p');
  #kept = make('p');
  #deleteAll = makeButton('page-list-delete-all', () => this.#onDeleteAll());
  #all = []; // the latest list without a search
  #requests = 0;
  element = make('div', 'list');

  /** `onOpen()` is called when the person has opened a conversation. */
  constructor({ chat, navigation, onOpen }) {
    this.#chat = chat;
    this.#navigation = navigation;
    this.#onOpen = onOpen;
    this.#entries = new Entries(
      {
        open: ({ personality, id }) => this.#open(personality, id),
        rename: ({ id }, title) => this.#change(id, { title }, 'page-list-renamed', { title }),
        pin: (summary) => this.#pin(summary),
        delete: (summary) => this.#onDelete(summary),
      },
      navigation.describe,
      navigation.hrefOf,
    );
    this.#build();
    for (const type of ['opened', 'identified']) chat.addEventListener(type, () => this.#entries.markOpen(chat.id));
    chat.addEventListener('opened', () => this.refresh());
    chat.addEventListener('answered', () => this.refresh().then(() => this.#tabs.tell()));
  }

  focusSearch() {
    this.#search.focus();
  }

  /** Asks the service for the list, and shows it. */
  async refresh() {
    const { words } = this.#search;
    this.#requests += 1;
    const request = this.#requests;
    try {
      const list = await fetchList(words);
      if (request === this.#requests) this.#show(list, words);
    } catch {
      if (request === this.#requests) this.#showTrouble('page-list-failed', makeButton('page-retry', () => this.refresh()));
    }
  }

  #build() {
    this.#status.setAttribute('role', 'status');
    const footer = make('footer');
    footer.append(this.#owner, this.#kept, this.#deleteAll);
    footer.hidden = this.#empty.hidden = this.#trouble.hidden = this.#search.element.hidden = true;
    this.element.append(this.#search.element, this.#status, this.#trouble, this.#empty, this.#entries.element, footer);
  }

  #show({ signed_in: isSignedIn, retention_days: days, conversations }, words) {
    this.#entries.show(conversations);
    this.#entries.markOpen(this.#chat.id);
    const isEmpty = !words && !conversations.length;
    this.#search.element.hidden = this.#deleteAll.hidden = isEmpty;
    this.#empty.hidden = !isEmpty;
    if (words) say(this.#status, 'page-list-found', { count: conversations.length });
    else if (this.#status.dataset.text === 'page-list-found') clearText(this.#status);
    say(this.#owner, isSignedIn ? 'page-list-signed-in' : 'page-list-this-browser');
    say(this.#kept, 'page-list-kept', { days });
    this.#owner.parentElement.hidden = false;
    if (!words) this.#onWholeList(conversations);
  }

  #onWholeList(conversations) {
    this.#all = conversations;
    this.#navigation.listed = conversations.map(({ id }) => id);
    const { id, isAnswering } = this.#chat;
    if (conversations.length < LISTED) keepDraftsOf([id, ...conversations.map((each) => each.id)]);
    const isUnlisted = id && !isAnswering && !this.#entries.has(id);
    if (isUnlisted) this.#showTrouble('page-list-unlisted', makeButton('page-list-delete-open', () => this.#onDelete({ id })));
    else if (!navigator.cookieEnabled) this.#showTrouble('page-list-no-cookies');
    else this.#trouble.hidden = true;
  }

  #showTrouble(key, ...buttons) {
    this.#trouble.replaceChildren(makeText('p', key), ...buttons);
    this.#trouble.hidden = false;
  }

  #open(personality, id) {
    if (!this.#navigation.describe(personality)) {
      say(this.#status, 'page-list-personality-gone');
      return;
    }
    if (id !== this.#chat.id) this.#navigation.open(personality, id);
    this.#onOpen();
  }

  #pin({ id, pinned }) {
    return this.#change(id, { pinned: !pinned }, pinned ? 'page-list-was-unpinned' : 'page-list-was-pinned');
  }

  #change(id, fields, key, values) {
    return this.#perform(() => change(id, fields), key, values);
  }

  async #onDelete({ id, title, personality }) {
    const isOpen = id === this.#chat.id;
    if (!(await confirmAction(title ? 'one' : 'open', { title }))) return;
    const act = () => (isOpen ? this.#deleteOpen() : deleteOne(id).catch(ignoreGone));
    const isDone = await this.#perform(act, 'page-list-deleted', {}, [id], () => this.#entries.focusBeside(id));
    if (isDone) forget(personality, id);
  }

  async #deleteOpen() {
    if (!(await this.#chat.delete())) throw new Error('not deleted');
  }

  async #onDeleteAll() {
    if (!(await confirmAction('all'))) return;
    const act = async () => {
      if (this.#chat.id) await this.#deleteOpen();
      await deleteAll();
    };
    const all = this.#all;
    if (!(await this.#perform(act, 'page-list-all-deleted', {}, 'all'))) return;
    for (const { id, personality } of all) forget(personality, id);
  }

  /** Changes the list, tells the other tabs, and shows the outcome. `before()` is called before the list is drawn again. */
  async #perform(act, key, values, deleted, before) {
    try {
      const changed = await act();
      if (changed?.title) values = { ...values, title: changed.title }; // without personal information
    } catch ({ code }) {
      say(this.#status, code === 'personal_information' ? 'page-list-title-refused' : 'page-list-not-changed');
      return false;
    }
    before?.();
    say(this.#status, key, values);
    this.#tabs.tell(deleted);
    await this.refresh();
    return true;
  }

  #onChangeElsewhere(deleted) {
    const { id } = this.#chat;
    if (id && (deleted === 'all' || deleted.includes(id))) this.#chat.noteDeletion();
    else this.refresh();
  }
}

/** Removes what the browser keeps of a deleted conversation. */
function forget(personality, id) {
  deleteDraft(id);
  leaveDeleted(personality, id);
}

/** A conversation that is gone already is as good as deleted. */
function ignoreGone(error) {
  if (error.status !== 404) throw error;
}
