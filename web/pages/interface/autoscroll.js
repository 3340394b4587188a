/** Keeps the newest text in view for people at the end of the page. People who scrolled up to read stay where they are. */

const NEAR_PX = 64;

export class Autoscroll {
  #button;
  #moveFocus;
  #started = false; // before the first question, the page shows its beginning
  #following = false;
  #lastY = 0;

  /** `button` leads to the end. `moveFocus()` moves the focus elsewhere when the focused button disappears. */
  constructor(button, moveFocus) {
    this.#button = button;
    this.#moveFocus = moveFocus;
    window.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    window.addEventListener('resize', () => this.update());
    button.addEventListener('click', () => this.toEnd());
  }

  /** Call this when the page may have become longer. */
  update() {
    if (this.#following) this.toEnd();
    else this.#showButton(this.#started && !isAtEnd());
  }

  toStart() {
    this.#started = this.#following = false;
    this.#showButton(false);
    window.scrollTo({ top: 0, behavior: 'instant' });
  }

  toEnd() {
    this.#started = true;
    this.#following = true;
    this.#showButton(false);
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
  }

  #onScroll() {
    // Only an upward move means that a person wants to stay. New text moves the end away as well.
    if (window.scrollY < this.#lastY) this.#following = false;
    this.#lastY = window.scrollY;
    if (this.#started && isAtEnd()) this.#following = true;
    this.#showButton(this.#started && !this.#following);
  }

  #showButton(visible) {
    const hadFocus = document.activeElement === this.#button;
    this.#button.hidden = !visible;
    if (hadFocus && !visible) this.#moveFocus();
  }
}

function isAtEnd() {
  const { scrollHeight } = document.documentElement;
  return window.scrollY + window.innerHeight >= scrollHeight - NEAR_PX;
}
