/** Makes the elements and their texts. */

import { say } from './language.js';

export function make(tag, className = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

/** An element with a text of the catalogue. */
export const makeText = (tag, key, className, values) => say(make(tag, className), key, values);

export function makeButton(key, onClick, values) {
  const button = makeText('button', key, '', values);
  button.type = 'button';
  button.addEventListener('click', onClick);
  return button;
}
