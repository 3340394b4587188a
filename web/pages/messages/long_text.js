/** Folds a long question: it would push the answer many screens down. The whole text stays in the page, also in print. */

import { makeButton } from './actions/action_row.js';
import { say } from '../interface/language.js';

const LONG_CHARS = 2000;
const LONG_LINES = 25;

/** Folds `body` if its text is long, and returns the button that unfolds it; else returns null. */
export function foldIfLong(body) {
  const isLong = body.textContent.length > LONG_CHARS || body.textContent.split('\n', LONG_LINES + 1).length > LONG_LINES;
  body.classList.toggle('folded', isLong);
  if (!isLong) return null;
  const values = { characters: body.textContent.length };
  const toggle = () => {
    const isFolded = body.classList.toggle('folded');
    button.setAttribute('aria-expanded', String(!isFolded));
    say(button, isFolded ? 'page-show-all' : 'page-show-less', values);
  };
  const button = makeButton('page-show-all', toggle, values);
  button.setAttribute('aria-expanded', 'false');
  button.classList.add('unfold');
  body.after(button);
  return button;
}
