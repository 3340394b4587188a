/** The field in which a person edits the last question. Asking again replaces its answer; Escape leaves all as it was. */

import { label, say } from '../../interface/language.js';
import { requestRevision } from './action_row.js';

export class QuestionEditor {
  element = document.createElement('form');
  #field = document.createElement('textarea');

  /** `end()` removes the editor. */
  constructor(text, end) {
    this.element.className = 'editor';
    this.#field.value = text;
    this.#field.rows = 3;
    label(this.#field, 'page-edit-question');
    this.element.append(this.#field, makeButtons(end));
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.element.addEventListener('keydown', (event) => this.#onKey(event, end));
  }

  focus() {
    this.#field.focus();
  }

  #submit() {
    const text = this.#field.value.trim();
    if (text) requestRevision(this.element, text);
    else this.#field.focus();
  }

  #onKey(event, end) {
    if (event.isComposing || event.keyCode === 229) return; // in an input method, both keys belong to it
    if (event.key === 'Escape') {
      event.stopPropagation();
      end();
    } else if (event.key === 'Enter' && !event.shiftKey && event.target === this.#field) {
      event.preventDefault();
      this.element.requestSubmit();
    }
  }
}

function makeButtons(end) {
  const row = document.createElement('div');
  row.className = 'buttons';
  const cancel = say(document.createElement('button'), 'page-cancel');
  cancel.type = 'button';
  cancel.addEventListener('click', end);
  const ask = say(document.createElement('button'), 'page-edit-ask');
  ask.className = 'primary';
  row.append(cancel, ask);
  return row;
}
