/** A button below each code block that copies it. */

import { label } from '../../interface/language.js';
import { makeButton } from './action_row.js';
import { copyText } from './copying.js';

/** Adds the buttons to a finished answer. Its nodes stay where they are, so that they keep the focus.
 *
 * `tellCopied(promise)` tells whether copying worked.
 */
export function addCodeButtons(body, tellCopied) {
  const blocks = [...body.querySelectorAll('pre')];
  for (const [index, block] of blocks.entries()) {
    const button = makeButton('page-copy-code', () => tellCopied(copyText(block.textContent.replace(/\n$/, ''))));
    button.classList.add('copy-code');
    if (blocks.length > 1) label(button, 'page-copy-code-number', { number: index + 1 });
    block.after(button);
  }
}
