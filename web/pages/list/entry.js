/** One conversation in the list: its link, and the actions that rename, pin and delete it. */

import { label, say } from '../interface/language.js';
import { make, makeButton } from '../interface/elements.js';
import { makeTitleForm } from './title_form.js';
import { inWords } from './when.js';

export class Entry {
  #act;
  #summary; // as the service describes it
  #link = make('a');
  #title = make('span', 'title');
  #about = make('span', 'about');
  #pin = make('span');
  #personality = make('span');
  #time = make('time');
  #button = make('button', 'more');
  #actions = make('div', 'actions');
  element = make('li', 'entry');

  /** `act`: functions of the summary that `open`, `rename` (with the new title), `pin` or `delete` the conversation. */
  constructor(act) {
    this.#act = act;
    this.#title.dir = 'auto';
    this.#about.append(this.#pin, ' ', this.#personality, ' ', this.#time);
    this.#link.append(this.#title, ' ', this.#about);
    this.#link.addEventListener('click', (event) => this.#onClick(event));
    this.#button.type = 'button';
    this.#button.textContent = '⋯';
    this.#button.addEventListener('click', () => this.#toggle());
    this.#toggle(false);
    this.element.append(this.#link, this.#button, this.#actions);
  }

  /** `personality`: the description of the conversation's personality; undefined if the service no longer has it. */
  show(summary, personality, href) {
    this.#summary = summary;
    this.#link.href = href;
    this.#title.textContent = summary.title;
    this.#title.lang = personality?.language ?? '';
    say(this.#pin, 'page-list-pinned');
    this.#pin.hidden = !summary.pinned;
    const { title, language } = personality ?? { title: summary.personality, language: 'none' };
    say(this.#personality, 'page-list-personality', { title, language });
    this.#time.dateTime = summary.used_at;
    this.showTime();
    label(this.#button, 'page-list-actions', { title: summary.title });
    if (!this.#actions.hidden) this.#fillActions();
  }

  /** Writes the time again: another day has begun, or the language has changed. */
  showTime() {
    this.#time.textContent = inWords(new Date(this.#summary.used_at));
  }

  set isOpen(value) {
    if (value) this.#link.setAttribute('aria-current', 'page');
    else this.#link.removeAttribute('aria-current');
  }

  focus() {
    this.#link.focus();
  }

  /** A click with a key opens the link in another tab or window, as everywhere. */
  #onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#act.open(this.#summary);
  }

  #toggle(isShown = this.#actions.hidden) {
    this.#actions.hidden = !isShown;
    this.#button.setAttribute('aria-expanded', isShown);
    if (isShown) this.#fillActions();
  }

  #fillActions() {
    const focused = [...this.#actions.children].indexOf(document.activeElement);
    const { pinned } = this.#summary;
    this.#actions.replaceChildren(
      makeButton('page-list-rename', () => this.#edit()),
      makeButton(pinned ? 'page-list-unpin' : 'page-list-pin', () => this.#act.pin(this.#summary)),
      makeButton('page-list-delete', () => this.#act.delete(this.#summary)),
    );
    this.#actions.children[focused]?.focus();
  }

  #edit() {
    const summary = this.#summary;
    const form = makeTitleForm(summary.title, (title) => {
      form.replaceWith(this.#link);
      this.#button.hidden = false;
      this.#button.focus();
      if (title) this.#act.rename(summary, title);
    });
    this.#toggle(false);
    this.#button.hidden = true;
    this.#link.replaceWith(form);
    form.elements[0].select();
    form.elements[0].focus();
  }
}
