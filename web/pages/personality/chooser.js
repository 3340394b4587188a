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

/** The button with the name of the chosen personality. It opens the directory, where a button chooses another one: a
 * choice changes the whole conversation, so moving through a list must not choose (WCAG 3.2.2). */
export class Chooser {
  #name;
  #current = '';

  /** `button` has an element `.name`. `onChoose(name)` is called for each choice. */
  constructor(button, personalities, onChoose) {
    this.#name = button.querySelector('.name');
    button.addEventListener('click', async () => {
      const { openDirectory } = await import('./directory.js');
      openDirectory(personalities, this.#current, onChoose);
    });
  }

  show({ personality, title, language: lang }) {
    this.#current = personality;
    Object.assign(this.#name, { textContent: title, lang });
  }
}

/** Shows the personality's title and its description in the interface's language. */
export function showIntroduction({ title, language: lang, description }) {
  const heading = document.querySelector('#title');
  heading.textContent = title;
  heading.lang = lang;
  document.querySelector('#description').textContent = description[language()];
  setTitle({ title });
}
