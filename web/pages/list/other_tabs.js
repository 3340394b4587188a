/** Tells the page's other tabs that the list has changed, and hears it from them. */

import { serviceUrl } from '../browser/service.js';

const NAME = `csps-llm:list:${serviceUrl('.').pathname}`; // another service may stand on the same host
const STALE_MS = 10_000;

export class OtherTabs {
  #channel = new BroadcastChannel(NAME);
  #heardAt = performance.now();

  /** `onChange(deleted)`: the list has changed; `deleted` has the ids of deleted conversations, or is "all". After a
   * while in the background it is called too, because another device may have changed the list. */
  constructor(onChange) {
    const hear = (deleted) => {
      this.#heardAt = performance.now();
      onChange(deleted);
    };
    this.#channel.addEventListener('message', ({ data }) => hear(data));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && performance.now() - this.#heardAt > STALE_MS) hear([]);
    });
  }

  tell(deleted = []) {
    this.#channel.postMessage(deleted);
  }
}
