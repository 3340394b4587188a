/** Shows which model answers, as TBS guidance requires, and waits for a model if none does. */

import { fetchOneDescription } from './chooser.js';
import { say } from './language.js';
import { backoff, pause } from './socket.js';

const DOUBLINGS_LIMIT = 3; // of the pause: people should learn within seconds that the model is back

export class ModelNotice {
  #full;
  #short;
  #onChange;
  #personality = '';
  #shownModel = '';
  #wait = null; // a new object for each wait, and for one personality

  /** `full` and `short` are the elements that name the model. `onChange(isAvailable)` is called when no model answers,
   * and when a missing one is back. */
  constructor({ full, short }, onChange) {
    this.#full = full;
    this.#short = short;
    this.#onChange = onChange;
  }

  /** Switches to another personality. `description` is the service's description of it. */
  switchTo(description) {
    this.#wait = null;
    this.#personality = description.personality;
    this.update(description);
  }

  /** Shows the model of a description or of a `session` frame. */
  update(description) {
    if (!description.model) {
      this.#waitForModel();
      return;
    }
    const waited = this.#wait;
    this.#wait = null;
    this.#show(description);
    if (waited) this.#onChange(true);
  }

  /** Checks the notice against the model of a complete answer. */
  async check(model) {
    if (!model || model === this.#shownModel) return;
    const description = await fetchOneDescription(this.#personality);
    if (description?.model && description.personality === this.#personality) this.update(description);
  }

  async #waitForModel() {
    if (this.#wait) return;
    const wait = {};
    this.#wait = wait;
    this.#show({});
    this.#onChange(false);
    for (let attempt = 0; this.#wait === wait; attempt += 1) {
      await pause(backoff(Math.min(attempt, DOUBLINGS_LIMIT)));
      const description = await fetchOneDescription(this.#personality);
      if (description?.model && this.#wait === wait) this.update(description);
    }
  }

  #show({ model, starter }) {
    this.#shownModel = model ?? '';
    const key = starter ? 'page-model-starter' : 'page-model';
    say(this.#full, model ? key : 'page-model-none', { model });
    say(this.#short, model ? 'page-hint-model' : 'page-hint', { model });
  }
}
