/** Builds elements from the worker's plain data. Nothing but what stands here can appear in an answer.
 *
 * There is no HTML: elements are created by name, and texts are text nodes. The worker is not trusted, because it reads
 * what strangers wrote: each tag, class and address is checked here.
 */

import { say } from '../interface/language.js';
import { linkTarget, nameTarget } from './link_target.js';
import { watchOverflow } from './overflow.js';

const TAGS = new Set([
  'p', 'br', 'hr', 'h4', 'h5', 'h6', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a', 'table',
  'thead', 'tbody', 'tr', 'th', 'td', 'div', 'span', 'bdi', 'cite',
]); // prettier-ignore
const CLASSES = new Set([
  'wide', 'code', 'part', 'continued', 'long', 'plain', 'formula', 'control', 'where', 'unfounded', 'left', 'center', 'right', 'number',
  'code-comment', 'code-keyword', 'code-string', 'code-number', 'code-title', 'code-type',
]); // prettier-ignore
// Long tables are displayed as blocks, which some browsers no longer take for tables.
const ROLES = { THEAD: 'rowgroup', TBODY: 'rowgroup', TR: 'row', TH: 'columnheader', TD: 'cell' };
const LANGUAGES = new Set(['en', 'fr']);

export class DomBuilder {
  #root;
  #linkToSource;

  /** `linkToSource(number)` returns a link to the source of that number, or null. */
  constructor(root, linkToSource) {
    this.#root = root;
    this.#linkToSource = linkToSource;
  }

  /** Applies one patch of diff.js. */
  apply({ kind, path, ...change }) {
    const node = path.reduce((parent, index) => parent.childNodes[index], this.#root);
    this.#changes[kind](node, change);
  }

  #changes = {
    insert: (parent, { index, nodes }) => {
      const fragment = document.createDocumentFragment();
      fragment.append(...nodes.map((node) => this.#make(node)));
      if (parent.closest?.('.long')) setRoles(fragment);
      parent.insertBefore(fragment, parent.childNodes[index] ?? null);
      if (parent.matches?.('.wide')) watchOverflow(parent);
    },
    remove: (parent, { index, count }) => {
      for (const node of [...parent.childNodes].slice(index, index + count)) node.remove();
    },
    text: (node, { text }) => {
      node.data = text;
    },
    append: (node, { text }) => node.appendData(text),
    attributes: (node, { attributes }) => this.#setAttributes(node, attributes),
    language: (node, { language }) => {
      if (LANGUAGES.has(language)) node.lang = language;
    },
  };

  #make(node) {
    if (typeof node === 'string') return document.createTextNode(node);
    const { tag, attributes = {}, children } = node;
    if (!TAGS.has(tag)) throw new TypeError(`no element of answers: ${tag}`);
    if (tag === 'cite') return this.makeCitation(Number(attributes.number));
    const element = document.createElement(tag);
    element.append(...children.map((child) => this.#make(child)));
    this.#setAttributes(element, attributes);
    if (tag === 'th') element.scope = 'col';
    if (attributes.class === 'control') element.prepend(makeNotice('page-invisible'));
    if (attributes.class === 'wide' && element.firstElementChild) watchOverflow(element);
    return element;
  }

  #setAttributes(element, { class: name, href, start }) {
    if (CLASSES.has(name)) element.className = name;
    if (element.localName === 'ol' && Number.isInteger(start)) element.start = start;
    if (element.localName === 'a') openElsewhere(element, href);
    if (name !== 'long') return;
    element.setAttribute('role', 'table');
    setRoles(element);
  }

  /** A link to the source of that number. Without such a source, the number says that it is none. */
  makeCitation(number) {
    const link = this.#linkToSource(number);
    const element = link ?? document.createElement('span');
    element.textContent = number;
    if (link) return link;
    element.className = 'uncited';
    element.append(makeNotice('page-no-source'));
    return element;
  }
}

/** Gives a link an address of the kinds that answers may have. It opens in a new tab, and says so. */
function openElsewhere(link, address) {
  const url = linkTarget(address);
  if (!url) {
    link.removeAttribute('href');
    return;
  }
  link.href = url.href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  if (!link.querySelector('.unseen')) link.append(makeNotice('page-new-tab'));
}

/** Gives a link an address, and shows where it leads unless its text does. */
export function showTarget(link, address) {
  const url = linkTarget(address);
  const target = url && nameTarget(url, link.textContent);
  if (target) {
    const where = document.createElement('bdi');
    where.className = 'where';
    where.textContent = ` (${target})`;
    link.append(where);
  }
  openElsewhere(link, address);
}

/** Gives the parts of a table in `place` the roles that their elements have by themselves. */
function setRoles(place) {
  for (const element of place.querySelectorAll('thead, tbody, tr, th, td')) {
    element.setAttribute('role', ROLES[element.tagName]);
  }
}

/** Words for screen readers, which are not copied with the text. */
function makeNotice(key) {
  const notice = document.createElement('span');
  notice.className = 'unseen';
  return say(notice, key);
}
