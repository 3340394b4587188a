/** Marks a list of sources that the model wrote. The service's own sources stand in a card below the answer. */

import { say } from '../interface/language.js';

const HEADING = /^\s*(?:list of |liste des )?(?:sources?|references?|références?|citations?|bibliograph(?:y|ie)|works cited|ouvrages cités)(?: (?:used|cited|consulted|utilisées|citées|consultées))?\s*:?\s*$/iu;

/** Adds a note below each heading in `body` that announces sources. */
export function markOwnSources(body) {
  for (const heading of body.querySelectorAll('h4, h5, h6, p, strong, li')) {
    if (!isHeading(heading)) continue;
    const note = say(document.createElement('p'), 'page-own-sources');
    note.className = 'own-sources';
    const block = heading.closest('p, li, h4, h5, h6') ?? heading;
    if (block.nextElementSibling?.className !== 'own-sources') block.after(note);
  }
}

/** Whether an element is a heading of sources: a line of its own, or the bold beginning of a block. */
function isHeading(element) {
  if (element.localName === 'strong') return !element.previousSibling && HEADING.test(element.textContent);
  return HEADING.test(firstLine(element));
}

function firstLine(element) {
  let line = '';
  for (const node of element.childNodes) {
    if (node.localName === 'br') break;
    line += node.textContent;
  }
  return line;
}
