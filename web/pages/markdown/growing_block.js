/** A long list, table or code block that still grows: its beginning is settled.
 *
 * Only its last items, rows or lines are read again when more text comes. Rows and lines are read behind a `head`: the
 * header of the table, or the fence of the code.
 */

import { isClosed, ITEMS_IN_PART, LINES_IN_PART, MOST_COLUMNS, ROWS_IN_PART, tableAttributes } from './blocks.js';

const SIGNS_ALONE = /^[\s>\-=*_+#|:~`\d.)]*$/;

/** Returns {head, length}: the first `length` characters of the block `token` are settled. Null if none are. */
export function settledPart(token) {
  if (token.type === 'table' && token.header.length <= MOST_COLUMNS) return settledLines(token.raw, 2, ROWS_IN_PART);
  const isFenced = token.type === 'code' && token.codeBlockStyle !== 'indented';
  return isFenced && !isClosed(token.raw) ? settledLines(token.raw, 1, LINES_IN_PART) : null;
}

/** Returns {start, count, length} of the first `count` items of a list, which are settled. Null if none are. */
export function settledItems({ type, items, ordered, start }) {
  // "-" can still become a line across the page.
  if (type !== 'list' || items.length <= ITEMS_IN_PART || SIGNS_ALONE.test(items.at(-1).raw)) return null;
  const count = Math.floor((items.length - 1) / ITEMS_IN_PART) * ITEMS_IN_PART;
  const length = items.slice(0, count).reduce((sum, { raw }) => sum + raw.length, 0);
  return { start: ordered && start, count, length };
}

/** Whole parts of `size` lines behind the head's. The last line may still grow. */
function settledLines(raw, headLines, size) {
  const lines = raw.split('\n');
  const count = Math.floor((lines.length - headLines - 2) / size) * size;
  if (count < 1) return null;
  const lengthOf = (number) => lines.slice(0, number).join('\n').length + 1;
  return { head: raw.slice(0, lengthOf(headLines)), length: lengthOf(headLines + count) };
}

/** The node in `tree` whose children are the parts of rows or of lines; and the path to it. */
export function growingNode(tree) {
  const [inner] = tree.children;
  return inner.tag === 'pre' ? { node: inner.children[0], path: [0, 0] } : { node: inner, path: [0] };
}

/** Whether `tree` can be the rest of the block of which `earlier` is the beginning. */
export function continues(tree, earlier) {
  return tree?.tag === 'div' && growingNode(tree).node.tag === growingNode(earlier).node.tag;
}

/** The children of the rest of a block, of which the header of a table is settled. */
export function restOf(tree) {
  const { node } = growingNode(tree);
  return node.tag === 'table' ? node.children.slice(1) : node.children;
}

/** A copy of `tree` in which the growing node has `children`, behind `base` settled ones. */
export function withChildren(tree, children, base) {
  const { path, node } = growingNode(tree);
  // The header is a child of the table too.
  const attributes = node.tag === 'table' ? tableAttributes(base + children.length - 1) : node.attributes;
  const copy = (each, depth) =>
    depth === path.length ? { ...each, attributes, children, base } : { ...each, children: [copy(each.children[0], depth + 1)] };
  return copy(tree, 0);
}
