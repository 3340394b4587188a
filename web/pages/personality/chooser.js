/** The choice of a personality: its list from the service, the selection, and its description on the page. */

import { language } from '../interface/language.js';
import { setTitle } from '../interface/page_title.js';
import { backoff, pause } from '../browser/waiting.js';
import { serviceUrl } from '../browser/service.js';

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

  /** `onChoose(name)` is called for each choice. */
  constructor(select, personalities, onChoose) {
    this.#select = select;
    select.replaceChildren(...personalities.map(makeOption));
    select.addEventListener('change', () => onChoose(select.value));
  }

  show({ personality }) {
    this.#select.value = personality;
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
