/** The actions below an answer: copy, rate, ask again, details. The code of each is loaded when it is first used.
 *
 * Buttons that ask again send the bubbling event "revise", and outcomes of actions the event "outcome"; page.js listens.
 */

import { clearText, label, say } from '../../interface/language.js';
import { makeAloudButton } from '../../speech/aloud_button.js';
import { copyAnswer } from './copying.js';

export class ActionRow {
  element = document.createElement('div');
  #answer;
  #buttons = document.createElement('div');
  #outcome = document.createElement('p');
  #panel = null;
  #openedBy = null;
  #again = null;

  /** `answer`: an AnswerMessage that has ended. `session()` returns the id of the conversation. */
  constructor(answer, session) {
    this.#answer = answer;
    this.element.className = 'actions-row';
    this.#buttons.className = 'buttons-row';
    this.#buttons.setAttribute('role', 'group');
    label(this.#buttons, 'page-answer-actions');
    this.#outcome.className = 'action-outcome';
    this.element.append(this.#buttons, this.#outcome);
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    if (!answer.isEmpty) this.#add('page-copy', () => this.tellCopied(copyAnswer(answer)));
    if (!answer.isEmpty) this.#buttons.append(makeAloudButton(answer.body));
    if (answer.exchange && !answer.isEmpty) this.#addRating(session);
    if (answer.model || answer.usage || answer.receipt) this.#addDetails();
  }

  /** Adds the button that asks the question again: this answer is the last one. */
  offerRevision() {
    const { isEmpty, reason } = this.#answer;
    const key = isEmpty || reason === 'failed' ? 'page-retry' : 'page-ask-again';
    this.#again ??= this.#add(key, () => requestRevision(this.#again));
  }

  withdrawRevision() {
    this.#again?.remove();
    this.#again = null;
  }

  /** Shows what came of an action. The page's status region announces it: a region in each row would be many. */
  tell(key, values) {
    say(this.#outcome, key, values);
    this.element.dispatchEvent(new CustomEvent('outcome', { bubbles: true, detail: { key, values } }));
  }

  #add(key, onClick) {
    const button = makeButton(key, onClick);
    this.#buttons.append(button);
    return button;
  }

  /** Tells whether copying worked, once `copying` resolves to that. */
  async tellCopied(copying) {
    clearText(this.#outcome);
    this.tell((await copying) ? 'page-copied' : 'page-not-copied');
  }

  #addDetails() {
    const button = this.#add('page-details', () => {
      this.#toggle(button, async () => {
        const { makeDetails } = await import('./answer_details.js');
        return makeDetails(this.#answer, (copying) => this.tellCopied(copying));
      });
    });
    button.setAttribute('aria-expanded', 'false');
  }

  #addRating(session) {
    let rating = null;
    const buttons = ['good', 'bad'].map((verdict) => {
      const button = this.#add(`page-rate-${verdict}`, async () => {
        const { AnswerRating } = await import('./rating.js');
        rating ??= new AnswerRating({ answer: this.#answer, session, buttons, tell: (key) => this.tell(key) });
        rating.choose(verdict);
        if (this.#openedBy !== button) this.#open(button, () => rating.form);
      });
      button.dataset.verdict = verdict;
      button.setAttribute('aria-pressed', String(this.#answer.rating === verdict));
      return button;
    });
  }

  #toggle(button, make) {
    if (this.#openedBy === button) this.#close();
    else this.#open(button, make);
  }

  /** Opens the panel below the buttons; it shows one thing at a time. */
  async #open(button, make) {
    this.#close();
    this.#openedBy = button;
    const panel = await make();
    if (this.#openedBy !== button) return; // another button was pressed meanwhile
    this.#panel = panel;
    if (button.hasAttribute('aria-expanded')) button.setAttribute('aria-expanded', 'true');
    this.element.append(panel);
  }

  #close() {
    this.#panel?.remove();
    if (this.#openedBy?.hasAttribute('aria-expanded')) this.#openedBy.setAttribute('aria-expanded', 'false');
    this.#panel = this.#openedBy = null;
  }

  #onKey(event) {
    if (event.key !== 'Escape' || !this.#panel) return;
    event.stopPropagation();
    const button = this.#openedBy;
    this.#close();
    button.focus();
  }
}

/** Makes a quiet button whose text is the catalogue's `key`. */
export function makeButton(key, onClick, values) {
  const button = say(document.createElement('button'), key, values);
  button.type = 'button';
  button.className = 'quiet';
  button.addEventListener('click', onClick);
  return button;
}

/** Asks the page to replace the last exchange. `text`: the new question, null for the same. Returns whether it does. */
export function requestRevision(element, text = null) {
  return element.dispatchEvent(new CustomEvent('revise', { bubbles: true, cancelable: true, detail: { text } }));
}
