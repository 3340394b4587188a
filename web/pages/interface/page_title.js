/** The page's title: who answers, and in a tab that nobody sees also that an answer has come. */

import { language } from './language.js';
import { text } from './texts.js';

let current = {}; // the arguments of the title
let news = ''; // the text key of what happened unseen

/** Shows the title of a personality. */
export function setTitle(args) {
  current = args;
  show();
}

/** Says in the title that something happened, until the person looks at the page. */
export function noteInTitle(key) {
  if (document.hidden) news = key;
  show();
}

function show() {
  const title = text(current.title ? 'page-title-personality' : 'page-title', language(), current);
  document.title = news ? text(news, language(), { title }) : title;
}

document.addEventListener('languagechange', show);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) news = '';
  show();
});
