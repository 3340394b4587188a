/** The interface's language: it puts every text on the page and replaces it when the language changes. */

import { preferredLanguage, storeLanguage } from './preferred_language.js';
import { loadTexts, text } from './texts.js';

export { preferredLanguage };

const textArguments = new WeakMap(); // element → the arguments of its text
const labelArguments = new WeakMap(); // element → the arguments of its accessible name
let current = preferredLanguage();

/** "en" or "fr". */
export const language = () => current;
export const otherLanguage = () => (current === 'en' ? 'fr' : 'en');

/** Shows a text in `element`, in the current language and after each change. Sets `lang`, as the parent may differ. */
export function say(element, key, args = {}) {
  element.dataset.text = key;
  element.lang = current;
  textArguments.set(element, args);
  element.textContent = text(key, current, args);
  return element;
}

/** Removes the text. */
export function clearText(element) {
  delete element.dataset.text;
  element.textContent = '';
}

/** Sets the accessible name of `element`, in the current language and after each change. */
export function label(element, key, args = {}) {
  element.dataset.label = key;
  element.lang = current;
  labelArguments.set(element, args);
  element.setAttribute('aria-label', text(key, current, args));
  return element;
}

/** Switches the page's texts; listeners of "languagechange" on the document do the rest. */
export function setLanguage(chosen) {
  current = chosen;
  document.documentElement.lang = chosen;
  for (const element of document.querySelectorAll('[data-text]')) {
    say(element, element.dataset.text, textArguments.get(element));
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    label(element, element.dataset.label, labelArguments.get(element));
  }
  document.dispatchEvent(new Event('languagechange'));
}

/** Switches, and stores the choice for good. */
export async function chooseLanguage(chosen) {
  await loadTexts(chosen);
  storeLanguage(chosen);
  setLanguage(chosen);
}
