/** Parses JSON without rounding numbers, where the browser can: `JSON.stringify` writes them as they came. */

const keepNumber = (_key, value, { source }) => (typeof value === 'number' ? JSON.rawJSON(source) : value);

export function parseExactly(text) {
  return JSON.rawJSON ? JSON.parse(text, keepNumber) : JSON.parse(text);
}

/** An object or an array of the parsed text, and not a number in disguise. */
export function isContainer(value) {
  return typeof value === 'object' && value !== null && !JSON.isRawJSON?.(value);
}
