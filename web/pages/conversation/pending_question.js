/** A question without a complete answer yet: how much of its answer has come, also over several connections. */

export class PendingQuestion {
  text; // as the person wrote it
  isFollowed; // another tab, or an earlier visit, has asked it
  isSent;
  isAnswered = false; // a word of the answer has come
  #sentText;
  #received = 0; // characters of the answer
  #replayed = Infinity; // of them, those that the current connection has brought again
  #isTrimmed = false;
  #isMasked = false;

  /** `sentText`: the text as the service gets it. */
  constructor(text, { sentText = text, isSent = false, isFollowed = false } = {}) {
    this.text = text;
    this.isSent = isSent;
    this.isFollowed = isFollowed;
    this.#sentText = sentText;
  }

  /** Whether the service's question `asked` is this one. It stores a question without the text pasted before it. */
  isSame(asked) {
    return [this.text, this.#sentText].some((text) => text.trim() === asked?.trim());
  }

  /** The answer comes again from its beginning, over another connection. */
  expectReplay() {
    this.#replayed = 0;
  }

  /** The part of an answer's frame that has not come before: the frame, a shorter one, or null. */
  takeNew(frame) {
    if (frame.type === 'text') return this.#takeText(frame);
    if (frame.type === 'masked') return this.#takeMasked(frame);
    if (frame.state !== 'trimmed') return frame; // a repeated source replaces the earlier one
    const isNew = !this.#isTrimmed;
    this.#isTrimmed = true;
    return isNew ? frame : null;
  }

  /** The question goes on without its personal information, as the service has it. */
  #takeMasked(frame) {
    const isNew = !this.#isMasked;
    this.#isMasked = true;
    this.text = frame.question;
    return isNew ? frame : null;
  }

  #takeText(frame) {
    const known = Math.min(frame.text.length, Math.max(0, this.#received - this.#replayed));
    this.#replayed += frame.text.length;
    const text = frame.text.slice(known);
    this.#received += text.length;
    this.isAnswered ||= text.trim() !== '';
    return text ? { ...frame, text } : null;
  }
}
