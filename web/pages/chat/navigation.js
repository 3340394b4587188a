/** The page's address: it names the personality and the conversation, can be linked to, and follows back and forward.
 *
 * Who has the id of a conversation without an owner can open it. The address therefore has only ids of the person's own
 * list; the history entry, which nobody copies, has the others.
 */

import { language } from '../interface/language.js';
import { load, store } from '../browser/storage.js';

const KEY = 'personality';

export class Navigation {
  #chat;
  #personalities;
  #listed = new Set(); // ids in the person's list

  /** `personalities`: the descriptions of all of them. */
  constructor(chat, personalities) {
    this.#chat = chat;
    this.#personalities = personalities;
    for (const type of ['opened', 'identified']) chat.addEventListener(type, () => this.#write());
    window.addEventListener('popstate', ({ state }) => this.#follow(state));
  }

  /** The description of a personality; undefined if the service does not have it. */
  describe = (name) => this.#personalities.find(({ personality }) => personality === name);

  /** Opens what the address names: the personality, else this tab's last one, else one of the interface's language; and
   * the conversation, else this tab's last one. */
  start() {
    const { name, session } = this.#target(history.state);
    const requested = this.describe(name) ?? this.describe(load('sessionStorage', KEY));
    const sameLanguage = this.#personalities.find((each) => each.language === language());
    this.#chat.open(requested ?? sameLanguage ?? this.#personalities[0], session);
  }

  /** Opens a conversation as a step that "back" undoes. `session`: see Chat.open. */
  open(name, session) {
    const url = new URL(location.href);
    url.hash = '';
    history.pushState(null, '', url);
    this.#chat.open(this.describe(name), session);
  }

  /** Begins a conversation with the current personality, if the open one has begun. */
  openNew() {
    if (!this.#chat.isEmpty) this.open(this.#chat.personality.personality, '');
  }

  /** The ids of the person's conversations: these may stand in the address. */
  set listed(ids) {
    this.#listed = new Set(ids);
    this.#write();
  }

  hrefOf({ personality, id }) {
    return `?${new URLSearchParams({ personality, conversation: id })}`;
  }

  #target(state) {
    const parameters = new URL(location.href).searchParams;
    const session = parameters.get('conversation') ?? state?.session;
    return { name: parameters.get('personality'), session };
  }

  #write() {
    const { id } = this.#chat;
    const { personality } = this.#chat.personality;
    const url = new URL(location.href);
    store('sessionStorage', KEY, personality); // a reload in the other language must keep the personality
    url.searchParams.set('personality', personality);
    const isPublic = this.#listed.has(id) || url.searchParams.get('conversation') === id;
    if (isPublic && id) url.searchParams.set('conversation', id);
    else url.searchParams.delete('conversation');
    history.replaceState({ session: id }, '', url);
  }

  /** Follows back and forward. A step within the page, such as to a source, changes neither. */
  #follow(state) {
    const { name, session = '' } = this.#target(state);
    const current = this.#chat.personality.personality;
    const isSame = (name ?? current) === current && session === this.#chat.id;
    const isWithin = !state && session === '';
    if (!isSame && !isWithin && this.describe(name)) this.#chat.open(this.describe(name), session);
  }
}
