/** The select of a personality. Its choice changes the next request alone, so a select may choose at once. */

import { language } from '../interface/language.js';

/** Fills `select`; `onChoose(name)` is called with the first choice and with each later one. */
export function fillPersonalities(select, personalities, onChoose) {
  select.replaceChildren(...personalities.map(makeOption));
  const requested = new URL(location.href).searchParams.get('personality');
  const named = personalities.find(({ personality }) => personality === requested);
  const sameLanguage = personalities.find((each) => each.language === language());
  select.value = (named ?? sameLanguage ?? personalities[0]).personality;
  select.addEventListener('change', () => onChoose(select.value));
  onChoose(select.value);
}

function makeOption({ personality, title, language: lang }) {
  return Object.assign(new Option(title, personality), { lang });
}
