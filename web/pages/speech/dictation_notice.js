/** Asks whether the sound of the person's voice may go to the browser's maker. */

import { say } from '../interface/language.js';

/** Resolves to true if the person agrees. */
export async function agreed() {
  const dialog = document.createElement('dialog');
  const title = say(document.createElement('h2'), 'page-dictation-title');
  title.id = 'dictation-title';
  const notice = say(document.createElement('p'), 'page-dictation-notice');
  notice.id = 'dictation-notice';
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.setAttribute('aria-describedby', notice.id);
  dialog.append(title, notice, makeButtons());
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
  dialog.remove();
  return dialog.returnValue === 'agree';
}

function makeButtons() {
  const form = document.createElement('form');
  form.method = 'dialog';
  form.className = 'buttons';
  const cancel = say(document.createElement('button'), 'page-cancel');
  cancel.value = 'cancel';
  const agree = say(document.createElement('button'), 'page-dictation-agree');
  agree.value = 'agree';
  agree.className = 'primary';
  form.append(cancel, agree);
  return form;
}
