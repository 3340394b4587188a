/** The details of an answer: its model, when it was asked for, the tokens that it took, and the id of its receipt. */

import { say } from '../../interface/language.js';
import { makeButton } from './action_row.js';
import { copyText } from './copying.js';

/** Makes the panel. What the page does not know of a restored answer is left out.
 *
 * `tellCopied(promise)` tells whether copying worked.
 */
export function makeDetails({ model, at, usage, receipt }, tellCopied) {
  const panel = document.createElement('ul');
  panel.className = 'action-panel details';
  panel.setAttribute('role', 'list');
  if (model) panel.append(makeItem('page-details-model', { model }));
  if (at) panel.append(makeItem('page-details-asked', { day: at }));
  if (usage) panel.append(makeItem('page-details-tokens', { read: usage.prompt_tokens, written: usage.completion_tokens }));
  if (receipt) panel.append(makeReceipt(receipt, tellCopied));
  return panel;
}

function makeItem(key, values) {
  return say(document.createElement('li'), key, values);
}

function makeReceipt(receipt, tellCopied) {
  const item = document.createElement('li');
  const id = document.createElement('code');
  id.textContent = receipt;
  item.append(
    say(document.createElement('span'), 'page-details-receipt'),
    ' ',
    id,
    ' ',
    makeButton('page-copy-receipt', () => tellCopied(copyText(receipt))),
  );
  return item;
}
