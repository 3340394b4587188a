/** The field for a question: its keys, its two buttons, its undo, and a draft that survives a reload. */

const STORE_MS = 300; // writing a long text to the browser's storage for each key would make typing slow

export class Composer {
  #question;
  #send;
  #stop;
  #onChange;
  #storage = null; // of the current personality
  #isAnswering = false;
  #storing = 0;

  /** `ask(text)` returns whether the text was accepted (also ""). `stop()` stops the answer. `onChange(text)` is called
   * when the text has changed, by typing or not. */
  constructor(form, { ask, stop, onChange }) {
    this.#question = form.querySelector('textarea');
    this.#send = form.querySelector('#send');
    this.#stop = form.querySelector('#stop');
    this.#onChange = onChange;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit(ask);
    });
    this.#stop.addEventListener('click', stop);
    this.#question.addEventListener('input', () => this.#onInput());
    this.#question.addEventListener('keydown', (event) => this.#onKey(event, form));
    window.addEventListener('pagehide', () => this.#store());
    document.addEventListener('keydown', (event) => {
      // Escape may close the dialog or leave an input method instead.
      const isForOther = event.isComposing || event.defaultPrevented || document.querySelector('dialog[open]');
      if (event.key === 'Escape' && this.#isAnswering && !isForOther) stop();
    });
  }

  /** Switches to another conversation and shows its draft. */
  switchTo(storage) {
    if (this.#storing) this.#store();
    const typed = this.#storage ? '' : this.#question.value; // typed while the service was starting
    this.#storage = storage;
    this.draft = [storage.draft, typed].filter(Boolean).join('\n\n');
  }

  get draft() {
    return this.#question.value;
  }

  set draft(text) {
    if (text !== this.#question.value) this.#question.value = text;
    this.#store();
    this.#onChange(text);
  }

  /** Replaces the whole text as if the person had typed it: they can undo it. Moves the focus to the field. */
  replace(text) {
    this.focus();
    this.#question.select();
    this.#type(text);
  }

  /** Inserts a text at the cursor as if the person had typed it. Moves the focus to the field. */
  insert(text) {
    this.focus();
    this.#type(text);
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
    if (!ask(text)) return;
    if (document.activeElement === this.#question) this.replace('');
    this.draft = '';
  }

  /** Writing `value` would end the browser's list of changes that can be undone. */
  #type(text) {
    const done = text ? document.execCommand('insertText', false, text) : document.execCommand('delete');
    if (!done) this.#question.setRangeText(text, this.#question.selectionStart, this.#question.selectionEnd, 'end');
    this.#onInput();
  }

  #onInput() {
    clearTimeout(this.#storing);
    this.#storing = setTimeout(() => this.#store(), STORE_MS);
    this.#onChange(this.#question.value);
  }

  #onKey(event, form) {
    // In an input method, Enter chooses a character. Safari then sends key code 229 instead of isComposing.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    form.requestSubmit();
  }

  #store() {
    clearTimeout(this.#storing);
    this.#storing = 0;
    if (this.#storage) this.#storage.draft = this.#question.value;
  }
}
