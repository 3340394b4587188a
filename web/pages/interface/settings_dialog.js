/** The dialog in which a person chooses the colours and how answers are shown and announced. Loaded when it opens. */

import { say } from './language.js';
import { choosePreference, preference, PREFERENCES } from './preferences.js';

/** Opens the settings. The focus returns to where it was when they are closed. */
export function openSettings() {
  const dialog = document.createElement('dialog');
  dialog.className = 'settings';
  const title = say(document.createElement('h2'), 'page-settings');
  title.id = 'settings-title';
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.append(title, ...Object.keys(PREFERENCES).map(makeGroup), makeButtons());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function makeGroup(name) {
  const group = document.createElement('fieldset');
  group.append(say(document.createElement('legend'), `page-settings-${name}`));
  group.append(...PREFERENCES[name].map((value) => makeChoice(name, value)));
  return group;
}

/** A choice holds at once, so that the person sees what it does. */
function makeChoice(name, value) {
  const line = document.createElement('label');
  line.className = 'switch';
  const box = document.createElement('input');
  Object.assign(box, { type: 'radio', name, value, checked: preference(name) === value });
  box.addEventListener('change', () => choosePreference(name, value));
  line.append(box, say(document.createElement('span'), `page-${name}-${value}`));
  return line;
}

function makeButtons() {
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'buttons';
  const button = say(document.createElement('button'), 'page-close');
  button.className = 'primary';
  form.append(button);
  return form;
}
