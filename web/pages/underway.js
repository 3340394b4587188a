/** Markdown that is being written → Markdown in which nothing stands open, so that its signs are never seen.
 *
 * Bold text that has begun is closed for now, a link is its words until its address is whole, and a line that may yet
 * become anything waits. Only the last block is under way. Each part is one pass: an answer is drawn many times.
 */

const BLOCK = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s|#{1,6}\s|[>|]|$)/; // a line that does not go on with the one above it
const MARKERS = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*/;
const FENCE = /^`{3,}|^~{3,}/;
const ROW = /^\s*\|/;
const SIGNS_ALONE = /^[\s>\-=*_+#|:~`]*$/;
const NUMBER_ALONE = /^[\s>]*\d{1,9}[.)]?\s*$/;
const ADDRESS = /^\(<?[^\s<>]*>?(?:\s+(?:"[^"]*"?)?)?$/; // to the end of the text
const NUMBERS = /^[\d\s,;]*$/;
const SPACE = /^(?:\s|$)/u;
const SIGN = /^[\p{P}\p{S}]/u;
const LETTER = /^[\p{L}\p{N}]/u;
const OPEN_LIMIT = 6; // nobody nests more; a text of stray signs is left as it is

/** What to draw of `markdown` as long as more of it is on its way. */
export function withNothingOpen(markdown) {
  const lines = markdown.split('\n');
  const start = lastBlock(lines);
  if (start === null) return markdown;
  const end = whole(lines);
  const settled = lines.slice(0, Math.min(start, end)).map((line) => `${line}\n`).join('');
  const block = lines.slice(start, end).join('\n');
  return settled + new Block(block).closed();
}

/** The number of the line that the last block begins with; null inside a fence, where every sign is only itself. */
function lastBlock(lines) {
  let start = 0;
  let fence = '';
  lines.forEach((line, number) => {
    const text = line.slice(MARKERS.exec(line)[0].length);
    const [mark = ''] = FENCE.exec(text) ?? [];
    const rest = text.slice(mark.length);
    if (fence) {
      if (mark.startsWith(fence) && !rest.trim()) fence = '';
      start = number + 1;
    } else if (mark && !(mark[0] === '`' && rest.includes('`'))) fence = mark;
    else if (BLOCK.test(line)) start = number;
  });
  return fence ? null : start;
}

/** How many of the lines can be drawn: what the last is, and whether a row is a table's, the next signs will tell. */
function whole(lines) {
  const last = lines.at(-1);
  const undecided = SIGNS_ALONE.test(last) || NUMBER_ALONE.test(last);
  const end = lines.length - (undecided ? 1 : 0);
  const isHeader = ROW.test(lines[end - 1] ?? '') && !ROW.test(lines[end - 2] ?? '');
  return isHeader ? end - 1 : end;
}

/** One block's text, read once from left to right. */
class Block {
  #text;
  #at;
  #lastParenthesis;
  #open = []; // {sign, count, at}: emphasis and brackets, the innermost last

  constructor(text) {
    this.#text = text;
    this.#at = MARKERS.exec(text)[0].length;
    this.#lastParenthesis = text.lastIndexOf(')');
  }

  closed() {
    while (this.#at < this.#text.length) {
      const ended = this.#read(this.#text[this.#at]);
      if (ended !== undefined) return ended;
      if (this.#open.length > OPEN_LIMIT) return this.#text;
    }
    return this.#finished(this.#text);
  }

  /** What is to be drawn of the block, as soon as nothing further on can change it. */
  #read(sign) {
    if (sign === '`') return this.#code();
    if (sign === '*' || sign === '_' || sign === '~') return this.#emphasis(sign);
    if (sign === ']') return this.#bracket();
    if (sign === '[') this.#open.push({ sign, count: 1, at: this.#at });
    this.#at += sign === '\\' ? 2 : 1;
    return undefined;
  }

  #run(sign) {
    const from = this.#at;
    while (this.#text[this.#at] === sign) this.#at += 1;
    return this.#at - from;
  }

  #code() {
    const from = this.#at;
    const count = this.#run('`');
    if (this.#at === this.#text.length) return this.#finished(this.#text.slice(0, from));
    while ((this.#at = this.#text.indexOf('`', this.#at)) >= 0) {
      const end = this.#at;
      if (this.#run('`') === count) return undefined;
      if (this.#at === this.#text.length) return this.#finished(this.#text.slice(0, end) + '`'.repeat(count));
    }
    return this.#finished(this.#text + '`'.repeat(count));
  }

  #emphasis(sign) {
    const from = this.#at;
    const count = this.#run(sign);
    const before = [...this.#text.slice(Math.max(0, from - 2), from)].at(-1) ?? '';
    const after = this.#text.slice(this.#at, this.#at + 2);
    if (!after) return this.#finished(this.#text.slice(0, from)); // what it closes is closed anyway
    // "snake_case", "2*3" and "~5" are no emphasis.
    const inside = LETTER.test(before) && LETTER.test(after) && (sign === '_' || count === 1);
    if (inside || (sign === '~' && count === 1)) return undefined;
    const opens = !SPACE.test(after) && (!SIGN.test(after) || SPACE.test(before) || SIGN.test(before));
    const closes = !SPACE.test(before) && (!SIGN.test(before) || SPACE.test(after) || SIGN.test(after));
    if (!(closes && this.#close(sign, count)) && opens) this.#open.push({ sign, count, at: from });
    return undefined;
  }

  /** Whether there was something to close. */
  #close(sign, count) {
    const place = this.#open.findLastIndex((open) => open.sign === sign);
    if (place < 0) return false;
    const opened = this.#open[place];
    const left = opened.count - count;
    this.#open.length = place;
    if (left > 0) this.#open.push({ ...opened, count: left });
    if (left < 0) this.#close(sign, -left);
    return true;
  }

  #bracket() {
    const place = this.#open.findLastIndex(({ sign }) => sign === '[');
    const end = this.#at;
    this.#at += 1;
    if (place < 0) return undefined;
    const { at } = this.#open[place];
    this.#open.length = place; // what was opened between the brackets closes nothing outside
    const words = this.#text.slice(at + 1, end);
    const asWritten = this.#isImage(at) || (NUMBERS.test(words) && this.#at === this.#text.length); // or a citation
    if (asWritten || !this.#addressIsOpen()) return undefined;
    return this.#finished(this.#text.slice(0, at) + words);
  }

  /** Whether a link's address follows and goes on to the end of the text. Passes over one that is whole. */
  #addressIsOpen() {
    if (this.#at === this.#text.length) return true;
    if (this.#text[this.#at] !== '(') return false;
    if (this.#lastParenthesis < this.#at) return ADDRESS.test(this.#text.slice(this.#at));
    this.#at = this.#text.indexOf(')', this.#at) + 1;
    return false;
  }

  #isImage(at) {
    return this.#text[at - 1] === '!';
  }

  /** `text` with what is open in it closed, from the inside. */
  #finished(text) {
    return this.#open.reduceRight((shown, { sign, count, at }) => {
      if (sign === '[') return this.#isImage(at) ? shown : shown.slice(0, at) + citationOr(shown.slice(at + 1));
      const written = shown.trimEnd(); // a blank before it, and the sign would close nothing
      return written.length > at + count ? written + sign.repeat(count) : written.slice(0, at);
    }, text);
  }
}

/** The number of a citation waits for its bracket. */
const citationOr = (words) => (NUMBERS.test(words) ? '' : words);
