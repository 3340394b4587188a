/** Asks for a confirmation before something that cannot be undone. */

import { say } from './language.js';

/** `action`: the part of the text keys that names the action. Resolves to true if the person confirms. */
export async function confirmAction(action, values) {
  const dialog = document.querySelector('#confirm');
  say(dialog.querySelector('#confirm-title'), `page-confirm-${action}-title`, values);
  say(dialog.querySelector('#confirm-text'), `page-confirm-${action}-text`, values);
  say(dialog.querySelector('#confirm-action'), `page-confirm-${action}-action`, values);
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
  return dialog.returnValue === 'confirm';
}
