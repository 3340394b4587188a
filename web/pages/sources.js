/** What an answer was based on, as a numbered list below it, and the links to it. */

import { showWhere } from './answer.js';
import { label, say } from './language.js';

let lists = 0; // on the page: ids must differ from answer to answer

export class Sources {
  #item;
  #list = null;
  #id = `sources-${(lists += 1)}`;

  constructor(item) {
    this.#item = item;
  }

  /** A frame of the protocol. One whose number is there already takes its place. */
  add({ number, title, url, language, fetched_at: fetched }) {
    this.#list ??= this.#begin();
    const entry = document.createElement('li');
    entry.value = number;
    entry.id = `${this.#id}-${number}`;
    entry.append(name(number, title, url, language));
    if (language || fetched) entry.append(details({ language, fetched }));
    const known = this.#entry(number);
    if (known) known.replaceWith(entry);
    else this.#list.append(entry);
  }

  /** Null where there is no such source. */
  linkTo(number) {
    const entry = this.#entry(number);
    if (!entry) return null;
    const link = document.createElement('a');
    link.className = 'cite';
    link.href = `#${entry.id}`;
    return label(link, 'source', { number });
  }

  #entry(number) {
    return this.#list?.querySelector(`#${this.#id}-${number}`);
  }

  #begin() {
    const heading = document.createElement('h4');
    const list = document.createElement('ol');
    list.className = 'sources';
    this.#item.append(say(heading, 'sources'), label(list, 'sources'));
    return list;
  }
}

/** An address that is not of the web is not made a link. A source without a title goes by its site's name. */
function name(number, title, url, language) {
  const isLink = URL.canParse(url) && /^https?:\/\//i.test(url);
  const element = document.createElement(isLink ? 'a' : 'span');
  const words = document.createElement('span');
  const called = title?.trim() || (isLink ? new URL(url).host : url);
  if (called) words.textContent = called;
  else say(words, 'source', { number });
  if (language && title?.trim()) words.lang = language;
  element.append(words);
  if (isLink) {
    element.href = url;
    showWhere(element);
  }
  return element;
}

function details(values) {
  const element = document.createElement('span');
  element.className = 'details';
  return say(element, 'sourceDetails', values);
}
