/** One question on the page, exactly as written, with the names of its files. The last one can be edited. */

import { foldIfLong } from './long_text.js';
import { label } from '../interface/language.js';
import { makeButton } from './actions/action_row.js';
import { makeMessage } from './message.js';

export class QuestionMessage {
  element;
  files;
  #body;
  #fold = null;
  #edit = null; // the button
  #editor = null;
  #maskedNote = null; // says which personal information was taken out

  /** `files`: their names. `at`: a Date. */
  constructor(text, language, { files = [], at = new Date() } = {}) {
    this.element = makeMessage('question', language, 'page-you');
    this.#body = this.element.querySelector('.body');
    this.files = files;
    this.at = at;
    this.text = text;
    if (files.length) this.element.append(listOfFiles(files));
    // Its place is reserved while the answer is written: what people read must not move when it appears.
    this.#edit = makeButton('page-edit', () => this.#startEditing());
    this.#edit.classList.add('reserved');
    this.element.append(this.#edit);
  }

  get isQuestion() {
    return true;
  }

  get text() {
    return this.#body.textContent;
  }

  set text(text) {
    this.#body.textContent = text;
    this.#fold?.remove();
    this.#fold = foldIfLong(this.#body);
    this.#maskedNote?.remove();
  }

  /** Shows the text without its personal information, and below it the service's message about that. */
  showMasked(text, message, language) {
    this.text = text;
    this.#maskedNote = document.createElement('p');
    this.#maskedNote.className = 'note';
    this.#maskedNote.lang = language;
    this.#maskedNote.textContent = message;
    this.#edit.before(this.#maskedNote);
  }

  get isBeingEdited() {
    return this.#editor !== null;
  }

  /** Shows the button that edits the question: it is the last one. */
  offerRevision() {
    this.#edit?.classList.remove('reserved');
  }

  /** Hides the button while the question is asked again. */
  withdrawRevision() {
    this.#edit?.classList.add('reserved');
    this.#stopEditing();
  }

  /** Removes the button: another question follows. */
  settle() {
    this.withdrawRevision();
    this.#edit?.remove();
    this.#edit = null;
  }

  remove() {
    this.element.remove();
  }

  /** Shows the editor in place of the text. Its end leads back to the button. */
  async #startEditing() {
    const { QuestionEditor } = await import('./actions/question_editor.js');
    if (this.#editor || !this.#edit || this.#edit.classList.contains('reserved')) return;
    this.#editor = new QuestionEditor(this.text, () => {
      this.#stopEditing();
      this.#edit?.focus();
    });
    this.#showEditor(true);
    this.#body.after(this.#editor.element);
    this.#editor.focus();
  }

  #stopEditing() {
    if (!this.#editor) return;
    this.#editor.element.remove();
    this.#editor = null;
    this.#showEditor(false);
  }

  #showEditor(isShown) {
    for (const part of [this.#body, this.#edit, this.#fold]) if (part) part.hidden = isShown;
  }
}

function listOfFiles(names) {
  const list = label(document.createElement('ul'), 'page-files');
  list.className = 'files';
  list.setAttribute('role', 'list');
  for (const name of names) {
    const entry = document.createElement('li');
    entry.className = 'chip';
    entry.dir = 'auto';
    entry.textContent = name;
    list.append(entry);
  }
  return list;
}
