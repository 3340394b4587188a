/** The card of sources below an answer, and the links between the numbers in the text and its entries.
 *
 * Only `source` frames of the service fill it: nothing that a model writes looks like it.
 */

import { label, say } from '../interface/language.js';
import { makeButton } from './actions/action_row.js';
import { showTarget } from '../markdown/dom_builder.js';

let cards = 0; // on the page: each needs ids of its own

export class Sources {
  #item;
  #frames = new Map(); // by number
  #list = null;
  #id = `sources-${(cards += 1)}`;

  constructor(item) {
    this.#item = item;
  }

  /** Adds the source of a frame, or replaces the one with the same number. */
  add(frame) {
    const { number, title, url, language, fetched_at: fetched } = frame;
    this.#frames.set(number, frame);
    this.#list ??= this.#makeCard();
    const entry = document.createElement('li');
    entry.value = number;
    entry.id = `${this.#id}-${number}`;
    entry.append(makeName(number, title, url, language));
    if (language || fetched) entry.append(makeDetails({ language, fetched }));
    const existing = this.#entry(number);
    if (existing) existing.replaceWith(entry);
    else this.#list.append(entry);
  }

  /** The sources as frames of the protocol, in the order in which they came. */
  get frames() {
    return [...this.#frames.values()];
  }

  /** Makes a link to a source; null if there is no source of that number. */
  linkTo(number) {
    const entry = this.#entry(number);
    if (!entry) return null;
    const link = document.createElement('a');
    link.className = 'cite';
    link.href = `#${entry.id}`;
    link.addEventListener('click', () => this.#offerReturn(number, link));
    return label(link, 'page-source', { number });
  }

  #entry(number) {
    return this.#list?.querySelector(`#${this.#id}-${number}`);
  }

  /** Adds a button to the entry that leads back to the number from which the person came. */
  #offerReturn(number, link) {
    const entry = this.#entry(number);
    entry.querySelector('button')?.remove();
    const button = makeButton('page-source-back', () => {
      link.focus();
      button.remove();
    }, { number }); // prettier-ignore
    entry.append(button);
  }

  #makeCard() {
    const card = document.createElement('div');
    card.className = 'sources-card';
    card.setAttribute('role', 'group');
    const about = say(document.createElement('p'), 'page-sources-about');
    about.className = 'about';
    const list = document.createElement('ol');
    list.className = 'sources';
    list.setAttribute('role', 'list');
    const heading = say(document.createElement('h4'), 'page-sources-checked');
    card.append(heading, about, list);
    this.#item.append(label(card, 'page-sources-checked'));
    return list;
  }
}

/** Makes a link for web addresses only. A source without a title gets its site's name. */
function makeName(number, title, url, language) {
  const isLink = URL.canParse(url) && /^https?:\/\//i.test(url);
  const element = document.createElement(isLink ? 'a' : 'span');
  const text = document.createElement('span');
  const shownTitle = title?.trim() || (isLink ? new URL(url).host : url);
  if (shownTitle) text.textContent = shownTitle;
  else say(text, 'page-source', { number });
  if (language && title?.trim()) text.lang = language;
  element.append(text);
  if (isLink) {
    showTarget(element, url);
  }
  return element;
}

function makeDetails({ language, fetched }) {
  const element = document.createElement('span');
  element.className = 'details';
  if (!fetched) return say(element, 'page-source-language', { language });
  const key = language ? 'page-source-language-fetched' : 'page-source-fetched';
  return say(element, key, { language, day: new Date(fetched) });
}
