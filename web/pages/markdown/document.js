/** One growing answer in the worker: more Markdown in, patches for the page out.
 *
 * Blocks that more text cannot change are settled: they are neither read nor compared again. The text behind them is
 * read each time, two blocks at the most. Of a long list, table or code block, the beginning is settled too.
 */

import { ITEMS_IN_PART, listAttributes, Outline } from './blocks.js';
import { diffChildren } from './diff.js';
import { continues, growingNode, restOf, settledItems, settledPart, withChildren } from './growing_block.js';
import { read, readBlocks } from './parser.js';
import { closeOpenMarkup } from './partial_markdown.js';
import { References } from './references.js';
import { LanguageCounts } from './text_language.js';

export class GrowingDocument {
  #blocks; // makes nodes of tokens
  #tail = ''; // the text that is not settled
  #live = []; // its nodes
  #first; // the place of the tail's first block among the blocks of the answer
  #shell = null; // that block without children, if some of them are settled
  #base = 0; // their number
  #items = null; // of a list of which that block is the rest: {start, count}, the settled items
  #head = ''; // the lines without which the rest of that block cannot be read
  #length = 0; // the characters before that block
  #within = 0; // its settled characters
  #outline = new Outline();
  #definitions = {};
  #references = new References();
  #languages = new LanguageCounts();

  /** `blocks` makes nodes. `first`: the number of blocks before this text. */
  constructor(blocks, first = 0) {
    this.#blocks = blocks;
    this.#first = first;
  }

  /** What is settled; another document can continue from there. */
  get settled() {
    return { blocks: this.#first, length: this.#length };
  }

  /** The language of the text so far: "en", "fr", or null if that is not clear. */
  get language() {
    return this.#languages.ofAll(this.#live);
  }

  /** Adds text and returns the patches. */
  add(text) {
    this.#tail += text;
    const tokens = readBlocks(this.#source, this.#definitions).tokens;
    const first = this.#first;
    const { nodes: settled, left } = this.#settleBlocks(tokens);
    settled.push(...this.#settleItems(left));
    const base = this.#base;
    const part = this.#settlePart(left);
    const rest = this.#readTail(closeOpenMarkup(this.#source));
    const live = this.#live;
    this.#live = this.#withShell(rest, [], this.#base);
    return diffChildren(live, [...settled, ...this.#withShell(rest, part, base)], first);
  }

  /** Ends the answer and returns the last patches. */
  finish() {
    const rest = this.#readTail(this.#source);
    const nodes = this.#withShell(rest, [], this.#base);
    const patches = diffChildren(this.#live, nodes, this.#first);
    this.#languages.add(nodes, this.#first);
    this.#live = [];
    const definitions = Object.assign(read(this.#source, this.#definitions).definitions, this.#definitions);
    patches.push(...this.#references.resolve(definitions, (text) => this.#nodes(text, definitions)));
    return [...patches, ...this.#languages.patches()];
  }

  get #source() {
    return this.#head + this.#tail;
  }

  #nodes(text, definitions = this.#definitions, outline = this.#outline.copy()) {
    return this.#blocks.nodes(read(text, definitions).tokens, outline);
  }

  /** The nodes of `text`, whose first block may be the rest of one that is settled in part: only `children` count. */
  #readTail(text) {
    const nodes = this.#nodes(text);
    if (this.#items) this.#numberItems(nodes);
    if (!this.#shell) return nodes;
    if (continues(nodes[0], this.#shell)) return [{ children: restOf(nodes[0]) }, ...nodes.slice(1)];
    return [{ children: [] }, ...nodes];
  }

  /** Settles the blocks before the last one. Returns their nodes, and the tokens that are left. */
  #settleBlocks(tokens) {
    const count = countSettled(tokens);
    const text = tokens.slice(0, count).map(({ raw }) => raw).join('');
    const source = this.#source;
    if (!text || !source.startsWith(text)) return { nodes: [], left: tokens };
    const { tokens: settled, definitions } = read(text, this.#definitions);
    const nodes = this.#blocks.nodes(settled, this.#outline);
    const base = this.#base;
    if (this.#items) this.#numberItems(nodes);
    if (this.#shell && nodes.length) nodes[0] = withChildren(this.#shell, restOf(nodes[0]), base);
    this.#references.add({ text, nodes, first: this.#first, head: this.#head, base }, this.#definitions);
    this.#definitions = Object.assign(definitions, this.#definitions);
    this.#languages.add(nodes, this.#first);
    this.#first += nodes.length;
    this.#length += this.#within + text.length - this.#head.length;
    this.#tail = source.slice(text.length);
    this.#forgetPart();
    return { nodes, left: tokens.slice(count) };
  }

  #forgetPart() {
    this.#shell = this.#items = null;
    this.#head = '';
    this.#base = this.#within = 0;
  }

  /** Puts `part` and the children of the first node behind `base` children of the block that they belong to. */
  #withShell(nodes, part, base) {
    if (!this.#shell) return nodes;
    return [withChildren(this.#shell, [...part, ...nodes[0].children], base), ...nodes.slice(1)];
  }

  /** Settles the first items of a long list that is the only block left. Returns their lists. */
  #settleItems(tokens) {
    const items = isAlone(tokens) ? settledItems(tokens[0]) : null;
    if (!items) return [];
    const text = this.#tail.slice(0, items.length);
    const nodes = this.#nodes(text);
    if (this.#items) this.#numberItems(nodes);
    this.#references.add({ text, nodes, first: this.#first }, this.#definitions);
    this.#languages.add(nodes, this.#first);
    this.#first += nodes.length;
    this.#length += text.length;
    this.#tail = this.#tail.slice(text.length);
    this.#items = { start: this.#items?.start ?? items.start, count: (this.#items?.count ?? 0) + items.count };
    tokens.length = 0; // the rest of the list has no long part
    return nodes;
  }

  /** Lets the numbers of a list go on from those of its settled items. */
  #numberItems(lists) {
    const { start } = this.#items;
    let { count } = this.#items;
    for (const list of lists) {
      if (list.tag !== (start === false ? 'ul' : 'ol')) return;
      list.attributes = listAttributes(start, count);
      count += list.children.length;
      if (list.children.length < ITEMS_IN_PART) return; // the next list is another one
    }
  }

  /** Settles the first children of a long block that is the only one left. Returns them. */
  #settlePart(tokens) {
    const part = isAlone(tokens) ? settledPart(tokens[0]) : null;
    if (!part) return [];
    const source = this.#source;
    const text = source.slice(0, part.length);
    const [tree] = this.#nodes(text);
    const children = this.#shell ? restOf(tree) : growingNode(tree).node.children;
    this.#shell ??= withChildren(tree, [], 0);
    const path = [this.#first, ...growingNode(tree).path];
    this.#references.add({ text, nodes: children, path, base: this.#base, head: this.#head }, this.#definitions);
    this.#languages.add([{ tag: 'div', children }], this.#first);
    this.#within += part.length - this.#head.length;
    this.#base += children.length;
    this.#head = part.head;
    this.#tail = source.slice(part.length);
    return children;
  }
}

const isSolid = ({ type }) => type !== 'space' && type !== 'def';

/** Whether the first token is the only block. */
const isAlone = (tokens) => tokens.findLastIndex(isSolid) === 0;

/** The number of tokens that more text cannot change.
 *
 * The last block can change: a "---" below turns text into a heading. Until its first line is complete, it can also
 * join the block before it, as items of a list do.
 */
function countSettled(tokens) {
  const solid = tokens.flatMap((token, index) => (isSolid(token) ? [index] : []));
  const last = solid.at(-1);
  if (last === undefined) return 0;
  const isWholeLine = tokens.slice(last).some(({ raw }) => raw.includes('\n'));
  return isWholeLine ? last : (solid.at(-2) ?? 0);
}
