/** Keyboard shortcuts: it knows which key asks for which action. The modules that can act register with `onShortcut`.
 *
 * Alt + Shift + the key works everywhere. The key alone works outside of fields, unless the person switched that off:
 * people who dictate, or whose hand slips, would start actions by accident (WCAG 2.1.4).
 */

import { load, store } from '../browser/storage.js';

const SETTING = 'singleKeys';
const OFF = 'off';
const TAKES_KEYS = 'input, textarea, select, [contenteditable], dialog[open]';

/** The key of each action, in the order of the list. */
export const KEYS = new Map([
  ['write', 'q'],
  ['new', 'n'],
  ['search', 'f'],
  ['previous', 'k'],
  ['next', 'j'],
  ['latest', 'l'],
  ['copy', 'c'],
  ['aloud', 'r'],
  ['list', '?'],
]);

const actions = new Map(); // name → function

/** Registers the function that a shortcut calls. `name`: a key of KEYS; one without a function does nothing. */
export function onShortcut(name, act) {
  if (!KEYS.has(name)) throw new Error(`no shortcut ${name}`);
  actions.set(name, act);
}

/** The names of the shortcuts that do something, in the order of the list. */
export const activeShortcuts = () => [...KEYS.keys()].filter((name) => actions.has(name));

export const singleKeysWork = () => load('localStorage', SETTING) !== OFF;
export const letSingleKeysWork = (work) => store('localStorage', SETTING, work ? '' : OFF);

/** Calls the registered functions from now on. */
export function listenForShortcuts() {
  document.addEventListener('keydown', (event) => {
    const name = event.isComposing || event.defaultPrevented ? null : shortcutOf(event);
    if (!actions.has(name) || document.querySelector('dialog[open]')) return;
    event.preventDefault();
    actions.get(name)();
  });
}

function shortcutOf(event) {
  const pressed = letterOf(event);
  const name = [...KEYS.keys()].find((each) => KEYS.get(each) === pressed);
  return name && (isModified(event) || isSingle(event)) ? name : null;
}

/** With Option, a Mac sends another character: then the key's place decides. */
function letterOf({ key, code, altKey }) {
  if (altKey && !/^[a-z?]$/i.test(key)) return code === 'Slash' ? '?' : code.replace('Key', '').toLowerCase();
  return key.toLowerCase();
}

const isModified = (event) => event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey;

function isSingle(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || (event.shiftKey && event.key !== '?')) return false;
  return singleKeysWork() && !event.target.closest?.(TAKES_KEYS);
}
