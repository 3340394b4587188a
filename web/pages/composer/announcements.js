/** Sentences for screen readers about what goes with a question. */

import { say } from '../interface/language.js';

/** Adds one sentence to a live region. A sentence is never changed, because screen readers would repeat it. */
export function addSentence(region, key, values) {
  const line = document.createElement('p');
  region.append(line);
  line.append(say(document.createElement('span'), key, values));
  return line;
}
