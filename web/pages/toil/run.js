/** Runs the task and shows its value: while it is written, when it is checked, and why there is none. */

import { say } from '../interface/language.js';
import { runTask } from './requests.js';

const BUSY = new Set(['overloaded', 'stopping', 'model_unavailable', 'model_too_slow']);
const EXPLAINED = new Set([
  ...['schema_refused', 'budget_exhausted', 'non_conforming', 'prompt_too_long', 'personal_information', 'unreachable'],
]);

/** The key of the sentence about a problem. Its detail, in English, may follow. */
export const problemKey = (code) =>
  `page-toil-error-${EXPLAINED.has(code) ? code : BUSY.has(code) ? 'busy' : 'other'}`;

export class TaskRun {
  #parts;
  #onValue;
  #abort = null;

  /** `parts`: the elements of the result. `onValue(task, text, model)` is called after each success. */
  constructor(parts, onValue) {
    this.#parts = parts;
    this.#onValue = onValue;
    parts.stop.addEventListener('click', () => this.#abort?.abort());
  }

  async start(personality, task) {
    if (this.#abort) return;
    this.#abort = new AbortController();
    this.#begin();
    try {
      await this.#follow(personality, task);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#abort = null;
      this.#toggle(false);
    }
  }

  /** Shows a value of the history. */
  show(text, key, args) {
    this.#parts.section.hidden = false;
    say(this.#parts.status, key, args);
    this.#parts.detail.hidden = true;
    this.#showText(text, true);
  }

  async #follow(personality, task) {
    const began = performance.now();
    let text = '';
    let doneKey = 'page-toil-done';
    for await (const { name, data } of runTask(personality, task, this.#abort.signal)) {
      if (name === 'status') say(this.#parts.status, 'page-toil-waiting');
      if (name === 'masked') doneKey = 'page-toil-done-masked';
      if (name === 'again') say(this.#parts.status, 'page-toil-again');
      text = name === 'text' ? text + data.text : '';
      if (name === 'text') this.#showText(text, false);
      if (name !== 'value') continue;
      const value = JSON.stringify(data.value, null, 2);
      this.show(value, doneKey, { model: data.model, seconds: (performance.now() - began) / 1000 });
      this.#onValue(task, value);
    }
  }

  #begin() {
    this.#parts.section.hidden = false;
    this.#parts.detail.hidden = true;
    say(this.#parts.status, 'page-toil-running');
    this.#showText('', false);
    this.#toggle(true);
  }

  #fail({ name, code, detail }) {
    const isStop = name === 'AbortError';
    this.#showText('', false); // what was written was not checked
    say(this.#parts.status, isStop ? 'page-toil-stopped' : problemKey(code));
    this.#parts.detail.textContent = detail ?? '';
    this.#parts.detail.hidden = isStop || !detail;
  }

  #showText(text, isChecked) {
    const { value, copy } = this.#parts;
    value.textContent = text;
    value.hidden = !text;
    copy.hidden = !isChecked;
  }

  #toggle(isRunning) {
    const { run, stop } = this.#parts;
    const hadFocus = [run, stop].includes(document.activeElement);
    run.hidden = isRunning;
    stop.hidden = !isRunning;
    if (hadFocus) (isRunning ? stop : run).focus();
  }
}
