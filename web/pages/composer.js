/** Where a question is written: keys, the two buttons, and a draft that survives everything. */

export class Composer {
  #question;
  #send;
  #stop;
  #memory = null; // of the personality that is talked to
  #answering = false;

  /** `ask(text)` → whether it was taken, "" included; `stop()`. */
  constructor(form, { ask, stop }) {
    this.#question = form.querySelector('textarea');
    this.#send = form.querySelector('#send');
    this.#stop = form.querySelector('#stop');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(ask);
    });
    this.#stop.addEventListener('click', stop);
    this.#question.addEventListener('input', () => this.#keep());
    this.#question.addEventListener('keydown', (event) => this.#key(event, form));
    document.addEventListener('keydown', (event) => {
      // Escape also closes the dialog or leaves an input method, and that alone is then meant.
      const elsewhere = event.isComposing || document.querySelector('dialog[open]');
      if (event.key === 'Escape' && this.#answering && !elsewhere) stop();
    });
  }

  /** Turns to another conversation and shows its draft. */
  turnTo(memory) {
    const typed = this.#memory ? '' : this.#question.value; // while the service was starting
    this.#memory = memory;
    this.draft = [memory.draft, typed].filter(Boolean).join('\n\n');
  }

  get draft() {
    return this.#question.value;
  }

  set draft(text) {
    this.#question.value = text;
    this.#keep();
  }

  set answering(value) {
    this.#answering = value;
    const held = document.activeElement === (value ? this.#send : this.#stop);
    this.#send.hidden = value;
    this.#stop.hidden = !value;
    if (held) this.focus(); // a button that vanishes would take the focus with it
  }

  focus() {
    this.#question.focus({ preventScroll: true });
  }

  #submit(ask) {
    const text = this.#question.value.trim();
    if (ask(text)) this.draft = '';
  }

  #key(event, form) {
    // While an input method composes, Enter chooses a character. Safari then says 229 instead of isComposing.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  }

  #keep() {
    if (this.#memory) this.#memory.draft = this.#question.value;
  }
}
