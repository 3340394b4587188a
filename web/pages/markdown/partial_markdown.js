/** Closes the open markup of partial Markdown, so that people never see its raw signs.
 *
 * Open bold text is closed for now, a link is plain text until its address is complete, and an ambiguous line waits.
 * Only the last block can be open. Each step is a single pass, because an answer is drawn many times.
 */

const BLOCK = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s|#{1,6}\s|[>|]|$)/; // a line that does not continue the line above it
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
const OPEN_LIMIT = 6; // real texts nest less; a text of stray signs stays unchanged

/** The Markdown to draw while more of `markdown` is expected. */
export function closeOpenMarkup(markdown) {
  const lines = markdown.split('\n');
  const start = startOfLastBlock(lines);
  if (start === null) return markdown;
  const end = endOfDrawableLines(lines);
  const settled = lines.slice(0, Math.min(start, end)).map((line) => `${line}\n`).join('');
  const block = lines.slice(start, end).join('\n');
  return settled + new BlockScanner(block).close();
}

/** The index of the first line of the last block; null inside a code fence, which needs no closing. */
function startOfLastBlock(lines) {
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

/** The number of lines to draw. The last line, and a first table row, stay ambiguous until more signs arrive. */
function endOfDrawableLines(lines) {
  const last = lines.at(-1);
  const isAmbiguous = SIGNS_ALONE.test(last) || NUMBER_ALONE.test(last);
  const end = lines.length - (isAmbiguous ? 1 : 0);
  const isHeader = ROW.test(lines[end - 1] ?? '') && !ROW.test(lines[end - 2] ?? '');
  return isHeader ? end - 1 : end;
}

/** Scans one block once from left to right. */
class BlockScanner {
  #text;
  #at;
  #lastParenthesis;
  #open = []; // open emphasis and brackets {sign, count, at}, the innermost last

  constructor(text) {
    this.#text = text;
    this.#at = MARKERS.exec(text)[0].length;
    this.#lastParenthesis = text.lastIndexOf(')');
  }

  close() {
    while (this.#at < this.#text.length) {
      const result = this.#scan(this.#text[this.#at]);
      if (result !== undefined) return result;
      if (this.#open.length > OPEN_LIMIT) return this.#text;
    }
    return this.#closeAll(this.#text);
  }

  /** Handles one sign. Returns the text to draw once the rest cannot change it, else undefined. */
  #scan(sign) {
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
    if (this.#at === this.#text.length) return this.#closeAll(this.#text.slice(0, from));
    while ((this.#at = this.#text.indexOf('`', this.#at)) >= 0) {
      const end = this.#at;
      if (this.#run('`') === count) return undefined;
      if (this.#at === this.#text.length) return this.#closeAll(this.#text.slice(0, end) + '`'.repeat(count));
    }
    return this.#closeAll(this.#text + '`'.repeat(count));
  }

  #emphasis(sign) {
    const from = this.#at;
    const count = this.#run(sign);
    const before = [...this.#text.slice(Math.max(0, from - 2), from)].at(-1) ?? '';
    const after = this.#text.slice(this.#at, this.#at + 2);
    if (!after) return this.#closeAll(this.#text.slice(0, from)); // #closeAll closes its partner
    // "snake_case", "2*3" and "~5" are not emphasis.
    const inside = LETTER.test(before) && LETTER.test(after) && (sign === '_' || count === 1);
    if (inside || (sign === '~' && count === 1)) return undefined;
    const opens = !SPACE.test(after) && (!SIGN.test(after) || SPACE.test(before) || SIGN.test(before));
    const closes = !SPACE.test(before) && (!SIGN.test(before) || SPACE.test(after) || SIGN.test(after));
    if (!(closes && this.#closeLast(sign, count)) && opens) this.#open.push({ sign, count, at: from });
    return undefined;
  }

  /** Closes the last open `sign`. Returns whether one was open. */
  #closeLast(sign, count) {
    const place = this.#open.findLastIndex((open) => open.sign === sign);
    if (place < 0) return false;
    const opened = this.#open[place];
    const left = opened.count - count;
    this.#open.length = place;
    if (left > 0) this.#open.push({ ...opened, count: left });
    if (left < 0) this.#closeLast(sign, -left);
    return true;
  }

  #bracket() {
    const place = this.#open.findLastIndex(({ sign }) => sign === '[');
    const end = this.#at;
    this.#at += 1;
    if (place < 0) return undefined;
    const { at } = this.#open[place];
    this.#open.length = place; // emphasis that opened inside the brackets closes nothing outside
    const label = this.#text.slice(at + 1, end);
    const isCitation = NUMBERS.test(label) && this.#at === this.#text.length;
    if (this.#isImage(at) || isCitation || !this.#addressIsOpen()) return undefined;
    return this.#closeAll(this.#text.slice(0, at) + label);
  }

  /** Returns whether an unfinished link address follows. Skips a complete address. */
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

  /** Closes all open markup in `text`, innermost first. */
  #closeAll(text) {
    return this.#open.reduceRight((result, { sign, count, at }) => {
      if (sign === '[') return this.#isImage(at) ? result : result.slice(0, at) + hideCitation(result.slice(at + 1));
      const written = result.trimEnd(); // after a space the sign would close nothing
      return written.length > at + count ? written + sign.repeat(count) : written.slice(0, at);
    }, text);
  }
}

/** Hides the number of a citation until its closing bracket arrives. */
const hideCitation = (label) => (NUMBERS.test(label) ? '' : label);
