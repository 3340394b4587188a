/** Draws one growing answer: Markdown in, at most one drawing per frame.
 *
 * New text redraws only the last two blocks; the blocks above them are settled. The cost of a frame therefore depends
 * on the length of a paragraph, not of the answer, and a selection in the text above survives.
 */

import { label, say } from '../interface/language.js';
import { render, settledLength } from '../markdown/markdown.js';
import { closeOpenMarkup } from '../markdown/partial_markdown.js';

const PAUSE_FACTOR = 4; // after a drawing of n ms we wait 4n ms: drawing takes at most a fifth of the time
const CITATION = /\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]/g;
const NUMBER = /\d+/g;

export class Answer {
  #element;
  #onDraw; // called after each drawing
  #linkToSource;
  #text = ''; // the whole answer
  #tail = ''; // the part that is not settled
  #live = []; // the nodes that show the tail
  #frame = 0;
  #notBefore = 0;

  /** `linkToSource(number)` returns a link to the source of that number, or null. */
  constructor(element, onDraw, linkToSource) {
    this.#element = element;
    this.#onDraw = onDraw;
    this.#linkToSource = linkToSource;
  }

  get text() {
    return this.#text;
  }

  add(piece) {
    const text = piece.replaceAll('\r', ''); // the parser counts lines without carriage returns
    this.#text += text;
    this.#tail += text;
    this.#frame ||= requestAnimationFrame(this.#draw);
  }

  /** Draws the whole answer again, because a link's address may follow the link by several paragraphs. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#element.replaceChildren(this.#decorated(render(this.#text)));
    this.#onDraw();
  }

  #draw = (now) => {
    if (now < this.#notBefore) {
      this.#frame = requestAnimationFrame(this.#draw);
      return;
    }
    this.#frame = 0;
    const startedAt = performance.now();
    this.#settle();
    this.#replaceLive(render(closeOpenMarkup(this.#tail)));
    this.#onDraw();
    this.#notBefore = now + PAUSE_FACTOR * (performance.now() - startedAt);
  };

  #settle() {
    const length = settledLength(this.#tail);
    if (!length) return;
    this.#replaceLive(render(this.#tail.slice(0, length)));
    this.#live = [];
    this.#tail = this.#tail.slice(length);
  }

  #replaceLive(fragment) {
    for (const node of this.#live) node.remove();
    this.#live = [...this.#decorated(fragment).childNodes];
    this.#element.append(fragment);
  }

  #decorated(fragment) {
    return decorate(fragment, this.#linkToSource, this.#element.lang);
  }
}

/** Adds to sanitised Markdown: the targets of links and citations, and keyboard scrolling of wide elements. */
function decorate(fragment, linkToSource, lang) {
  linkCitations(fragment, linkToSource);
  for (const link of fragment.querySelectorAll('a:not(.cite)')) {
    if (link.protocol.length > 1) showTarget(link);
    else link.replaceWith(...link.childNodes); // the address is invalid: its protocol is only ":"
  }
  for (const code of fragment.querySelectorAll('pre > code')) {
    code.lang = lang;
    makeScrollable(code.parentElement, 'page-code');
  }
  for (const table of fragment.querySelectorAll('table')) {
    const frame = document.createElement('div');
    table.replaceWith(frame);
    frame.append(table);
    table.lang = lang;
    makeScrollable(frame, 'page-table');
  }
  return fragment;
}

function makeScrollable(element, name) {
  element.tabIndex = 0;
  element.setAttribute('role', 'group');
  element.classList.add('wide');
  label(element, name);
}

/** Shows the real address of a link, because the model chose the link's text. */
export function showTarget(link) {
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  const target = link.host || link.pathname; // a mail address has only a path
  // "https://bank.example@evil.example" shows a user name, not its target.
  const textIsTarget = link.textContent === link.getAttribute('href') && !link.username;
  if (!textIsTarget && link.textContent !== target) {
    const address = document.createElement('span');
    address.className = 'where';
    address.textContent = ` (${target})`;
    link.append(address);
  }
  const notice = document.createElement('span');
  notice.className = 'unseen';
  link.append(say(notice, 'page-new-tab'));
}

/** Replaces the numbers of `[1]` and `[1, 2]` in the text of `fragment` by the elements of `linkToSource(number)`. */
function linkCitations(fragment, linkToSource) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (data.search(CITATION) >= 0 && !parentElement?.closest('a, code')) nodes.push(walker.currentNode);
  }
  for (const node of nodes) node.replaceWith(...withLinks(node.data, linkToSource));
}

function withLinks(text, linkToSource) {
  const parts = [];
  let end = 0;
  for (const citation of text.matchAll(CITATION)) {
    for (const number of citation[0].matchAll(NUMBER)) {
      const link = linkToSource(Number(number[0]));
      if (!link) continue;
      const start = citation.index + number.index;
      link.textContent = number[0];
      parts.push(text.slice(end, start), link);
      end = start + number[0].length;
    }
  }
  return [...parts, text.slice(end)];
}
