/** Reads Markdown into tokens. HTML stays text. Texts that would cost too much stay unread. */

import { Lexer, Marked } from '../vendor/marked.js';
import { mathematics } from './mathematics.js';

const LONGEST_TEXT = 50_000; // characters of one paragraph, item or cell
const MOST_SIGNS = 1500; // in one of them
const SIGNS = /[*_~[\]`<]/g;
const DEEP = /^[ \t]*(?:>[ \t]*){40}|^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+){40}/m;

const { defaults } = new Marked({
  gfm: true,
  breaks: true, // models end a line where they mean a new line
  extensions: mathematics,
  tokenizer: {
    // undefined means "no match here", so tags are read as text
    html: () => undefined,
    tag: () => undefined,
  },
});

/** Reads the blocks of `text` without the texts in them. `definitions`: the addresses that links may name. */
export function readBlocks(text, definitions) {
  const lexer = new Lexer(defaults);
  Object.assign(lexer.tokens.links, definitions);
  if (DEEP.test(text)) return { lexer, tokens: [{ type: 'plain', raw: text }] };
  try {
    return { lexer, tokens: lexer.blockTokens(text, []) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { lexer: new Lexer(defaults), tokens: [{ type: 'plain', raw: text }] };
  }
}

const unread = (text) => [{ type: 'unread', raw: text, text }];

/** Reads the blocks of `text` and the texts in them. `definitions` also has those that `text` adds. */
export function read(text, definitions) {
  const { lexer, tokens } = readBlocks(text, definitions);
  for (const { src, tokens: inner } of lexer.inlineQueue) inner.push(...readText(lexer, src));
  return { tokens, definitions: { ...lexer.tokens.links } };
}

function readText(lexer, text) {
  const signs = text.match(SIGNS)?.length ?? 0;
  if (text.length > LONGEST_TEXT || signs > MOST_SIGNS) return unread(text);
  try {
    return lexer.inlineTokens(text, []);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return unread(text);
  }
}
