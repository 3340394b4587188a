/** Compares two lists of nodes and returns the patches that turn the first into the second.
 *
 * An answer grows at its end, so nodes are compared by their place. A patch names an element by the places of its
 * ancestors, from the top. A node's `base` is the number of its settled children, which come first and never change.
 *   {kind: "insert", path, index, nodes}   {kind: "remove", path, index, count}
 *   {kind: "text", path, text}             {kind: "append", path, text}
 *   {kind: "attributes", path, attributes}
 */

const SIZE_LIMIT = 60; // nodes in one patch; a few milliseconds of drawing on a slow computer
const CHARACTERS_PER_NODE = 500;

/** The patches for the children of the element at `path`, of which `base` are settled. */
export function diffChildren(before, after, base = 0, path = []) {
  const shared = Math.min(before.length, after.length);
  const patches = [];
  for (let at = 0; at < shared; at += 1) patches.push(...diffNode(before[at], after[at], base + at, path));
  const index = base + shared;
  if (before.length > shared) patches.push({ kind: 'remove', path, index, count: before.length - shared });
  if (after.length > shared) patches.push({ kind: 'insert', path, index, nodes: after.slice(shared) });
  return patches;
}

function diffNode(before, after, index, parent) {
  if (before === after) return [];
  const path = [...parent, index];
  if (typeof before === 'string' && typeof after === 'string') {
    if (!after.startsWith(before)) return [{ kind: 'text', path, text: after }];
    return [{ kind: 'append', path, text: after.slice(before.length) }];
  }
  if (!isSameKind(before, after)) {
    return [
      { kind: 'remove', path: parent, index, count: 1 },
      { kind: 'insert', path: parent, index, nodes: [after] },
    ];
  }
  const patches = diffChildren(before.children, after.children, after.base ?? 0, path);
  if (!sameAttributes(before.attributes, after.attributes)) {
    patches.push({ kind: 'attributes', path, attributes: after.attributes ?? {} });
  }
  return patches;
}

/** A table may become a long one; all other elements keep their class. */
const isSameKind = (one, other) =>
  one.tag === other.tag && (one.tag === 'table' || one.attributes?.class === other.attributes?.class);

const sameAttributes = (one, other) => JSON.stringify(one ?? {}) === JSON.stringify(other ?? {});

/** Groups patches into lists that take a bounded time to apply. Divides patches that insert much. */
export function inSlices(patches) {
  const slices = [[]];
  let room = SIZE_LIMIT;
  for (const patch of patches.flatMap(divide)) {
    const cost = patch.nodes ? sizeOfAll(patch.nodes) : 1;
    if (cost > room && slices.at(-1).length) {
      slices.push([]);
      room = SIZE_LIMIT;
    }
    slices.at(-1).push(patch);
    room -= cost;
  }
  return slices;
}

const sizeOfAll = (nodes) => nodes.reduce((sum, node) => sum + sizeOf(node), 0);
const sizeOf = (node) =>
  typeof node === 'string' ? 1 + node.length / CHARACTERS_PER_NODE : 1 + sizeOfAll(node.children);

/** Divides an insertion into smaller ones: a large element is inserted empty, then filled. */
function divide(patch) {
  if (patch.kind !== 'insert' || sizeOfAll(patch.nodes) <= SIZE_LIMIT) return [patch];
  const { path, nodes } = patch;
  const parts = [];
  let together = null; // the insertion that small neighbours share
  let room = 0;
  for (const [at, node] of nodes.entries()) {
    const index = patch.index + at;
    const size = sizeOf(node);
    if (size > SIZE_LIMIT && typeof node !== 'string') {
      parts.push({ kind: 'insert', path, index, nodes: [{ ...node, children: [] }] });
      parts.push(...divide({ kind: 'insert', path: [...path, index], index: 0, nodes: node.children }));
      together = null;
      continue;
    }
    if (!together || size > room) {
      parts.push((together = { kind: 'insert', path, index, nodes: [] }));
      room = SIZE_LIMIT;
    }
    together.nodes.push(node);
    room -= size;
  }
  return parts;
}
