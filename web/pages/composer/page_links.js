/** The page or feed whose address begins a question: when it is previewed, and how the question is sent without it. */

const ADDRESS = /^\s*<?(https?:\/\/[^\s<>|]{1,2000})>?(?=\s|$)/i; // as core/rag/context.py finds it
const TYPING_MS = 1200; // until an address at the end of the text counts as whole
const NOT_READ = '|CONTEXT||/CONTEXT| '; // of the protocol: behind an empty context, an address is ordinary text

/** The address that begins a text, or "". */
export function leadingAddress(text) {
  const [found, address] = ADDRESS.exec(text) ?? ['', ''];
  return found.includes('<') ? address : address.replace(/[,;:.!?]+$/, '');
}

export class PageLinks {
  #parts;
  #isFirst;
  #address = '';
  #timer = 0;
  #preview = null;
  #leftOut = new Set(); // addresses that the service must not read

  /** `parts`: as PagePreview takes them. `isFirst()` tells whether the next question begins a conversation: the service
   * reads the page of a first question by itself, and gets that of a later one as an attachment. */
  constructor(parts, isFirst) {
    this.#parts = parts;
    this.#isFirst = isFirst;
  }

  /** Call this when the text in the field has changed. */
  update(text) {
    const address = leadingAddress(text);
    if (address === this.#address) return;
    this.#address = address;
    clearTimeout(this.#timer);
    this.#preview?.close();
    if (!address) return;
    const isWhole = text.trimStart().length > address.length + 1;
    this.#timer = setTimeout(() => this.#open(address), isWhole ? 0 : TYPING_MS);
  }

  /** Whether a page is being read that has to go with the question. */
  get isReading() {
    return Boolean(this.#preview?.isReading) && !this.#isFirst();
  }

  /** The text as the service must get it, so that it reads no page that the person left out. */
  sentText(text) {
    return this.#isFirst() && this.#leftOut.has(leadingAddress(text)) ? NOT_READ + text : text;
  }

  async #open(address) {
    const { PagePreview } = await import('./page_preview.js');
    if (this.#address !== address) return; // the person wrote on meanwhile
    this.#preview ??= new PagePreview(this.#parts, this.#leftOut);
    this.#preview.open(address, this.#isFirst());
  }
}
