/** The field that renames a conversation, in the place of its link. */

import { label } from '../interface/language.js';
import { make, makeButton, makeText } from '../interface/elements.js';

const TITLE_LIMIT_CHARS = 80; // of the service

/** Returns a form with the title. `onEnd(title)` is called once: with the new title, or with "" if there is none. */
export function makeTitleForm(title, onEnd) {
  const form = make('form', 'rename');
  const input = label(make('input'), 'page-list-title');
  Object.assign(input, { value: title, maxLength: TITLE_LIMIT_CHARS, autocomplete: 'off' });
  form.append(input, makeText('button', 'page-list-save', 'primary'), makeButton('page-cancel', () => onEnd('')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const changed = input.value.trim();
    onEnd(changed === title ? '' : changed);
  });
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault(); // Escape would also close the dialog around the list, or stop an answer
    event.stopPropagation();
    onEnd('');
  });
  return form;
}
