/** The report beside the schema: each keyword is enforced, checked or refused, or where the JSON is broken. */

import { clearText, say } from '../interface/language.js';
import { findSyntaxError } from './json_syntax.js';
import { checkSchema } from './requests.js';

const PAUSE_MS = 500; // after the last key
const OUTCOMES = ['refused', 'checked', 'enforced'];

export class SchemaReport {
  #field;
  #personality;
  #parts;
  #timer;
  #abort = new AbortController();

  /** `parts`: the elements `verdict`, `place` and `keywords`. `personality()` names the one that is asked. */
  constructor(field, personality, parts) {
    this.#field = field;
    this.#personality = personality;
    this.#parts = parts;
    field.addEventListener('input', () => this.update());
    parts.place.querySelector('button').addEventListener('click', () => this.#goToError());
  }

  /** Asks for a new report after a pause. */
  update() {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#timer = setTimeout(() => this.#check(), PAUSE_MS);
  }

  async #check() {
    const schema = this.#field.value;
    if (!schema.trim()) return this.#show('page-toil-no-schema');
    const fault = findSyntaxError(schema); // the service would refuse it too, and the browser log that as an error
    if (fault) return this.#showSyntaxError(fault);
    this.#abort = new AbortController();
    try {
      const report = await checkSchema(this.#personality(), schema, this.#abort.signal);
      const key = report.accepted ? 'page-toil-accepted' : 'page-toil-refused';
      this.#show(key, { count: report.keywords.length }, report.keywords, !report.accepted);
    } catch (error) {
      if (error.name !== 'AbortError') this.#showProblem(error);
    }
  }

  #showSyntaxError({ line, column, sign }) {
    this.#show('page-toil-not-json', {}, [], true);
    const [sentence, button] = this.#parts.place.children;
    this.#parts.place.hidden = false;
    say(sentence, sign ? 'page-toil-syntax-sign' : 'page-toil-syntax-end', { sign });
    button.hidden = false;
    Object.assign(button.dataset, { line, column });
    say(button, 'page-toil-go', { line });
  }

  #showProblem({ code, detail }) {
    if (code === 'unreachable') return this.#show('page-toil-error-unreachable');
    this.#show('page-toil-not-a-schema', {}, [], true);
    const [sentence, button] = this.#parts.place.children;
    this.#parts.place.hidden = false;
    button.hidden = true;
    clearText(sentence);
    sentence.lang = 'en'; // as the service wrote it
    sentence.textContent = detail;
    return undefined;
  }

  #show(key, args = {}, keywords = [], isInvalid = false) {
    const { verdict, place, keywords: list } = this.#parts;
    place.hidden = true;
    clearText(place.querySelector('button'));
    if (verdict.dataset.text !== key || verdict.textContent === '' || args.count !== undefined) say(verdict, key, args);
    verdict.classList.toggle('invalid', isInvalid);
    this.#field.setAttribute('aria-invalid', String(isInvalid));
    list.replaceChildren(...OUTCOMES.flatMap((outcome) => makeGroup(outcome, keywords)));
  }

  #goToError() {
    const { line, column } = this.#parts.place.querySelector('button').dataset;
    const before = this.#field.value.split('\n').slice(0, line - 1).join('\n').length; // prettier-ignore
    const at = before + Number(line > 1) + Math.max(0, column - 1);
    this.#field.focus();
    this.#field.setSelectionRange(at, at);
  }
}

function makeGroup(outcome, keywords) {
  const found = keywords.filter((each) => each.outcome === outcome);
  if (!found.length) return [];
  const heading = say(document.createElement('h3'), `page-toil-outcome-${outcome}`, { count: found.length });
  heading.className = outcome;
  const list = document.createElement('ul');
  list.append(...found.map(makeItem));
  return [heading, list];
}

function makeItem({ path, why, outcome }) {
  const item = document.createElement('li');
  const name = document.createElement('code');
  name.textContent = path;
  item.append(name);
  if (outcome === 'checked') item.append(': ', say(document.createElement('span'), 'page-toil-why-checked'));
  else if (why) {
    const reason = document.createElement('span');
    reason.lang = 'en'; // as the service wrote it
    reason.textContent = `: ${why}`;
    item.append(reason);
  }
  return item;
}
