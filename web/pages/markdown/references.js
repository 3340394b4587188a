/** The settled parts of an answer with links whose addresses may come later: `[guide]`, and below it `[guide]: …`. */

import { diffChildren } from './diff.js';
import { growingNode, restOf, withChildren } from './growing_block.js';

const REFERENCE = /\[[^\]\n]*[^\]\d\s,;][^\]\n]*\](?!\()/;

export class References {
  #waiting = []; // {text, nodes, base, head, first or path, known}

  /** Keeps a settled part. `nodes` are its blocks from the place `first` on, or children of the block at `path`.
   *
   * `base` children of that block came before, `head` is not part of the answer. `known`: the addresses so far.
   */
  add(part, known) {
    if (REFERENCE.test(part.text)) this.#waiting.push({ ...part, known: Object.keys(known).length });
  }

  /** The patches once all addresses are known. `read(text)` makes nodes. */
  resolve(definitions, read) {
    const count = Object.keys(definitions).length;
    return this.#waiting.filter(({ known }) => known < count).flatMap((part) => resolvePart(part, read(part.text)));
  }
}

function resolvePart({ nodes, first, path, base, head }, trees) {
  if (path) {
    const children = base ? restOf(trees[0]) : growingNode(trees[0]).node.children;
    return diffChildren(nodes, children, base, path);
  }
  if (head || base) trees[0] = withChildren(nodes[0], restOf(trees[0]), base);
  // The levels of headings depend on the text above.
  return diffChildren(nodes, trees.map((tree, at) => ({ ...tree, tag: nodes[at].tag })), first);
}
