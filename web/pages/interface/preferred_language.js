/** The language that a person chose, or that their browser prefers. */

import { load, store } from '../browser/storage.js';

const LANGUAGES = ['en', 'fr'];
const KEY = 'language';

export function preferredLanguage() {
  const stored = load('localStorage', KEY);
  if (LANGUAGES.includes(stored)) return stored;
  const first = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => LANGUAGES.includes(tag));
  return first ?? 'en';
}

/** Stores the choice for good: a language identifies nobody. */
export function storeLanguage(chosen) {
  store('localStorage', KEY, chosen);
}
