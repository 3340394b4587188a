/** The plain data from which the page makes elements: `{tag, attributes, children}`, and strings for texts. */

export const element = (tag, attributes, children = []) => ({ tag, attributes, children });

/** An element whose only attribute is its class. */
export const styled = (tag, name, children = []) => element(tag, { class: name }, children);

/** Joins strings that follow each other, so that signs are found across them. */
export function joinTexts(nodes) {
  const joined = [];
  for (const node of nodes) {
    if (typeof node === 'string' && typeof joined.at(-1) === 'string') joined[joined.length - 1] += node;
    else if (node !== '') joined.push(node);
  }
  return joined;
}

/** Removes the spaces at the end, which nobody sees. */
export function trimEnd(nodes) {
  if (typeof nodes.at(-1) !== 'string') return nodes;
  const last = nodes.at(-1).trimEnd();
  return [...nodes.slice(0, -1), ...(last ? [last] : [])];
}

/** The text that people read in `node`. */
export const textOf = (node) => (typeof node === 'string' ? node : node.children.map(textOf).join(''));
