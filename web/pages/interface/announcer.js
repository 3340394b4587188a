/** Reads a growing answer to screen readers in complete sentences, a few seconds' worth at a time.
 *
 * The visible messages are not a live region, because they are redrawn many times a second. Screen readers would
 * stutter or repeat the whole answer. Here each sentence is added once and never changed.
 */

const PAUSE_MS = 2500; // a reader that is interrupted for each sentence starts each one again

export class Announcer {
  #region;
  #language = 'en';
  #announced = 0; // characters of the answer
  #notBefore = 0;

  constructor(region) {
    this.#region = region;
  }

  /** Starts a new answer. Removes the previous one, or people who read by cursor would find every answer twice. */
  begin(language) {
    this.#region.replaceChildren();
    this.#language = language;
    this.#announced = 0;
    this.#notBefore = 0;
  }

  /** Announces new sentences if it is time. `visibleText()` returns the answer so far; calling it costs a layout. */
  update(visibleText) {
    if (performance.now() < this.#notBefore) return;
    const text = visibleText();
    const end = this.#announced + lengthOfSentences(text.slice(this.#announced), this.#language);
    if (end === this.#announced) return;
    this.say(text.slice(this.#announced, end), this.#language);
    this.#announced = end;
    this.#notBefore = performance.now() + PAUSE_MS;
  }

  /** Announces the rest of a complete answer. */
  end(text) {
    this.say(text.slice(this.#announced), this.#language);
    this.#announced = text.length;
  }

  say(text, language) {
    if (!text.trim()) return;
    const line = document.createElement('p');
    line.lang = language;
    line.textContent = text.trim();
    this.#region.append(line);
  }
}

/** The length of the complete sentences at the start of `text`. The last sentence may still grow. */
function lengthOfSentences(text, language) {
  if (!('Segmenter' in Intl)) return text.lastIndexOf('\n') + 1; // an older browser: paragraphs
  const segments = [...new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)];
  return segments.at(-1)?.index ?? 0;
}
