/** Shows which model answers, as TBS guidance requires, and watches for changes: a model that comes back, a download that
 * goes on, another model that takes over. */

import { fetchOneDescription } from './chooser.js';
import { say } from '../interface/language.js';
import { ModelProgress } from './model_progress.js';
import { backoff, pause } from '../browser/waiting.js';

const DOUBLINGS_LIMIT = 3; // of the pause: people should learn within seconds that the model is back
// The pauses before the service is asked again, by the state of the model that is on its way.
const PAUSES_MS = { loading: 1000, downloading: 2000, failed: 30_000 };
const IDLE_PAUSE_MS = 60_000; // an operator can change the model at any time

export class ModelNotice {
  #full;
  #short;
  #progress;
  #events;
  #personality = '';
  #shown = null; // the description on the page
  #watch = null; // a new object for each personality

  /** `full` and `short` are the elements that name the model, `progress` those of the model that is on its way.
   * `onAvailable(isAvailable)` is called when no model answers, and when a missing one is back; `onChange(model)` when
   * another model answers than before. */
  constructor({ full, short, progress }, events) {
    this.#full = full;
    this.#short = short;
    this.#progress = new ModelProgress(progress);
    this.#events = events;
  }

  /** Switches to another personality. `description` is the service's description of it, which may be old. */
  switchTo(description) {
    const isOld = this.#personality !== '';
    this.#personality = description.personality;
    this.#shown = null;
    this.update(description);
    this.#watch = {};
    this.#keepWatching(this.#watch, isOld);
  }

  /** Shows the models of a description, or the one of a `session` frame. */
  update(description) {
    const before = this.#shown;
    this.#shown = { next_model: before?.next_model, ...description };
    const { model, starter, next_model: next } = this.#shown;
    // A `session` frame can know of a take-over before the description of the awaited model is old.
    this.#progress.show(model && next?.title !== model ? next : null, model);
    if (before && before.model === model && before.starter === starter) return;
    say(this.#full, model ? (starter ? 'page-model-starter' : 'page-model') : 'page-model-none', { model });
    say(this.#short, model ? 'page-hint-model' : 'page-hint', { model });
    if (!model) this.#events.onAvailable(false);
    else if (before && !before.model) this.#events.onAvailable(true);
    else if (before) this.#events.onChange(model);
  }

  /** Checks the notice against the model of a complete answer. */
  async check(model) {
    if (model && model !== this.#shown?.model) await this.#refresh(this.#watch);
  }

  async #keepWatching(watch, isOld) {
    if (isOld) await this.#refresh(watch);
    for (let attempt = 0; this.#watch === watch; attempt += 1) {
      if (this.#shown.model) attempt = 0;
      await pause(this.#pauseMs(attempt));
      await visible();
      await this.#refresh(watch);
    }
  }

  async #refresh(watch) {
    const description = await fetchOneDescription(this.#personality);
    if (description && this.#watch === watch) this.update(description);
  }

  #pauseMs(attempt) {
    const { model, next_model: next } = this.#shown;
    if (!model) return backoff(Math.min(attempt, DOUBLINGS_LIMIT));
    return PAUSES_MS[next?.state] ?? IDLE_PAUSE_MS;
  }
}

/** Resolves when somebody can see the page: a tab in the background need not ask. */
function visible() {
  if (!document.hidden) return null;
  return new Promise((resolve) => {
    document.addEventListener('visibilitychange', resolve, { once: true });
  });
}
