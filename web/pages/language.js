/** Which of the two languages the interface speaks, and keeping every shown word in it. Knows no word itself. */

import { recall, remember } from './memory.js';
import { strings } from './strings.js';

const KEY = 'language';
const spokenFor = new WeakMap(); // element → the values its string was filled with
const labelledFor = new WeakMap(); // and its accessible name
let values = {}; // of the document's title
let current = 'en';

/** "en" or "fr". */
export const language = () => current;
export const other = () => (current === 'en' ? 'fr' : 'en');

function text(key, filled = {}) {
  const entry = strings[current][key];
  return typeof entry === 'function' ? entry(filled) : entry;
}

/** Shows a string in `element`, now and after the language changed. It may be within what is in another language. */
export function say(element, key, filled = {}) {
  element.dataset.string = key;
  element.lang = current;
  spokenFor.set(element, filled);
  element.textContent = text(key, filled);
  return element;
}

/** Takes the string away again. */
export function hush(element) {
  delete element.dataset.string;
  element.textContent = '';
}

/** Gives `element` its accessible name, now and after the language changed; what it holds may need a `lang` of its own. */
export function label(element, key, filled = {}) {
  element.dataset.label = key;
  element.lang = current;
  labelledFor.set(element, filled);
  element.setAttribute('aria-label', text(key, filled));
  return element;
}

export function titleDocument(filled) {
  values = filled;
  document.title = text('documentTitle', values);
}

/** Switches everything that is shown; listeners of "languagechange" on the document do their own part. */
export function speak(chosen) {
  current = chosen;
  document.documentElement.lang = chosen;
  titleDocument(values);
  for (const element of document.querySelectorAll('[data-string]')) {
    say(element, element.dataset.string, spokenFor.get(element));
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    label(element, element.dataset.label, labelledFor.get(element));
  }
  document.dispatchEvent(new Event('languagechange'));
}

/** A choice is kept for good, as it says nothing about anybody; until there is one, the browser's language counts. */
export function choose(chosen) {
  remember('localStorage', KEY, chosen);
  speak(chosen);
}

export function preferred() {
  const kept = recall('localStorage', KEY);
  if (kept in strings) return kept;
  const first = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in strings);
  return first ?? 'en';
}
