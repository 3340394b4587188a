/** Shows how far a model is that will answer in the place of the present one: a sentence, and a bar for a download.
 *
 * The sentence changes every few seconds, so it is no live region. Screen readers get it at each quarter and when the
 * download fails; whoever wants to know more often can read it or the bar.
 */

import { label, say } from '../interface/language.js';

const MINUTE_S = 60;
const QUARTERS = 4;

export class ModelProgress {
  #box;
  #text;
  #bar;
  #announce;
  #latest = {}; // the model and its stage

  /** `box` contains `text` and `bar`, a progress element; `announce(key, values)` reads a text to screen readers. */
  constructor({ box, text, bar, announce }) {
    this.#box = box;
    this.#text = text;
    this.#bar = bar;
    this.#announce = announce;
  }

  /** `next`: the service's description of the awaited model; null hides the box. `model`: the name of the one that
   * answers meanwhile. */
  show(next, model) {
    this.#box.hidden = !next;
    if (!next) return;
    const { key, values } = sentence(next, model);
    say(this.#text, key, values);
    this.#box.classList.toggle('failed', next.state === 'failed');
    this.#showBar(next, values.percent);
    if (this.#isNewStage(next, values.percent)) this.#announce(key, values);
  }

  #showBar({ title, state }, percent) {
    this.#bar.hidden = state !== 'downloading';
    label(this.#bar, 'page-next-bar', { title });
    if (percent === undefined) this.#bar.removeAttribute('value');
    else this.#bar.value = percent;
  }

  /** The first stage of a model is none: screen readers read it with the page. */
  #isNewStage({ title, state }, percent = 0) {
    const stage = `${state} ${Math.floor((percent * QUARTERS) / 100)}`;
    const before = this.#latest;
    this.#latest = { title, stage };
    return before.title === title && before.stage !== stage;
  }
}

/** The text key of the sentence about the awaited model, and its values. */
function sentence({ title, state, done_bytes: done, total_bytes: total, expected_s: seconds, problem }, model) {
  if (state !== 'downloading') return { key: `page-next-${state}`, values: { title, model } };
  if (!total) return { key: 'page-next-downloading', values: { title } };
  const values = { title, total, percent: Math.min(99, Math.floor((100 * done) / total)) }; // 100 would be complete
  if (problem) return { key: 'page-next-downloading-waiting', values };
  if (seconds === null) return { key: 'page-next-downloading-size', values };
  return { key: 'page-next-downloading-time', values: { ...values, seconds: roundUp(seconds) } };
}

/** Seconds as people expect them: whole minutes, and tens of seconds in the last one. */
function roundUp(seconds) {
  const step = seconds > MINUTE_S ? MINUTE_S : 10;
  return Math.max(step, Math.ceil(seconds / step) * step);
}
