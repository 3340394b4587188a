/** Keeps the newest text in view for those who are at the end, and leaves alone those who scrolled up to read. */

const NEAR_PX = 64;

export class Follow {
  #button;
  #following = true;
  #lastY = 0;

  constructor(button) {
    this.#button = button;
    window.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    window.addEventListener('resize', () => this.grew());
    button.addEventListener('click', () => this.toEnd());
  }

  /** The page may have become longer. */
  grew() {
    if (this.#following) this.toEnd();
    else this.#button.hidden = atEnd();
  }

  toEnd() {
    this.#following = true;
    this.#button.hidden = true;
    window.scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' });
  }

  #scrolled() {
    // Only a move upwards is somebody's wish to stay: text that arrives also puts the end further away.
    if (window.scrollY < this.#lastY) this.#following = false;
    this.#lastY = window.scrollY;
    if (atEnd()) this.#following = true;
    this.#button.hidden = this.#following;
  }
}

function atEnd() {
  const { scrollHeight } = document.documentElement;
  return window.scrollY + window.innerHeight >= scrollHeight - NEAR_PX;
}
