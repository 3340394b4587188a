/** Which personality is talked to: the list from the service, the choice, and what people are told about it. */

import { language, titleDocument } from './language.js';
import { recall, remember } from './memory.js';
import { backoff, pause } from './socket.js';

const KEY = 'personality';
const PARAMETER = 'personality'; // in the page's address, so that a personality can be linked to

/** The descriptions of all personalities. Keeps trying while the service starts; `waiting()` is called before that. */
export async function descriptions(waiting) {
  for (let attempt = 0; ; attempt += 1) {
    const { found, retryAfterMs } = await asked('');
    if (found?.personalities.length) return found.personalities;
    if (!attempt) waiting();
    await pause(retryAfterMs || backoff(attempt));
  }
}

/** The description of one; null if the service does not tell just now. */
export async function description(name) {
  const { found } = await asked(`/${encodeURIComponent(name)}`);
  return found ?? null;
}

async function asked(path) {
  try {
    const response = await fetch(new URL(`../describe${path}`, document.baseURI));
    if (response.ok) return { found: await response.json() };
    return { retryAfterMs: 1000 * Number(response.headers.get('Retry-After')) };
  } catch {
    return {}; // not reachable, or cut off in the middle: the same to those who wait
  }
}

export class Chooser {
  #select;
  #personalities;

  /** `chosen(personality)` is called with the first one at once, then for each choice. */
  constructor(select, personalities, chosen) {
    this.#select = select;
    this.#personalities = personalities;
    select.replaceChildren(...personalities.map(option));
    select.value = this.#first();
    remember('sessionStorage', KEY, select.value); // a reload in the other language must not lead elsewhere
    select.addEventListener('change', () => {
      this.#keep();
      chosen(this.current);
    });
    chosen(this.current);
  }

  get current() {
    return this.#personalities.find(({ personality }) => personality === this.#select.value);
  }

  /** What the address asks for, or this tab's last one, or one that speaks the interface's language. */
  #first() {
    const asked = new URL(location.href).searchParams.get(PARAMETER);
    const known = (name) => this.#personalities.some(({ personality }) => personality === name);
    const wanted = [asked, recall('sessionStorage', KEY)].find(known);
    const native = this.#personalities.find((described) => described.language === language());
    return wanted ?? (native ?? this.#personalities[0]).personality;
  }

  #keep() {
    remember('sessionStorage', KEY, this.#select.value);
    const url = new URL(location.href);
    url.searchParams.set(PARAMETER, this.#select.value);
    history.replaceState(null, '', url);
  }
}

function option({ personality, title, language: its }) {
  const element = new Option(title, personality);
  element.lang = its;
  return element;
}

/** Shows who is talked to, in the interface's language. */
export function introduce({ title, language: its, description }) {
  const heading = document.querySelector('#title');
  heading.textContent = title;
  heading.lang = its;
  document.querySelector('#description').textContent = description[language()];
  titleDocument({ title });
}
