/** Turns the inline tokens of the parser into nodes. */

import { isCitation } from './answer_text.js';
import { decodeEntities } from './entities.js';
import { showInvisible } from './invisible.js';
import { linkTarget, nameTarget } from './link_target.js';
import { element, joinTexts, styled, textOf } from './nodes.js';

const DEEPEST = 24; // elements within each other; real texts nest less

/** `answerText` decorates the texts. */
export class Inline {
  #answerText;

  constructor(answerText) {
    this.#answerText = answerText;
  }

  nodes(tokens, depth = 0) {
    const parts = joinTexts(tokens.flatMap((token) => this.#parts(token, depth)));
    return joinTexts(parts.flatMap((part) => (typeof part === 'string' ? this.#answerText.decorate(part) : [part])));
  }

  /** Strings that are not decorated yet, and elements. */
  #parts(token, depth) {
    const { type, text = '', tokens = [] } = token;
    if (depth > DEEPEST) return [token.raw];
    if (type === 'strong' || type === 'em' || type === 'del') return [element(type, undefined, this.nodes(tokens, depth + 1))];
    if (type === 'link') return this.#link(token, depth);
    if (type === 'codespan') return [element('code', undefined, showInvisible(text))];
    if (type === 'formula') return [styled('span', 'formula', showInvisible(text))];
    if (type === 'br') return [element('br')];
    if (type === 'checkbox') return [token.checked ? '☑ ' : '☐ '];
    if (type === 'escape' || type === 'unread') return [text];
    // An image's address could send parts of the conversation away, so it is shown as text and never fetched.
    if (type === 'image') return [token.raw];
    return tokens.length ? tokens.flatMap((inner) => this.#parts(inner, depth + 1)) : [decodeEntities(text)];
  }

  /** A link that shows where it leads. The number of a source stays a citation, whatever the model defines for it. */
  #link({ raw, href, tokens, autolink }, depth) {
    if (isCitation(raw) || this.#answerText.isMark(raw)) return [raw];
    const url = linkTarget(autolink ? href : decodeEntities(href));
    const parts = joinTexts(tokens.flatMap((inner) => (inner.type === 'link' ? [inner.text] : this.#parts(inner, depth + 1))));
    if (!url) return parts;
    const children = joinTexts(parts.flatMap((part) => (typeof part === 'string' ? showInvisible(part) : [part])));
    const target = nameTarget(url, children.map(textOf).join(''));
    // Text that runs from right to left stays within its element.
    const shown = [element('bdi', undefined, children)];
    if (target) shown.push(styled('bdi', 'where', [` (${target})`]));
    return [element('a', { href: url.href }, shown)];
  }
}
