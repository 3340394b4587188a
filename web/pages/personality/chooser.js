/** The choice of a personality: its list from the service, the selection, and its description on the page. */

import { language } from '../interface/language.js';
import { setTitle } from '../interface/page_title.js';
import { backoff, pause } from '../browser/waiting.js';
import { load, store } from '../browser/storage.js';
import { serviceUrl } from '../browser/service.js';

const KEY = 'personality';
const PARAMETER = 'personality'; // in the page's address, so that a personality can be linked to

/** Fetches the descriptions of all personalities. Retries while the service starts; `onWait()` is called before that. */
export async function fetchDescriptions(onWait) {
  for (let attempt = 0; ; attempt += 1) {
    const { body, retryAfterMs } = await fetchDescription('');
    if (body?.personalities.length) return body.personalities;
    if (!attempt) onWait();
    await pause(retryAfterMs || backoff(attempt));
  }
}

/** Fetches the description of one personality; null if the service does not answer now. */
export async function fetchOneDescription(name) {
  const { body } = await fetchDescription(`/${encodeURIComponent(name)}`);
  return body ?? null;
}

async function fetchDescription(path) {
  try {
    const response = await fetch(serviceUrl(`describe${path}`));
    if (response.ok) return { body: await response.json() };
    return { retryAfterMs: 1000 * Number(response.headers.get('Retry-After')) };
  } catch {
    return {}; // unreachable or cut off: the caller tries again in both cases
  }
}

export class Chooser {
  #select;
  #personalities;

  /** `onChoose(personality)` is called with the initial choice at once, then for each new choice. */
  constructor(select, personalities, onChoose) {
    this.#select = select;
    this.#personalities = personalities;
    select.replaceChildren(...personalities.map(makeOption));
    select.value = this.#initialName();
    store('sessionStorage', KEY, select.value); // a reload in the other language must keep the personality
    select.addEventListener('change', () => {
      this.#store();
      onChoose(this.current);
    });
    onChoose(this.current);
  }

  get current() {
    return this.#personalities.find(({ personality }) => personality === this.#select.value);
  }

  /** The personality in the page's address, else this tab's last one, else one of the interface's language. */
  #initialName() {
    const requested = new URL(location.href).searchParams.get(PARAMETER);
    const isKnown = (name) => this.#personalities.some(({ personality }) => personality === name);
    const wanted = [requested, load('sessionStorage', KEY)].find(isKnown);
    const sameLanguage = this.#personalities.find((each) => each.language === language());
    return wanted ?? (sameLanguage ?? this.#personalities[0]).personality;
  }

  #store() {
    store('sessionStorage', KEY, this.#select.value);
    const url = new URL(location.href);
    url.searchParams.set(PARAMETER, this.#select.value);
    history.replaceState(null, '', url);
  }
}

function makeOption({ personality, title, language: lang }) {
  const element = new Option(title, personality);
  element.lang = lang;
  return element;
}

/** Shows the personality's title and its description in the interface's language. */
export function showIntroduction({ title, language: lang, description }) {
  const heading = document.querySelector('#title');
  heading.textContent = title;
  heading.lang = lang;
  document.querySelector('#description').textContent = description[language()];
  setTitle({ title });
}
