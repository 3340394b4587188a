/** Keeps the newest text in view for those who are at the end, and leaves alone those who scrolled up to read. */

const NEAR_PX = 64;

export class Follow {
  #button;
  #leave;
  #begun = false; // before there is a conversation, its beginning is what to see
  #following = false;
  #lastY = 0;

  /** `leave()` takes the focus elsewhere: a button that vanishes would take it with it. */
  constructor(button, leave) {
    this.#button = button;
    this.#leave = leave;
    window.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    window.addEventListener('resize', () => this.grew());
    button.addEventListener('click', () => this.toEnd());
  }

  /** The page may have become longer. */
  grew() {
    if (this.#following) this.toEnd();
    else this.#offer(this.#begun && !atEnd());
  }

  toStart() {
    this.#begun = this.#following = false;
    this.#offer(false);
    window.scrollTo({ top: 0, behavior: 'instant' });
  }

  toEnd() {
    this.#begun = true;
    this.#following = true;
    this.#offer(false);
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
  }

  #scrolled() {
    // Only a move upwards is somebody's wish to stay: text that arrives also puts the end further away.
    if (window.scrollY < this.#lastY) this.#following = false;
    this.#lastY = window.scrollY;
    if (this.#begun && atEnd()) this.#following = true;
    this.#offer(this.#begun && !this.#following);
  }

  #offer(shown) {
    const held = document.activeElement === this.#button;
    this.#button.hidden = !shown;
    if (held && !shown) this.#leave();
  }
}

function atEnd() {
  const { scrollHeight } = document.documentElement;
  return window.scrollY + window.innerHeight >= scrollHeight - NEAR_PX;
}
