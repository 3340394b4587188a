/** Finds where a text stops being JSON: browsers say it in English, and some without the place. Pure. */

const TOKEN = /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)))/y; // prettier-ignore
const SPACE = /[ \t\r\n]*/y;

// By what may come next, the kinds of token that may, with what may come after each.
const NEXT = {
  value: { '{': 'firstKey', '[': 'firstValue', string: 'rest', scalar: 'rest' },
  firstValue: { '{': 'firstKey', '[': 'firstValue', string: 'rest', scalar: 'rest', ']': 'rest' },
  firstKey: { string: 'colon', '}': 'rest' },
  key: { string: 'colon' },
  colon: { ':': 'value' },
};

/** Returns {line, column, sign} of the first sign that JSON does not allow there, from 1; `sign` is "" at the end of the
 * text. Null if `text` is JSON. */
export function findSyntaxError(text) {
  try {
    JSON.parse(text);
    return null;
  } catch {
    return placeOf(text, errorIndex(text));
  }
}

function errorIndex(text) {
  const open = []; // the brackets around the place
  let state = 'value';
  TOKEN.lastIndex = 0;
  for (;;) {
    const start = afterSpace(text, TOKEN.lastIndex);
    TOKEN.lastIndex = start;
    const found = TOKEN.exec(text);
    const kind = found && (found[1] ?? (found[2] ? 'string' : 'scalar'));
    const next = state === 'rest' ? afterValue(kind, open.at(-1)) : NEXT[state][kind];
    if (!next) return start;
    if (kind === '{' || kind === '[') open.push(kind);
    if (kind === '}' || kind === ']') open.pop();
    state = next;
  }
}

/** What may come after a whole value in the bracket `open`, if `kind` does. */
function afterValue(kind, open) {
  if (kind === ',' && open) return open === '{' ? 'key' : 'value';
  return (kind === '}' && open === '{') || (kind === ']' && open === '[') ? 'rest' : undefined;
}

function afterSpace(text, index) {
  SPACE.lastIndex = index;
  return index + SPACE.exec(text)[0].length;
}

function placeOf(text, index) {
  const before = text.slice(0, index).split('\n');
  return { line: before.length, column: before.at(-1).length + 1, sign: [...text.slice(index, index + 2)][0] ?? '' };
}
