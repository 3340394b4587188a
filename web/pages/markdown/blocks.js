/** Turns the block tokens of the parser into nodes. */

import { showInvisible } from './invisible.js';
import { element, joinTexts, styled, trimEnd } from './nodes.js';

export const LINES_IN_PART = 40; // of code; a browser lays out each part by itself
export const ROWS_IN_PART = 50; // of a table
export const ITEMS_IN_PART = 100; // of a list
const PARTS_OF_LONG_TABLE = 3;
export const MOST_COLUMNS = 100; // a wider table stays as it is written
const PLAIN_PART = 1000; // characters
const DEEPEST = 24; // blocks within each other; real texts nest less
const FIRST_LEVEL = 4; // below the message's "Whisper (AI)", so that no level is skipped
const LAST_LEVEL = 6;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const NUMBER = /^[\s(+−–-]*[$€£]?\s*[\d][\d\s\u00a0\u202f.,]*\s*(?:%|[$€£°]|[kMGT]?o|[kMGT]?B|ms|s|min|h|kg|km|m)?\)?$/u;

/** The levels of an answer's headings: one below the heading that they belong to, whatever the model wrote. */
export class Outline {
  #depths;

  constructor(depths = []) {
    this.#depths = depths;
  }

  copy() {
    return new Outline([...this.#depths]);
  }

  levelOf(depth) {
    while (this.#depths.at(-1) >= depth) this.#depths.pop();
    this.#depths.push(depth);
    return Math.min(LAST_LEVEL, FIRST_LEVEL + this.#depths.length - 1);
  }
}

/** `inline` makes the nodes of texts, `colour(code, language)` those of code, or null. */
export class Blocks {
  #inline;
  #colour;

  constructor(inline, colour) {
    this.#inline = inline;
    this.#colour = colour;
  }

  nodes(tokens, outline, depth = 0) {
    return tokens.flatMap((token) => this.#block(token, outline, depth));
  }

  #block(token, outline, depth) {
    const { type, tokens = [] } = token;
    if (depth > DEEPEST) return plainText(token.raw);
    if (type === 'space' || type === 'def') return [];
    if (type === 'hr') return [element('hr')];
    if (type === 'heading') return [element(`h${outline.levelOf(token.depth)}`, undefined, this.#inline.nodes(tokens))];
    if (type === 'code') return [this.#code(token)];
    if (type === 'blockquote') return [element('blockquote', undefined, this.nodes(tokens, outline, depth + 1))];
    if (type === 'list') return this.#list(token, outline, depth);
    if (type === 'table') return token.header.length > MOST_COLUMNS ? plainText(token.raw) : [this.#table(token)];
    if (type === 'formulas') return [styled('p', 'formula', showInvisible(token.text))];
    if (type === 'plain' || tokens[0]?.type === 'unread') return plainText(token.raw);
    return [element('p', undefined, trimEnd(this.#inline.nodes(tokens.length ? tokens : [token])))];
  }

  /** A long list is several lists, each of which a browser lays out by itself. The numbers go on. */
  #list({ ordered, start, items }, outline, depth) {
    const nodes = items.map((item) => this.#item(item, outline, depth));
    return divide(nodes, ITEMS_IN_PART).map((part, at) =>
      element(ordered ? 'ol' : 'ul', listAttributes(ordered && start, at * ITEMS_IN_PART), part),
    );
  }

  /** A single paragraph stands in its item directly, so that an item looks the same before and after the next one. */
  #item({ tokens }, outline, depth) {
    const blocks = tokens.filter(({ type }) => type !== 'space' && type !== 'def');
    const texts = blocks.filter(isParagraph);
    if (texts.length > 1) return element('li', undefined, this.nodes(blocks, outline, depth + 1));
    const children = blocks.flatMap((block) =>
      isParagraph(block) || block.type === 'checkbox'
        ? trimEnd(this.#inline.nodes(block.tokens?.length ? block.tokens : [block]))
        : this.#block(block, outline, depth + 1),
    );
    return element('li', undefined, joinTexts(children));
  }

  /** Rows in parts, so that a growing table only adds to its last part. */
  #table({ header, rows }) {
    const head = element('thead', undefined, [this.#row(header, 'th')]);
    const lines = rows.map((row) => this.#row(row, 'td'));
    const parts = divide(lines, ROWS_IN_PART).map((part) => element('tbody', undefined, part));
    return styled('div', 'wide', [element('table', tableAttributes(parts.length), [head, ...parts])]);
  }

  #row(cells, tag) {
    return element('tr', undefined, cells.map((cell) => this.#cell(cell, tag)));
  }

  #cell({ text, align, tokens }, tag) {
    const name = align ?? (NUMBER.test(text) ? 'number' : '');
    return element(tag, name ? { class: name } : undefined, this.#inline.nodes(tokens));
  }

  #code({ text, raw, lang = '' }) {
    const [language] = lang.trim().split(/[\s,{]/);
    const parts = (isClosed(raw) && this.#colour(text, language.toLowerCase())) || uncoloured(text);
    return styled('div', 'code', [element('pre', { class: 'wide' }, [element('code', undefined, parts)])]);
  }
}

/** The attributes of a list of which `count` items stand in the lists before it. `start` is false without numbers. */
export function listAttributes(start, count) {
  const first = start === false ? 1 : start + count;
  const attributes = { ...(first !== 1 && { start: first }), ...(count && { class: 'continued' }) };
  return Object.keys(attributes).length ? attributes : undefined;
}

/** The columns of a long table have a fixed width, so that a browser need not look at all of its rows. */
export function tableAttributes(parts) {
  return parts < PARTS_OF_LONG_TABLE ? undefined : { class: 'long' };
}

const isParagraph = ({ type }) => type === 'text' || type === 'paragraph';

/** Whether `raw` is a code block whose closing fence has come. */
export function isClosed(raw) {
  const [, fence] = FENCE.exec(raw) ?? [];
  const last = raw.trimEnd().split('\n').slice(1).at(-1)?.trim() ?? '';
  return Boolean(fence) && last.startsWith(fence) && last.replaceAll(fence[0], '') === '';
}

/** Code in parts of lines, each ending with a line break. */
function uncoloured(text) {
  const lines = text.split('\n').map((line) => `${line}\n`);
  return divide(lines, LINES_IN_PART).map((part) => styled('span', 'part', showInvisible(part.join(''))));
}

/** Text as it is written, in parts that a browser lays out one by one. */
export function plainText(text) {
  const parts = text.match(new RegExp(`[^]{1,${PLAIN_PART}}(?:\\s|$)|[^]{1,${PLAIN_PART}}`, 'gu')) ?? [];
  return [styled('p', 'plain', parts.map((part) => styled('span', 'part', showInvisible(part))))];
}

/** Divides a list into lists of `size`. */
export function divide(items, size) {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
