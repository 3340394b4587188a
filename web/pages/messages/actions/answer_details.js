/** The details of an answer: its model, when it was asked for, and the tokens that it took. */

import { say } from '../../interface/language.js';

/** Makes the panel. What the page does not know of a restored answer is left out. */
export function makeDetails({ model, at, usage }) {
  const panel = document.createElement('ul');
  panel.className = 'action-panel details';
  panel.setAttribute('role', 'list');
  if (model) panel.append(makeItem('page-details-model', { model }));
  if (at) panel.append(makeItem('page-details-asked', { day: at }));
  if (usage) panel.append(makeItem('page-details-tokens', { read: usage.prompt_tokens, written: usage.completion_tokens }));
  return panel;
}

function makeItem(key, values) {
  return say(document.createElement('li'), key, values);
}
