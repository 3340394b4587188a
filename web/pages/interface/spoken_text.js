/** The text of an answer as screen readers get it: its parts in order, cut into utterances of whole sentences. */

/** An utterance that is longer cannot be understood, nor stopped in time. */
export const UTTERANCE_CHARACTERS = 500;

const WORD = /[\p{L}\p{N}]+(?:[’'.,-][\p{L}\p{N}]+)*/gu;
const BLOCKS = new Set(['P', 'LI', 'TR', 'PRE', 'BLOCKQUOTE', 'BR', 'H4', 'H5', 'H6', 'TABLE', 'DIV']);
const CELLS = new Set(['TD', 'TH']);
const NOT_SPOKEN = 'button, .unseen, [hidden], [aria-hidden="true"]';
// Items of lists and rows of tables are parts of their own: a list of 3,000 items is no utterance.
const PARTS = ':scope > :not(ul, ol, div), :scope > :is(ul, ol) > li, :scope > div :is(tr, pre), :scope > div:not(:has(tr, pre))';

/** The parts of an answer's body, in order. */
export const partsOf = (body) => body.querySelectorAll(PARTS);

/** The number of words in a text. */
export const countWords = (text) => text.match(WORD)?.length ?? 0;

/** The text of an element without the names of its controls. Costs no layout, unlike innerText. */
export function textOf(element) {
  const pieces = [];
  for (const node of element.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) pieces.push(node.data);
    else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(NOT_SPOKEN)) pieces.push(separator(node), textOf(node));
  }
  return pieces.join('');
}

function separator({ tagName, previousElementSibling }) {
  if (BLOCKS.has(tagName)) return '\n';
  return CELLS.has(tagName) && previousElementSibling ? ', ' : '';
}

/** The length of the next utterance at the start of `text`: as many whole sentences as fit. 0 if none is whole yet; the
 * last one may still grow, unless the text `isWhole`. */
export function utteranceLength(text, isWhole, language) {
  const starts = sentenceStarts(text, language);
  const ends = isWhole ? [...starts.slice(1), text.length] : starts.slice(1);
  if (!ends.length) return 0;
  return ends.findLast((end) => end <= UTTERANCE_CHARACTERS) ?? lastBlank(text, ends[0]);
}

/** Where a sentence that is too long is cut. */
function lastBlank(text, end) {
  const blank = text.lastIndexOf(' ', UTTERANCE_CHARACTERS - 1) + 1;
  return blank || Math.min(end, UTTERANCE_CHARACTERS);
}

function sentenceStarts(text, language) {
  if (!('Segmenter' in Intl)) return [0, ...[...text.matchAll(/\n+/g)].map(({ index }) => index + 1)];
  return [...new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)].map(({ index }) => index);
}
