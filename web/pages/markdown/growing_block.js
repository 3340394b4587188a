/** A long list, table or code block that still grows: its beginning is settled.
 *
 * Only its last item, its last rows or its last lines are read again when more text comes. They are read behind a
 * `head`: the header of a table, or the fence of code.
 */

import { isClosed, LINES_IN_PART, ROWS_IN_PART } from './blocks.js';

const SIGNS_ALONE = /^[\s>\-=*_+#|:~`\d.)]*$/;

/** Returns {head, length}: the first `length` characters of the block `token` are settled. Null if none are. */
export function settledPart(token) {
  if (token.type === 'list') return settledItems(token);
  if (token.type === 'table') return settledLines(token.raw, 2, ROWS_IN_PART);
  const isFenced = token.type === 'code' && token.codeBlockStyle !== 'indented';
  return isFenced && !isClosed(token.raw) ? settledLines(token.raw, 1, LINES_IN_PART) : null;
}

function settledItems({ items }) {
  // "-" can still become a line across the page.
  if (items.length < 2 || SIGNS_ALONE.test(items.at(-1).raw)) return null;
  return { head: '', length: items.slice(0, -1).reduce((sum, { raw }) => sum + raw.length, 0) };
}

/** Whole parts of `size` lines behind the head's. The last line may still grow. */
function settledLines(raw, headLines, size) {
  const lines = raw.split('\n');
  const count = Math.floor((lines.length - headLines - 2) / size) * size;
  if (count < 1) return null;
  const lengthOf = (number) => lines.slice(0, number).join('\n').length + 1;
  return { head: raw.slice(0, lengthOf(headLines)), length: lengthOf(headLines + count) };
}

/** The node in `tree` whose children are the items, the parts of rows or the parts of lines; and the path to it. */
export function growingNode(tree) {
  const [inner] = tree.children;
  if (tree.tag !== 'div') return { node: tree, path: [] };
  return inner.tag === 'pre' ? { node: inner.children[0], path: [0, 0] } : { node: inner, path: [0] };
}

/** Whether `tree` can be the rest of the block of which `earlier` is the beginning. */
export function continues(tree, earlier) {
  return tree !== undefined && tree.tag === earlier.tag && growingNode(tree).node.tag === growingNode(earlier).node.tag;
}

/** The children of the rest of a block, of which the header of a table is settled. */
export function restOf(tree) {
  const { node } = growingNode(tree);
  return node.tag === 'table' ? node.children.slice(1) : node.children;
}

/** A copy of `tree` in which the growing node has `children`, behind `base` settled ones. */
export function withChildren(tree, children, base) {
  const { path } = growingNode(tree);
  const copy = (node, depth) =>
    depth === path.length ? { ...node, children, base } : { ...node, children: [copy(node.children[0], depth + 1)] };
  return copy(tree, 0);
}
