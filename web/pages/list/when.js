/** When a conversation was used, as people say it: "today", "yesterday", "3 days ago", then the date. */

import { language } from '../interface/language.js';
import { text } from '../interface/texts.js';

const DAY_MS = 86_400_000;
const DAYS_IN_WORDS = 7;

export function inWords(moment, now = new Date()) {
  const days = Math.round((startOfDay(now) - startOfDay(moment)) / DAY_MS); // rounded: some days have 23 hours
  if (days >= DAYS_IN_WORDS) return text('page-list-date', language(), { day: moment });
  return new Intl.RelativeTimeFormat(`${language()}-CA`, { numeric: 'auto' }).format(-Math.max(0, days), 'day');
}

function startOfDay(moment) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
}
