/** Finds in the text of an answer: numbers of sources, the service's mark for invented quotations, and hidden signs. */

import { showInvisible } from './invisible.js';
import { element, styled } from './nodes.js';

const CITATION = /\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]/;
const NUMBER = /\d+/g;

/** Whether `text` is a citation such as "[1, 2]" and nothing else. */
export const isCitation = (text) => CITATION.exec(text)?.[0] === text;

/** Decorates texts. `marks` are the exact words that the service puts after a quotation that no source contains. */
export class AnswerText {
  #marks;
  #special;

  constructor(marks) {
    this.#marks = new Set(marks);
    const exact = marks.map((mark) => mark.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    this.#special = new RegExp([CITATION.source, ...exact].join('|'), 'g');
  }

  isMark(text) {
    return this.#marks.has(text);
  }

  /** The nodes of a text outside links and code. */
  decorate(text) {
    const nodes = [];
    let start = 0;
    for (const { 0: found, index } of text.matchAll(this.#special)) {
      nodes.push(...showInvisible(text.slice(start, index)));
      nodes.push(...(this.isMark(found) ? [styled('strong', 'unfounded', [found.slice(1, -1)])] : citations(found)));
      start = index + found.length;
    }
    nodes.push(...showInvisible(text.slice(start)));
    return nodes;
  }
}

/** "[1, 2]" with an element for each number, which the page turns into a link if there is such a source. */
function citations(text) {
  const nodes = [];
  let start = 0;
  for (const { 0: number, index } of text.matchAll(NUMBER)) {
    nodes.push(text.slice(start, index), element('cite', { number: Number(number) }, [number]));
    start = index + number.length;
  }
  return [...nodes, text.slice(start)];
}
