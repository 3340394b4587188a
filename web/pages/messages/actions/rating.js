/** A person's verdict on one answer: stored at once, then a form asks for the reason. */

import { serviceUrl } from '../../browser/service.js';
import { say } from '../../interface/language.js';

const REASONS = {
  good: ['correct', 'clear', 'complete', 'sourced'],
  bad: ['incorrect', 'outdated', 'off_topic', 'incomplete', 'unclear', 'unsourced', 'harmful'],
};
const COMMENT_LIMIT_CHARS = 1500;

let forms = 0; // on the page: each needs ids of its own

export class AnswerRating {
  form = document.createElement('form');
  #answer;
  #session;
  #buttons;
  #tell;
  #verdict = null; // as stored

  /** `buttons`: those of the verdicts. `session()` returns the id of the conversation. `tell(key)` shows an outcome. */
  constructor({ answer, session, buttons, tell }) {
    this.#answer = answer;
    this.#session = session;
    this.#buttons = buttons;
    this.#tell = tell;
    this.#verdict = answer.rating;
    this.form.className = 'action-panel rating';
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#store(this.#verdict, this.#comment(), 'page-rate-reason-stored');
    });
  }

  /** Stores a verdict, and offers its reasons. Choosing the stored one again only shows the form. */
  async choose(verdict) {
    if (verdict !== this.#verdict || !this.form.hasChildNodes()) this.#showReasons(verdict);
    if (verdict === this.#verdict) return;
    await this.#store(verdict, '', 'page-rate-stored');
  }

  async #store(verdict, comment, told) {
    const isStored = await send(this.#session(), { exchange: this.#answer.exchange, verdict, comment });
    if (isStored) this.#verdict = verdict;
    for (const button of this.#buttons) {
      button.setAttribute('aria-pressed', String(button.dataset.verdict === this.#verdict));
    }
    this.#tell(isStored ? told : 'page-rate-not-stored');
  }

  #showReasons(verdict) {
    const number = (forms += 1);
    const choices = document.createElement('fieldset');
    choices.append(say(document.createElement('legend'), `page-rate-why-${verdict}`));
    for (const reason of REASONS[verdict]) choices.append(makeChoice(reason, `rate-${number}-${reason}`));
    const send = say(document.createElement('button'), 'page-rate-send');
    this.form.replaceChildren(choices, ...makeField(`rate-${number}-words`), send);
  }

  /** The reasons and the words: "incorrect, outdated: The law changed in May." */
  #comment() {
    const reasons = [...this.form.querySelectorAll(':checked')].map((box) => box.value).join(', ');
    return [reasons, this.form.querySelector('textarea').value.trim()].filter(Boolean).join(': ');
  }
}

function makeChoice(reason, id) {
  const line = document.createElement('div');
  const box = Object.assign(document.createElement('input'), { type: 'checkbox', id, value: reason });
  const name = say(document.createElement('label'), `page-rate-reason-${reason}`);
  name.htmlFor = id;
  line.className = 'choice-line';
  line.append(box, name);
  return line;
}

function makeField(id) {
  const name = say(document.createElement('label'), 'page-rate-words');
  name.htmlFor = id;
  const field = Object.assign(document.createElement('textarea'), { id, rows: 2, maxLength: COMMENT_LIMIT_CHARS });
  return [name, field];
}

/** Resolves to whether the service stored the rating. */
async function send(session, rating) {
  const address = serviceUrl(`conversations/${encodeURIComponent(session)}/ratings`);
  try {
    const body = JSON.stringify(rating);
    const response = await fetch(address, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    return response.ok;
  } catch {
    return false;
  }
}
