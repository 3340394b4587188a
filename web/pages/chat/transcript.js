/** The turns that the page shows, to find those that another tab has added. Does not touch the page. */

export class Transcript {
  #shown = []; // a string for each turn

  /** `turns`: all that the page shows. */
  reset(turns = []) {
    this.#shown = turns.map(describe);
  }

  /** Adds an exchange of this tab. `revises`: it replaces the last one. */
  add(question, answer, { revises = false } = {}) {
    if (revises) this.#shown.splice(-2);
    this.#shown.push(describe({ role: 'user', text: question }), describe({ role: 'assistant', text: answer }));
  }

  /** The turns that the page does not show yet; null if it shows others in their place. */
  findNew(turns) {
    const isPrefix = this.#shown.every((each, at) => at < turns.length && each === describe(turns[at]));
    return isPrefix ? turns.slice(this.#shown.length) : null;
  }
}

const describe = ({ role, text }) => `${role} ${text.replaceAll('\r', '').trim()}`;
