/** The page's side of the worker that reads Markdown: one request at a time, each within a time limit.
 *
 * A text that exceeds the limit costs the worker its life; another one takes over. The page itself never waits.
 */

import { loadTexts, text } from '../interface/texts.js';

const LIMIT_MS = 2500; // an answer of 100,000 characters takes about a tenth of this
const LANGUAGES = ['en', 'fr'];
const MARK = 'page-quotation-not-found';

// The only script address that this page makes from a string. No policy makes HTML.
const policy = globalThis.trustedTypes?.createPolicy('csps-llm', { createScriptURL: () => workerAddress() });

/** The address of the worker, with the words that mark invented quotations in both languages. */
function workerAddress() {
  const url = new URL('./worker.js', import.meta.url);
  for (const language of LANGUAGES) url.searchParams.append('mark', text(MARK, language));
  return url.href;
}

class MarkdownWorker {
  #worker = null;
  #isStarting = false;
  #isReady = false;
  #queue = []; // requests {message, onPatches, resolve}; the first one is being answered
  #timer = 0;

  /** Loads the worker, so that it is ready when the first text comes. */
  prepare() {
    if (!this.#worker && !this.#isStarting) this.#start();
  }

  async #start() {
    this.#isStarting = true;
    await Promise.all(LANGUAGES.map(loadTexts));
    this.#isStarting = false;
    this.#worker = new Worker(policy ? policy.createScriptURL('') : workerAddress(), { type: 'module' });
    this.#worker.addEventListener('message', ({ data }) => this.#onMessage(data));
    this.#worker.addEventListener('error', () => this.#giveUp());
  }

  /** Sends text to the worker (see worker.js). Resolves to its last message, or to null if it gave no answer in time. */
  request(message, onPatches) {
    this.prepare();
    return new Promise((resolve) => {
      this.#queue.push({ message, onPatches, resolve });
      if (this.#isReady && this.#queue.length === 1) this.#send();
    });
  }

  #send() {
    this.#worker.postMessage(this.#queue[0].message);
    this.#timer = setTimeout(() => this.#giveUp(), LIMIT_MS);
  }

  #onMessage(message) {
    if (message.isReady) this.#isReady = true;
    else if (message.patches) this.#queue[0].onPatches(message.patches);
    else this.#end(message);
    if (this.#queue.length && !message.patches) this.#send();
  }

  #end(reply) {
    clearTimeout(this.#timer);
    this.#queue.shift()?.resolve(reply);
  }

  /** Replaces the worker, which is busy for too long, failed, or could not be loaded. */
  #giveUp() {
    this.#worker.terminate();
    this.#worker = null;
    this.#isReady = false;
    this.#end(null);
    if (this.#queue.length) this.prepare();
  }
}

export const markdownWorker = new MarkdownWorker();
