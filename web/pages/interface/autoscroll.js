/** Keeps the reader's place while answers grow.
 *
 * A question that was sent is pinned near the top of the visible part, and its answer grows below it; an element adds
 * the height that is missing for that. The page follows an answer only while the reader is at its end. Whatever the
 * reader does to leave the end or to mark text stops that at once. Text that changes above the visible part is left to
 * the browser's scroll anchoring.
 */

const NEAR_PX = 32; // a reader who comes down to within a line of the end has reached it, because the end moves
const HEADING_PX = 40; // between a question and the text of its answer
const UPWARD_KEYS = new Set(['ArrowUp', 'PageUp', 'Home']);
const DOWNWARD_KEYS = new Set(['ArrowDown', 'PageDown', 'End', ' ']);

export class Autoscroll {
  #list;
  #room;
  #composer;
  #button;
  #moveFocus;
  #pinned = null; // the last question; null before the first one
  #mode = 'free'; // "pinned": the question stays near the top, "following": the end stays in view, "free": the reader moved
  #isTouched = false;
  #wentDown = false; // the latest move of the page
  #goesDown = false; // the reader's latest act can move the page down
  #latest = { y: 0, height: 0 }; // the scroll position and the page's height

  /** `list` has the messages. `room`, below it, gets the missing height. `button` leads to the end; when it disappears
   * with the focus, `moveFocus()` moves the focus elsewhere. */
  constructor({ list, room, composer, button }, moveFocus) {
    this.#list = list;
    this.#room = room;
    this.#composer = composer;
    this.#button = button;
    this.#moveFocus = moveFocus;
    history.scrollRestoration = 'manual'; // a restored conversation opens at its last question
    button.addEventListener('click', () => this.toEnd());
    window.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    window.addEventListener('resize', () => this.#update());
    // After the layout and before the frame is shown, so that no frame is in between.
    const observer = new ResizeObserver(() => this.#update());
    for (const element of [list, composer]) observer.observe(element);
    this.#watchReader();
  }

  /** Keeps the place after a part of the page has changed its height. */
  #update() {
    if (!this.#pinned?.isConnected) this.#unpin();
    this.#makeRoom();
    if (this.#mode === 'following') this.toEnd();
    else if (this.#mode === 'pinned') this.#toPinned();
    this.#remember();
    this.#showButton();
  }

  /** Shows the beginning of the page, for a conversation without questions. */
  toStart() {
    this.#unpin();
    this.#makeRoom();
    this.#scrollTo(0);
  }

  /** Shows the last question near the top of the visible part, and its answer below. */
  pinLastQuestion() {
    this.#goesDown = false;
    this.#pinned = [...this.#list.querySelectorAll(':scope > .question')].at(-1) ?? null;
    this.#mode = this.#pinned ? 'pinned' : 'free';
    this.#update();
  }

  #unpin() {
    this.#pinned = null;
    this.#mode = 'free';
  }

  #toPinned() {
    this.#scrollBy(this.#pinnedStart() - this.#visible().top);
  }

  /** Shows the end and follows it. */
  toEnd() {
    this.#mode = 'following';
    this.#scrollBy(Math.max(0, this.#endOfRoom() - this.#visible().bottom));
  }

  #scrollBy(distance) {
    if (Math.abs(distance) >= 1) this.#scrollTo(window.scrollY + distance);
    else this.#showButton();
  }

  #scrollTo(top) {
    window.scrollTo({ top, behavior: 'instant' });
    this.#remember();
    this.#showButton();
  }

  #remember() {
    this.#latest = { y: window.scrollY, height: document.documentElement.scrollHeight };
  }

  /** The edges of the part of the window that shows messages, in CSS pixels from its top. */
  #visible() {
    const top = Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    const covers = getComputedStyle(this.#composer).position === 'sticky';
    return { top, bottom: window.innerHeight - (covers ? this.#composer.offsetHeight : 0) };
  }

  /** Where the part of the question begins that is shown above its answer. At least half of the height is the answer's. */
  #pinnedStart() {
    const { top, bottom } = this.#visible();
    const { height, bottom: end } = this.#pinned.getBoundingClientRect();
    return end - Math.min(height, Math.max(0, (bottom - top) / 2 - HEADING_PX));
  }

  #makeRoom() {
    const { top, bottom } = this.#visible();
    const missing = this.#pinned ? bottom - top - (this.#endOfList() - this.#pinnedStart()) : 0;
    this.#room.style.height = `${Math.max(0, Math.ceil(missing))}px`;
  }

  #endOfList() {
    return this.#list.getBoundingClientRect().bottom;
  }

  #endOfRoom() {
    return this.#room.getBoundingClientRect().bottom;
  }

  get #isAtEnd() {
    const last = this.#list.lastElementChild;
    return !last || last.getBoundingClientRect().bottom <= this.#visible().bottom + NEAR_PX;
  }

  #onScroll() {
    const { y, height } = this.#latest;
    this.#remember();
    const isMoved = this.#latest.height >= height; // a page that became shorter moves by itself
    if (isMoved && this.#latest.y !== y) this.#onMove(this.#latest.y > y);
    this.#showButton();
  }

  #onMove(isDown) {
    this.#wentDown = isDown;
    this.#mode = 'free';
    if (isDown) this.#followAtEnd();
  }

  /** A browser also moves the page by itself, to show the text field that has the focus. That is no wish to follow. */
  #followAtEnd() {
    if (this.#pinned && this.#goesDown && !this.#isTouched && !this.#isMarking && this.#isAtEnd) this.#mode = 'following';
  }

  get #isMarking() {
    const selection = getSelection();
    return !selection.isCollapsed && this.#list.contains(selection.anchorNode);
  }

  /** Lets the reader go before the page has moved: a position that the page sets meanwhile would end the move. */
  #watchReader() {
    const on = (type, listener) => window.addEventListener(type, listener, { passive: true, capture: true });
    on('wheel', ({ deltaY }) => this.#letGo(deltaY < 0, deltaY > 0));
    on('keydown', (event) => this.#onKey(event));
    on('pointerdown', (event) => this.#onPress(event));
    on('touchmove', () => {
      this.#isTouched = true;
      this.#letGo(true, true);
    });
    for (const type of ['touchend', 'touchcancel']) on(type, () => this.#onRelease());
    document.addEventListener('selectionchange', () => this.#isMarking && this.#letGo(true, false));
  }

  /** The scrollbar can be dragged both ways, and so can the page after a press of the middle button. */
  #onPress({ clientX, button }) {
    const isDragging = clientX >= document.documentElement.clientWidth || button === 1;
    this.#letGo(isDragging, isDragging);
  }

  #onKey({ key, target }) {
    if (target.closest?.('textarea, select, input')) return; // these keys move the cursor there
    this.#letGo(UPWARD_KEYS.has(key), DOWNWARD_KEYS.has(key));
  }

  /** Who is at the end and moves down is still there. */
  #letGo(isAway, canGoDown) {
    this.#goesDown = canGoDown;
    if (isAway || this.#mode === 'pinned') this.#mode = 'free';
  }

  #onRelease() {
    this.#isTouched = false;
    if (this.#wentDown) this.#followAtEnd();
  }

  #showButton() {
    const isShown = Boolean(this.#pinned) && !this.#isAtEnd;
    const hadFocus = document.activeElement === this.#button;
    this.#button.hidden = !isShown;
    if (hadFocus && !isShown) this.#moveFocus();
  }
}
