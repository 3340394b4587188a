/** The dialog that lists the keyboard shortcuts and switches those of a single key on and off. Loaded when it opens. */

import { say } from './language.js';
import { activeShortcuts, KEYS, letSingleKeysWork, singleKeysWork } from './shortcuts.js';

const FIXED = ['send', 'line', 'stop']; // the keys of the field, which nobody has to switch off

/** Opens the list. The focus returns to where it was when it is closed. */
export function openShortcutList() {
  const dialog = document.createElement('dialog');
  dialog.className = 'shortcuts';
  const title = say(document.createElement('h2'), 'page-shortcuts');
  title.id = 'shortcuts-title';
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.append(title, makeTable(), makeSwitch(), makeButtons());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function makeTable() {
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const key of ['page-shortcut-action', 'page-shortcut-anywhere', 'page-shortcut-outside']) {
    const cell = say(document.createElement('th'), key);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = table.createTBody();
  for (const name of FIXED) addRow(body, `page-shortcut-${name}`, keyText(`page-key-${name}`));
  for (const name of activeShortcuts()) {
    const key = KEYS.get(name).toUpperCase();
    addRow(body, `page-shortcut-${name}`, keyText('page-key-modified', { key }), plainKey(key));
  }
  return table;
}

function addRow(body, text, ...keys) {
  const row = body.insertRow();
  const name = say(document.createElement('th'), text);
  name.scope = 'row';
  row.append(name);
  for (const key of keys) row.insertCell().append(key);
  if (keys.length < 2) row.insertCell();
}

function keyText(key, values) {
  return say(document.createElement('kbd'), key, values);
}

function plainKey(key) {
  const element = document.createElement('kbd');
  element.textContent = key;
  return element;
}

function makeSwitch() {
  const line = document.createElement('label');
  line.className = 'switch';
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.checked = singleKeysWork();
  box.addEventListener('change', () => letSingleKeysWork(box.checked));
  line.append(box, ' ', say(document.createElement('span'), 'page-shortcuts-single'));
  return line;
}

function makeButtons() {
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'buttons';
  form.append(say(document.createElement('button'), 'page-close'));
  return form;
}
