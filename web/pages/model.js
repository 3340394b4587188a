/** Which model answers, as TBS guidance asks to say, and plainly when it is the starter or none. Waits for it to come. */

import { description } from './chooser.js';
import { say } from './language.js';
import { backoff, pause } from './socket.js';

const LONGEST_WAIT = 3; // doublings: nobody wants to hear half a minute late that it is there

export class Model {
  #full;
  #short;
  #changed;
  #personality = '';
  #named = ''; // the model that people are told answers
  #awaiting = null; // of its own for each wait, and for one personality

  /** `full` and `short` are the elements that say it. `changed(answers)`: none answers, or one does that was waited for. */
  constructor({ full, short }, changed) {
    this.#full = full;
    this.#short = short;
    this.#changed = changed;
  }

  /** `described` is a description of the protocol. */
  turnTo(described) {
    this.#awaiting = null;
    this.#personality = described.personality;
    this.told(described);
  }

  /** A session, too, says who answers it, or that nobody does. */
  told(described) {
    if (!described.model) {
      this.#await();
      return;
    }
    const waited = this.#awaiting;
    this.#awaiting = null;
    this.#say(described);
    if (waited) this.#changed(true);
  }

  /** An answer was written by this one. */
  async wrote(model) {
    if (!model || model === this.#named) return;
    const described = await description(this.#personality);
    if (described?.model && described.personality === this.#personality) this.told(described);
  }

  async #await() {
    if (this.#awaiting) return;
    const awaiting = {};
    this.#awaiting = awaiting;
    this.#say({});
    this.#changed(false);
    for (let attempt = 0; this.#awaiting === awaiting; attempt += 1) {
      await pause(backoff(Math.min(attempt, LONGEST_WAIT)));
      const described = await description(this.#personality);
      if (described?.model && this.#awaiting === awaiting) this.told(described);
    }
  }

  #say({ model, starter }) {
    this.#named = model ?? '';
    const key = starter ? 'modelStarter' : 'model';
    say(this.#full, model ? key : 'modelNone', { model });
    say(this.#short, 'hint', { model });
  }
}
