/** Questions to begin with. A button puts its question into the field and does not send it: the person reads it first,
 * can make it their own, and nothing leaves the page that they did not send. */

const SHOWN = 3;

export class Suggestions {
  #list;
  #composer;
  #latest = ''; // the question that was put into the field

  /** `list` is the element for the buttons; `composer` has the field. */
  constructor(list, composer) {
    this.#list = list;
    this.#composer = composer;
  }

  /** Shows the first questions of a personality, in its language. */
  show({ suggestions = [], language }) {
    this.#list.replaceChildren(...suggestions.slice(0, SHOWN).map((question) => this.#makeItem(question, language)));
    this.#list.hidden = !suggestions.length;
  }

  #makeItem(question, language) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.lang = language;
    button.textContent = question;
    button.addEventListener('click', () => this.#choose(question));
    item.append(button);
    return item;
  }

  /** Keeps what the person wrote; another choice replaces the earlier one. */
  #choose(question) {
    const written = this.#composer.draft === this.#latest ? '' : this.#composer.draft.trim();
    this.#latest = question;
    this.#composer.draft = [written, question].filter(Boolean).join('\n\n');
    this.#composer.focus();
  }
}
