/** Makes invisible characters visible: they can reorder a line, hide words from people, or fake an address.
 *
 * Joiners stay where writing needs them: between emoji, and between letters of scripts that join them.
 */

import { styled } from './nodes.js';

// Controls, soft hyphens, directional and zero-width characters, fillers, tags, and variation selectors of no use.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e01ef}]/u;
const EACH = new RegExp(INVISIBLE.source, 'gu');
const JOINER = /[\u200c\u200d]/;
const EMOJI = /^\p{Extended_Pictographic}/u;
const EMOJI_END = /^(?:\p{Emoji_Modifier}|\ufe0f)/u;
const JOINED_LETTER = /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Sinhala}\p{Script=Syriac}\p{Script=Canadian_Aboriginal}]/u; // prettier-ignore
const FLAG = /^\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]+\u{e007f}/u; // England, Scotland, Wales
const LONGEST_FLAG = 20;

/** The nodes of `text`: each invisible character is an element that names it. */
export function showInvisible(text) {
  if (!INVISIBLE.test(text)) return text ? [text] : [];
  const nodes = [];
  let start = 0;
  let flagEnd = 0;
  for (const { 0: sign, index } of text.matchAll(EACH)) {
    if (index < flagEnd || isNeeded(sign, text, index)) continue;
    const flag = FLAG.exec(text.slice(Math.max(0, index - 2), index + LONGEST_FLAG));
    if (flag) {
      flagEnd = index - 2 + flag[0].length;
      continue;
    }
    if (index > start) nodes.push(text.slice(start, index));
    nodes.push(styled('span', 'control', [`⟨${codeOf(sign)}⟩`]));
    start = index + sign.length;
  }
  if (start < text.length) nodes.push(text.slice(start));
  return nodes;
}

/** "U+202E". */
const codeOf = (sign) => `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

function isNeeded(sign, text, index) {
  if (!JOINER.test(sign)) return false;
  const before = [...text.slice(Math.max(0, index - 2), index)].at(-1) ?? '';
  const after = text.slice(index + 1, index + 3);
  if (EMOJI.test(after) && (EMOJI.test(before) || EMOJI_END.test(before))) return true;
  return JOINED_LETTER.test(before) && (after === '' || JOINED_LETTER.test(after[0]) || /\s/.test(after[0]));
}
