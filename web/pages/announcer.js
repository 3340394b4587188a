/** Says the answer to screen readers while it is written: whole sentences, a few seconds' worth at a time.
 *
 * The visible messages are not a live region. They are redrawn many times a second, which readers would speak as
 * stutter or as the whole answer again and again. Here each sentence is added once and never touched again.
 */

const PAUSE_MS = 2500; // a reader that is interrupted for every sentence starts each one anew

export class Announcer {
  #region;
  #language = 'en';
  #heard = 0; // characters of the answer that were said
  #notBefore = 0;

  constructor(region) {
    this.#region = region;
  }

  /** An answer begins. What was said before goes, or people who read by cursor would find every answer twice. */
  begin(language) {
    this.#region.replaceChildren();
    this.#language = language;
    this.#heard = 0;
    this.#notBefore = 0;
  }

  /** `shown()` is what people see of the answer so far; asked for only when it is time, as it costs a layout. */
  hear(shown) {
    if (performance.now() < this.#notBefore) return;
    const text = shown();
    const end = this.#heard + sentences(text.slice(this.#heard), this.#language);
    if (end === this.#heard) return;
    this.say(text.slice(this.#heard, end), this.#language);
    this.#heard = end;
    this.#notBefore = performance.now() + PAUSE_MS;
  }

  /** The answer is whole: the rest of it. */
  end(text) {
    this.say(text.slice(this.#heard), this.#language);
    this.#heard = text.length;
  }

  say(text, language) {
    if (!text.trim()) return;
    const line = document.createElement('p');
    line.lang = language;
    line.textContent = text.trim();
    this.#region.append(line);
  }
}

/** The length of the whole sentences at the beginning of `text`; the last may still be going on. */
function sentences(text, language) {
  if (!('Segmenter' in Intl)) return text.lastIndexOf('\n') + 1; // an older browser: by paragraph
  const segments = [...new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)];
  return segments.at(-1)?.index ?? 0;
}
