/** Shows what the service reads at an address before the question is sent. Loaded with the first address.
 *
 * The service fetches the page, never the browser: it has the guards, and the site learns nothing of the person.
 */

import { language, say } from '../interface/language.js';
import { serviceUrl } from '../browser/service.js';
import { addSentence } from './announcements.js';

const BEGINNING_CHARS = 400;

export class PagePreview {
  isReading = false;
  #box;
  #announcements;
  #attach;
  #onSettled;
  #leftOut;
  #address = '';
  #abort = new AbortController();

  /** `box` is empty and hidden, `announcements` a live region. `attach(attachment)` adds the page's text to the question,
   * `onSettled()` is called when the page is read. `leftOut`: the set of addresses that the service must not read. */
  constructor({ box, announcements, attach, onSettled }, leftOut) {
    this.#box = box;
    this.#announcements = announcements;
    this.#attach = attach;
    this.#onSettled = onSettled;
    this.#leftOut = leftOut;
  }

  /** Reads the page. `isFirst`: the service reads it again for the answer; otherwise its text has to be attached. */
  async open(address, isFirst) {
    this.close();
    this.#address = address;
    if (this.#leftOut.has(address)) this.#showLeftOut(isFirst);
    else await this.#read(address, isFirst);
  }

  close() {
    this.#abort.abort();
    this.isReading = false;
    this.#box.hidden = true;
    this.#box.replaceChildren();
  }

  async #read(address, isFirst) {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.isReading = true;
    this.#show('reading', [this.#state('page-link-reading', { host: hostOf(address) })], isFirst);
    const page = await fetchPage(address, signal);
    if (signal.aborted) return;
    this.isReading = false;
    if (page.text) this.#showPage(page, isFirst);
    else this.#showFailure(page, isFirst);
    this.#onSettled();
  }

  #showPage(page, isFirst) {
    const host = hostOf(page.url);
    const title = page.title || host;
    const values = { kind: page.kind, host, characters: page.text.length };
    addSentence(this.#announcements, 'page-link-was-read', { title, ...values });
    if (!isFirst) {
      this.#attach({ name: title, text: page.text, omissions: page.omissions });
      this.close();
      return;
    }
    const key = page.omissions.length ? 'page-link-read-in-part' : 'page-link-read';
    this.#show('read', [named(title, page.language), ' ', this.#state(key, values), beginningOf(page)], isFirst);
  }

  #showFailure({ message }, isFirst) {
    const reason = document.createElement('span');
    if (message) Object.assign(reason, { textContent: message, lang: language() });
    else say(reason, 'page-link-failed');
    const text = this.#state('page-link-not-read', { host: hostOf(this.#address) });
    addSentence(this.#announcements, 'page-link-not-read', { host: hostOf(this.#address) }).append(' ', reason.cloneNode(true));
    this.#show('failed', [text, ' ', reason], isFirst);
  }

  #showLeftOut(isFirst) {
    this.#show('left-out', [this.#state('page-link-left-out', { host: hostOf(this.#address) })], isFirst);
  }

  /** Shows a state with its button: to leave the page out, or to read it after all. Keeps the focus on the button. */
  #show(state, content, isFirst) {
    const hadFocus = this.#box.contains(document.activeElement);
    const isOut = state === 'left-out';
    const text = document.createElement('div');
    text.className = 'words';
    text.append(...content);
    const button = say(document.createElement('button'), isOut ? 'page-link-read-it' : 'page-link-leave-out');
    button.type = 'button';
    button.className = 'offer';
    button.addEventListener('click', () => (isOut ? this.#readAfterAll(isFirst) : this.#leave(isFirst)));
    this.#box.className = `chip page ${state}`;
    this.#box.replaceChildren(text, button);
    this.#box.hidden = false;
    if (hadFocus) button.focus();
  }

  #leave(isFirst) {
    this.#leftOut.add(this.#address);
    this.#abort.abort();
    this.isReading = false;
    this.#showLeftOut(isFirst);
    addSentence(this.#announcements, 'page-link-left-out', { host: hostOf(this.#address) });
    this.#onSettled();
  }

  #readAfterAll(isFirst) {
    this.#leftOut.delete(this.#address);
    this.#read(this.#address, isFirst);
  }

  #state(key, values) {
    const element = say(document.createElement('span'), key, values);
    element.className = 'state';
    return element;
  }
}

/** Resolves to the page, or to {message} with the reason why it cannot be read. */
async function fetchPage(url, signal) {
  try {
    const response = await fetch(serviceUrl('read/page'), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ url, language: language() }),
      signal,
    });
    return await response.json();
  } catch {
    return {}; // aborted, without a connection, or a proxy's page
  }
}

function hostOf(address) {
  try {
    return new URL(address).host; // in punycode, so that no letter passes for another
  } catch {
    return address;
  }
}

function named(title, lang) {
  const name = document.createElement('bdi');
  name.className = 'name';
  name.textContent = title;
  if (lang) name.lang = lang;
  return name;
}

/** The first words of the page, for people who want to see that it is the right one. */
function beginningOf({ text, language: lang }) {
  const details = document.createElement('details');
  const body = document.createElement('p');
  body.textContent = text.length > BEGINNING_CHARS ? `${text.slice(0, BEGINNING_CHARS)}…` : text;
  if (lang) body.lang = lang;
  details.append(say(document.createElement('summary'), 'page-link-beginning'), body);
  return details;
}
