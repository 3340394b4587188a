/** How a person wants the page: its colours, and how answers are shown and announced. Kept in this browser. */

import { load, store } from '../browser/storage.js';

/** The values of each preference; the first one holds until the person chooses. */
export const PREFERENCES = {
  theme: ['system', 'light', 'dark'],
  reading: ['standard', 'sentences', 'quiet'],
};

/** The chosen value. The style sheets find it as an attribute of the page, such as `data-theme`. */
export function preference(name) {
  const stored = load('localStorage', name);
  return PREFERENCES[name].includes(stored) ? stored : PREFERENCES[name][0];
}

/** Keeps a choice and shows it at once. */
export function choosePreference(name, value) {
  store('localStorage', name, value === PREFERENCES[name][0] ? '' : value);
  showPreferences();
}

/** Sets the attributes of the page. The theme was set before the first paint by theme.js. */
export function showPreferences() {
  for (const name of Object.keys(PREFERENCES)) document.documentElement.dataset[name] = preference(name);
}
