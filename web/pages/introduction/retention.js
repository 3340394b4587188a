/** Says what happens to a person's text, and for how long it is kept. */

import { say } from '../interface/language.js';
import { fetchList } from '../list/requests.js';

/** Asks the service how long it keeps conversations, once `ownerKnown` resolves: two first requests at a time would get
 * two cookies. Without an answer, the text on the page names no number. */
export async function showRetention(element, ownerKnown) {
  try {
    await ownerKnown;
    const { retention_days: days } = await fetchList();
    say(element, 'page-about-text-days', { days });
  } catch (error) {
    console.info('retention not shown:', error.name);
  }
}
