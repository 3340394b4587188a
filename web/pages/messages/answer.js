/** One growing answer: text in, elements out, drawn by the Markdown worker's patches at most once in a frame. */

import { DomBuilder } from '../markdown/dom_builder.js';
import { markdownWorker } from '../markdown/markdown_worker.js';
import { painter } from '../markdown/painter.js';

const PLAIN = /^\p{L}[\p{L}\p{N} \u00a0\u202f,;.!?’'«»“”()–—…-]*$/u; // Markdown changes nothing in such a line

let answers = 0; // each needs a number of its own

export class Answer {
  #element;
  #onDraw; // called after each drawing
  #builder;
  #defaultLanguage;
  #text = ''; // the whole answer
  #sent = 0; // the characters of it that the worker knows
  #settled = { blocks: 0, length: 0 }; // what the worker's patches no longer change
  #id = null; // the worker's name for the text from #origin on
  #origin = 0;
  #isComplete = false;
  #isDrawing = null; // a promise
  #finished = null; // a promise

  /** `linkToSource(number)` returns a link to the source of that number, or null. */
  constructor(element, onDraw, linkToSource) {
    this.#element = element;
    this.#onDraw = onDraw;
    this.#defaultLanguage = element.lang;
    this.#builder = new DomBuilder(element, linkToSource);
  }

  get text() {
    return this.#text;
  }

  add(piece) {
    this.#text += piece.replaceAll('\r', ''); // the parser counts lines without carriage returns
    if (piece) this.#draw();
  }

  /** Loads what drawing needs before the first text comes. */
  prepare() {
    markdownWorker.prepare();
  }

  /** Resolves when the whole answer is on the page. */
  finish() {
    this.#isComplete = true;
    this.#finished ??= this.#draw();
    return this.#finished;
  }

  /** Shows the whole of an earlier answer. Resolves when it is on the page. */
  show(text) {
    if (!PLAIN.test(text)) {
      this.#text = text.replaceAll('\r', '');
      return this.finish();
    }
    this.#text = text;
    this.#builder.apply({ kind: 'insert', path: [], index: 0, nodes: [{ tag: 'p', children: [text] }] });
    this.#onDraw();
    return Promise.resolve();
  }

  /** Turns numbers into links after their sources have come. */
  updateCitations() {
    for (const number of this.#element.querySelectorAll('.uncited')) {
      number.replaceWith(this.#builder.makeCitation(Number(number.firstChild.data)));
    }
  }

  #draw() {
    this.#isDrawing ??= this.#drawAll().finally(() => {
      this.#isDrawing = null;
    });
    return this.#isDrawing;
  }

  async #drawAll() {
    let isComplete = false;
    while (this.#sent < this.#text.length || (this.#isComplete && !isComplete)) {
      isComplete = this.#isComplete;
      await this.#drawMore(isComplete);
    }
  }

  async #drawMore(isComplete) {
    const isNew = this.#id === null;
    this.#id ??= answers += 1;
    if (isNew) this.#origin = this.#sent;
    const text = this.#text.slice(this.#sent);
    this.#sent = this.#text.length;
    const message = { id: this.#id, first: this.#settled.blocks, text, isNew, isComplete };
    const reply = await markdownWorker.request(message, (patches) => this.#paint(patches));
    if (reply?.isLost) this.#restart();
    else if (reply) await this.#keep(reply);
    else await this.#showPlain();
  }

  #paint(patches) {
    painter.add(() => patches.forEach((patch) => this.#builder.apply(patch)), this.#onDraw);
  }

  /** Resolves after the patches that came before `reply` are drawn. */
  #keep({ settled, language }) {
    this.#element.lang = language ?? this.#defaultLanguage;
    this.#settled = { blocks: settled.blocks, length: this.#origin + settled.length };
    return new Promise((resolve) => painter.add(resolve, this.#onDraw));
  }

  /** Another worker has taken over: it gets the text that is not settled. */
  #restart() {
    this.#sent = this.#settled.length;
    this.#id = null;
    [...this.#element.childNodes].slice(this.#settled.blocks).forEach((node) => node.remove());
  }

  /** Shows the text that the worker could not read in time as it is written. */
  async #showPlain() {
    const { plainText } = await import('../markdown/blocks.js');
    const text = this.#text.slice(this.#settled.length, this.#sent);
    this.#restart();
    this.#origin = this.#settled.length;
    this.#sent = this.#origin + text.length;
    const [{ children, ...paragraph }] = plainText(text);
    const index = this.#settled.blocks;
    this.#paint([{ kind: 'insert', path: [], index, nodes: [{ ...paragraph, children: [] }] }]);
    children.forEach((part, at) => this.#paint([{ kind: 'insert', path: [index], index: at, nodes: [part] }]));
    await this.#keep({ settled: { blocks: index + 1, length: text.length }, language: null });
  }
}
