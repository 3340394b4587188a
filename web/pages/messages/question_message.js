/** One question on the page, exactly as written, with the names of its files. */

import { label } from '../interface/language.js';
import { makeMessage } from './message.js';

export class QuestionMessage {
  element;

  constructor(text, language, names) {
    this.element = makeMessage('question', language, 'page-you');
    this.element.querySelector('.body').textContent = text;
    if (names.length) this.element.append(listOfFiles(names));
  }

  remove() {
    this.element.remove();
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
