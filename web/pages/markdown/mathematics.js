/** Recognises formulas, so that Markdown rules leave them as they are written. Sums of money stay text.
 *
 * `$…$` follows Pandoc's rule: no space inside the signs, no digit after the closing one. Before the opening one stands
 * no letter and no amount ("5 $"), behind it no punctuation.
 */

const INLINE = /^(?:\$\$(?!\$)[^\n]*?[^\s\\$][^\n]*?\$\$|\$(?![\s$,.;:!?)])(?:[^$\\\n]|\\[^\n])*?(?<![\s\\])\$(?![\d$])|\\\((?:[^\n\\]|\\(?!\)))+\\\)|\\\[(?:[^\n\\]|\\(?!\]))+\\\])/;
const START = /(?<![\p{L}\p{N}$\\]|\p{N}[\s\u00a0\u202f])\$|\\[([]/u;
const BLOCK = /^ {0,3}(?:\$\$[^$]+?\$\$|\\\[(?:(?!\n\s*\n)[\s\S])+?\\\])[ \t]*(?:\n|$)/;
const BLOCK_START = /^ {0,3}(?:\$\$|\\\[)/m;
const LONGEST = 4000; // characters in which the end of a formula is sought

/** The extensions of the parser. */
export const mathematics = [
  {
    name: 'formula',
    level: 'inline',
    start: (text) => text.match(START)?.index,
    tokenizer(text) {
      const [raw] = INLINE.exec(text.slice(0, LONGEST)) ?? [];
      return raw && { type: 'formula', raw, text: raw };
    },
  },
  {
    name: 'formulas',
    level: 'block',
    start: (text) => text.match(BLOCK_START)?.index,
    tokenizer(text) {
      if (!BLOCK_START.test(text.slice(0, 6))) return undefined;
      const [raw] = BLOCK.exec(text.slice(0, LONGEST)) ?? [];
      return raw && { type: 'formulas', raw, text: raw.trim() };
    },
  },
];
