/** The field for a question: its keys, its two buttons, and a draft that survives a reload. */

export class Composer {
  #question;
  #send;
  #stop;
  #storage = null; // of the current personality
  #isAnswering = false;

  /** `ask(text)` returns whether the text was accepted (also ""). `stop()` stops the answer. */
  constructor(form, { ask, stop }) {
    this.#question = form.querySelector('textarea');
    this.#send = form.querySelector('#send');
    this.#stop = form.querySelector('#stop');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(ask);
    });
    this.#stop.addEventListener('click', stop);
    this.#question.addEventListener('input', () => this.#store());
    this.#question.addEventListener('keydown', (event) => this.#onKey(event, form));
    document.addEventListener('keydown', (event) => {
      // Escape may close the dialog or leave an input method instead.
      const isForOther = event.isComposing || document.querySelector('dialog[open]');
      if (event.key === 'Escape' && this.#isAnswering && !isForOther) stop();
    });
  }

  /** Switches to another conversation and shows its draft. */
  switchTo(storage) {
    const typed = this.#storage ? '' : this.#question.value; // typed while the service was starting
    this.#storage = storage;
    this.draft = [storage.draft, typed].filter(Boolean).join('\n\n');
  }

  get draft() {
    return this.#question.value;
  }

  set draft(text) {
    this.#question.value = text;
    this.#store();
  }

  set isAnswering(value) {
    this.#isAnswering = value;
    const hadFocus = document.activeElement === (value ? this.#send : this.#stop);
    this.#send.hidden = value;
    this.#stop.hidden = !value;
    if (hadFocus) this.focus(); // a hidden button loses the focus
  }

  focus() {
    this.#question.focus({ preventScroll: true });
  }

  #submit(ask) {
    const text = this.#question.value.trim();
    if (ask(text)) this.draft = '';
  }

  #onKey(event, form) {
    // In an input method, Enter chooses a character. Safari then sends key code 229 instead of isComposing.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  }

  #store() {
    if (this.#storage) this.#storage.draft = this.#question.value;
  }
}
