/** The directory of personalities: a dialog with the description, language, model and examples of each. */

import { loadStyles } from '../browser/styles.js';
import { make, makeButton, makeText } from '../interface/elements.js';
import { language } from '../interface/language.js';

const EXAMPLES = 2; // the page itself shows all suggestions of the chosen one

let dialog = null;

/** Shows the directory. `current`: the name of the chosen personality. Calls `onChoose(name)` if the person chooses. */
export async function openDirectory(personalities, current, onChoose) {
  await loadStyles('directory');
  dialog ??= makeDialog();
  const choose = (name) => {
    dialog.close();
    onChoose(name);
  };
  const cards = personalities.map((each) => makeCard(each, each.personality === current, choose));
  dialog.querySelector('ul').replaceChildren(...cards);
  dialog.showModal();
}

function makeDialog() {
  const element = make('dialog', 'directory');
  const head = make('div', 'head');
  const title = makeText('h2', 'page-directory');
  title.id = 'directory-title';
  element.setAttribute('aria-labelledby', title.id);
  head.append(title, makeButton('page-close', () => element.close()));
  const list = make('ul');
  list.setAttribute('role', 'list');
  element.append(head, list);
  document.body.append(element);
  return element;
}

function makeCard({ personality, title, language: lang, description, model, starter, suggestions = [] }, isCurrent, choose) {
  const card = make('li', 'card');
  const heading = Object.assign(make('h3'), { textContent: title, lang });
  const about = Object.assign(make('p'), { textContent: description[language()], lang: language() });
  const facts = make('p', 'facts');
  facts.append(makeText('span', 'page-directory-language', '', { language: lang }), ' ', makeModel(model, starter));
  card.append(heading, about, facts);
  if (suggestions.length) card.append(makeExamples(suggestions.slice(0, EXAMPLES), lang));
  if (isCurrent) card.append(makeText('p', 'page-directory-current', 'current'));
  else card.append(makeButton('page-directory-choose', () => choose(personality), { title }));
  return card;
}

function makeModel(model, starter) {
  if (!model) return makeText('span', 'page-model-none');
  return makeText('span', starter ? 'page-model-starter' : 'page-model', '', { model });
}

function makeExamples(suggestions, lang) {
  const list = make('ul', 'examples');
  list.append(...suggestions.map((each) => Object.assign(make('li'), { textContent: each, lang })));
  return list;
}
