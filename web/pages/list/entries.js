/** The entries of the list in their order. Those that stay keep their elements, and with them the focus. */

import { make, makeButton } from '../interface/elements.js';
import { Entry } from './entry.js';
import { say } from '../interface/language.js';

const FIRST_SHOWN = 40;

export class Entries {
  #act;
  #describe;
  #hrefOf;
  #list = make('ul', 'entries');
  #more;
  #summaries = [];
  #shown = new Map(); // id → Entry
  #limit = FIRST_SHOWN;
  #openId = '';
  element = make('div');

  /** `act`: see Entry. `describe(name)` returns a personality's description; `hrefOf(summary)` the address. */
  constructor(act, describe, hrefOf) {
    this.#act = act;
    this.#describe = describe;
    this.#hrefOf = hrefOf;
    this.#list.setAttribute('role', 'list');
    this.#more = makeButton('page-list-more', () => this.#showAll(), { count: 0 });
    this.element.append(this.#list, this.#more);
    document.addEventListener('languagechange', () => this.#shown.forEach((entry) => entry.showTime()));
  }

  get length() {
    return this.#summaries.length;
  }

  has(id) {
    return this.#summaries.some((each) => each.id === id);
  }

  show(summaries) {
    this.#summaries = summaries;
    const visible = summaries.slice(0, this.#limit);
    this.#removeExcept(new Set(visible.map(({ id }) => id)));
    visible.forEach((summary, at) => this.#place(summary, at));
    this.#more.hidden = summaries.length <= this.#limit;
    if (!this.#more.hidden) say(this.#more, 'page-list-more', { count: summaries.length });
    this.markOpen(this.#openId);
  }

  markOpen(id) {
    this.#openId = id;
    this.#shown.forEach((entry, each) => {
      entry.isOpen = each === id;
    });
  }

  /** Moves the focus to the entry after the one that will be removed, or before it. Returns false if there is none. */
  focusBeside(id) {
    const at = this.#summaries.findIndex((each) => each.id === id);
    const beside = this.#summaries[at + 1] ?? this.#summaries[at - 1];
    this.#shown.get(beside?.id)?.focus();
    return this.#shown.has(beside?.id);
  }

  #place(summary, at) {
    if (!this.#shown.has(summary.id)) this.#shown.set(summary.id, new Entry(this.#act));
    const entry = this.#shown.get(summary.id);
    entry.show(summary, this.#describe(summary.personality), this.#hrefOf(summary));
    const next = this.#list.children[at];
    if (next === entry.element) return;
    const focused = entry.element.contains(document.activeElement) && document.activeElement;
    this.#list.insertBefore(entry.element, next ?? null);
    if (focused) focused.focus(); // an element that moves loses the focus
  }

  #removeExcept(ids) {
    for (const [id, entry] of this.#shown) {
      if (ids.has(id)) continue;
      entry.element.remove();
      this.#shown.delete(id);
    }
  }

  #showAll() {
    const first = this.#summaries[this.#limit].id;
    this.#limit = Infinity;
    this.show(this.#summaries);
    this.#shown.get(first).focus();
  }
}
