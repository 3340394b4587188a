/** Buttons that copy a text, and say that they did. */

import { clearText, say } from '../interface/language.js';

/** `text()` returns what is copied. */
export function copyOnClick(button, status, text) {
  button.addEventListener('click', async () => {
    clearText(status); // a repeated sentence is announced again
    const isCopied = await navigator.clipboard?.writeText(text()).then(
      () => true,
      () => false,
    );
    say(status, isCopied ? 'page-toil-copied' : 'page-toil-not-copied');
  });
}
