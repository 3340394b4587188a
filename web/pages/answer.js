/** One answer being written: Markdown that grows, drawn at most once per frame.
 *
 * Only the last two blocks are drawn again when text arrives; what is above them is settled and left alone. So the
 * cost of a frame follows the length of a paragraph, not of the answer, and a selection in the text above survives.
 */

import { linkCitations } from './citations.js';
import { label, say } from './language.js';
import { render, settledLength } from './markdown.js';
import { withNothingOpen } from './underway.js';

const SHARE = 4; // after a drawing of n ms we wait at least 4n: at most a fifth of the time goes into drawing

export class Answer {
  #element;
  #drawn; // called after each drawing
  #cite;
  #text = ''; // all of it
  #tail = ''; // what is not settled yet
  #live = []; // the nodes that show the tail
  #frame = 0;
  #notBefore = 0;

  /** `cite(number)` → a link to the source of that number, or null. */
  constructor(element, drawn, cite) {
    this.#element = element;
    this.#drawn = drawn;
    this.#cite = cite;
  }

  get text() {
    return this.#text;
  }

  add(piece) {
    const text = piece.replaceAll('\r', ''); // the parser counts lines without them
    this.#text += text;
    this.#tail += text;
    this.#frame ||= requestAnimationFrame(this.#draw);
  }

  /** Draws the whole once more, as it was written: a link's address may have come paragraphs after the link. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#element.replaceChildren(this.#decorated(render(this.#text)));
    this.#drawn();
  }

  #draw = (now) => {
    if (now < this.#notBefore) {
      this.#frame = requestAnimationFrame(this.#draw);
      return;
    }
    this.#frame = 0;
    const began = performance.now();
    this.#settle();
    this.#replaceLive(render(withNothingOpen(this.#tail)));
    this.#drawn();
    this.#notBefore = now + SHARE * (performance.now() - began);
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
    return decorate(fragment, this.#cite, this.#element.lang);
  }
}

/** What sanitised Markdown lacks to be usable: where links and citations lead, and scrolling wide things by keyboard. */
function decorate(fragment, cite, lang) {
  linkCitations(fragment, cite);
  for (const link of fragment.querySelectorAll('a:not(.cite)')) {
    if (link.protocol.length > 1) showWhere(link);
    else link.replaceWith(...link.childNodes); // its address was no good: ":" is all the browser makes of it
  }
  for (const code of fragment.querySelectorAll('pre > code')) {
    code.lang = lang;
    scrollable(code.parentElement, 'code');
  }
  for (const table of fragment.querySelectorAll('table')) {
    const frame = document.createElement('div');
    table.replaceWith(frame);
    frame.append(table);
    table.lang = lang;
    scrollable(frame, 'table');
  }
  return fragment;
}

function scrollable(element, name) {
  element.tabIndex = 0;
  element.setAttribute('role', 'group');
  element.classList.add('wide');
  label(element, name);
}

/** A link's words are the model's; where it leads is the truth, so that is shown too. */
export function showWhere(link) {
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
  const where = link.host || link.pathname; // of a mail address there is only a path
  const bare = link.textContent === link.getAttribute('href') && !link.username; // "bank.example@evil.example" is not
  if (!bare && link.textContent !== where) {
    const shown = document.createElement('span');
    shown.className = 'where';
    shown.textContent = ` (${where})`;
    link.append(shown);
  }
  const notice = document.createElement('span');
  notice.className = 'unseen';
  link.append(say(notice, 'newTab'));
}
