/** Tells English from French by their most frequent words. */

const WORDS = {
  en: 'the and of to is in that for it with are you this be not can your by from have was were will which they or at ' +
    'an as if but has their we our more when what how about also would should may there these those its his her do',
  fr: 'le la les des du et est une un pour que qui dans vous sur pas avec ce cette il elle nous votre vos au aux sont ' +
    'par ou je ne se son sa ses leur leurs plus mais comme être avoir fait peut peuvent ces deux afin selon lors',
}; // prettier-ignore
const LANGUAGE_OF = new Map(Object.entries(WORDS).flatMap(([language, words]) => words.split(' ').map((w) => [w, language])));
const WORD = /\p{L}+/gu;
const ELISION = /\b(?:l|d|j|n|s|c|qu)['’]\p{L}/giu;
const ENOUGH = 3; // words
const CLEAR = 1.5; // times as many as of the other language
// A block in another language than its answer.
const ENOUGH_FOR_BLOCK = 6;
const CLEAR_FOR_BLOCK = 3;

/** Counts the words of each language in the blocks of an answer. */
export class LanguageCounts {
  #blocks = []; // of each block {en, fr}
  #all = { en: 0, fr: 0 };

  /** Adds the nodes of settled blocks, or of parts of the block `first`. */
  add(nodes, first) {
    for (const [at, node] of nodes.entries()) {
      const counts = countWords(wordsOf(node));
      this.#all = sum(this.#all, counts);
      this.#blocks[first + at] = sum(this.#blocks[first + at] ?? { en: 0, fr: 0 }, counts);
    }
  }

  /** The language of all of it, and of the nodes that are not settled. */
  ofAll(nodes) {
    return languageOf(sum(this.#all, countWords(nodes.map(wordsOf).join(' '))));
  }

  /** The patches for blocks that are clearly in another language than the answer. */
  patches() {
    const main = languageOf(this.#all);
    return this.#blocks.flatMap((counts, at) => {
      const language = languageOf(counts, ENOUGH_FOR_BLOCK, CLEAR_FOR_BLOCK);
      return language && language !== main ? [{ kind: 'language', path: [at], language }] : [];
    });
  }
}

/** The text of `node` without its code. */
function wordsOf(node) {
  if (typeof node === 'string') return node;
  return node.tag === 'code' ? '' : node.children.map(wordsOf).join(' ');
}

function countWords(text) {
  const counts = { en: 0, fr: text.match(ELISION)?.length ?? 0 };
  for (const [word] of text.matchAll(WORD)) {
    const language = LANGUAGE_OF.get(word.toLowerCase());
    if (language) counts[language] += 1;
  }
  return counts;
}

const sum = (one, other) => ({ en: one.en + other.en, fr: one.fr + other.fr });

/** "en" or "fr" if the counts are clear, else null. */
function languageOf({ en, fr }, enough = ENOUGH, clear = CLEAR) {
  if (en >= enough && en >= clear * fr) return 'en';
  if (fr >= enough && fr >= clear * en) return 'fr';
  return null;
}
