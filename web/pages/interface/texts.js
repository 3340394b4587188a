/** The texts of the page in both languages: the service sends them as Project Fluent files.
 *
 * The functions SIZE, DURATION and DATE give the same results as core/texts/formats.py does in Python.
 */

import { preferredLanguage } from './preferred_language.js';
import { backoff, pause } from '../browser/waiting.js';
import { FluentBundle, FluentResource } from '../vendor/fluent/index.js';

const SIZE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
const SIZE_STEP = 1000; // as the hub, makers of disks and the SI count
const DURATION_UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]]; // prettier-ignore

const bundles = {};
await loadTexts(preferredLanguage());

/** Makes the texts of `language` available. Those of the preferred language are there from the start. */
export async function loadTexts(language) {
  bundles[language] ??= makeBundle(language, await fetchTexts(language));
}

/** The text `key` in `language`, which is loaded. Throws for an unknown key or a missing argument. */
export function text(key, language, args = {}) {
  const bundle = bundles[language];
  const message = bundle.getMessage(key);
  if (!message) throw new Error(`no text ${key}`);
  return bundle.formatPattern(message.value, args);
}

/** The page can show nothing without its texts, so a failed request is repeated. */
async function fetchTexts(language) {
  let isGone = false; // the service has another version of the page by now
  for (let attempt = 0; !isGone; attempt += 1) {
    try {
      const response = await fetch(new URL(`../texts/${language}.ftl`, import.meta.url));
      if (response.ok) return await response.text();
      isGone = response.status === 404;
    } catch (error) {
      console.info('texts not loaded:', error.name);
    }
    if (!isGone) await pause(backoff(attempt));
  }
  throw new Error(`texts/${language}.ftl`);
}

function makeBundle(language, source) {
  const locale = `${language}-CA`;
  const functions = {
    SIZE: ([bytes]) => formatSize(bytes.value, locale),
    DURATION: ([seconds], { style = { value: 'long' } }) => formatDuration(seconds.value, locale, style.value ?? style),
    DATE: ([day], { time }) => formatDate(new Date(day.value), locale, time && { timeStyle: time.value ?? time }),
  };
  // Without isolation marks: English and French do not mix writing directions, and people copy names from the page.
  const bundle = new FluentBundle(locale, { functions, useIsolating: false });
  const errors = bundle.addResource(new FluentResource(source));
  if (errors.length) throw errors[0];
  return bundle;
}

function formatUnit(value, unit, locale, unitDisplay, maximumFractionDigits = 0) {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits }).format(value);
}

/** "500 bytes", "1.5 MB", "1,5 Mo". */
function formatSize(bytes, locale) {
  const unit = Math.min(SIZE_UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(SIZE_STEP)));
  return formatUnit(bytes / SIZE_STEP ** unit, SIZE_UNITS[unit], locale, unit ? 'short' : 'long', 1);
}

/** At most two units: "1 hour, 2 minutes", "1 heure et 2 minutes". */
function formatDuration(seconds, locale, unitDisplay) {
  const parts = splitDuration(seconds).map(([unit, count]) => formatUnit(count, unit, locale, unitDisplay));
  return new Intl.ListFormat(locale, { type: 'unit' }).format(parts);
}

/** "July 1, 2026", "1er juillet 2026 à 14 h 05": browsers write "1 juillet", Le guide de rédaction wants "1er". */
function formatDate(day, locale, withTime) {
  const formatted = new Intl.DateTimeFormat(locale, { dateStyle: 'long', ...withTime }).format(day);
  return locale === 'fr-CA' && day.getDate() === 1 ? formatted.replace('1', '1er') : formatted;
}

/** The largest unit and the next one, rounded to the smaller. Zeros are omitted. */
function splitDuration(seconds) {
  const found = DURATION_UNITS.findIndex(([, size]) => Math.round(seconds) >= size);
  const largest = found < 0 ? DURATION_UNITS.length - 1 : found;
  const units = DURATION_UNITS.slice(largest, largest + 2);
  const [smallestUnit, smallest] = units.at(-1);
  let rest = Math.round(seconds / smallest) * smallest;
  if (largest && rest >= DURATION_UNITS[largest - 1][1]) return splitDuration(rest); // 3,599.9 s is an hour
  const counts = [];
  for (const [unit, size] of units) {
    counts.push([unit, Math.floor(rest / size)]);
    rest %= size;
  }
  const parts = counts.filter(([, count]) => count);
  return parts.length ? parts : [[smallestUnit, 0]];
}
