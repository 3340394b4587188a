/** Reads one answer aloud, sentence by sentence. Loaded when somebody wants to hear one.
 *
 * A pause ends the sentence, which is read again afterwards: browsers lose long utterances, and some cannot pause.
 */

import { say } from '../interface/language.js';
import { voiceFor } from './aloud_button.js';

const NOT_READ = 'pre, .unseen, .where, .cite, button, [aria-hidden="true"]';
const ENDS_OF_LINES = 'p, li, h1, h2, h3, h4, h5, h6, tr, dt, dd, br, blockquote';

let current = null; // the reading under way

/** Starts, pauses or continues the reading that belongs to `button`. Another one ends. */
export function toggleReading(button, body) {
  if (current?.button === button) {
    current.toggle();
    return;
  }
  stopReading();
  current = new Reading(button, body);
  current.toggle();
}

export function stopReading() {
  current?.end();
  current = null;
}

document.addEventListener('submit', stopReading); // the next answer is announced
addEventListener('pagehide', stopReading);
document.addEventListener(
  'keydown',
  (event) => {
    if (event.key !== 'Escape' || !current || document.querySelector('dialog[open]')) return;
    event.preventDefault(); // the key ends the reading, and not an answer as well
    stopReading();
  },
  { capture: true },
);

class Reading {
  #sentences;
  #lang;
  #next = 0;
  #utterance = null; // the one that is spoken now
  #stop = say(document.createElement('button'), 'page-aloud-stop');

  constructor(button, body) {
    this.button = button;
    this.#lang = body.lang;
    this.#sentences = sentencesOf(body);
    this.#stop.type = 'button';
    this.#stop.className = 'quiet';
    this.#stop.addEventListener('click', stopReading);
    button.after(this.#stop);
  }

  toggle() {
    if (this.#utterance) this.#pause();
    else this.#speak();
  }

  end() {
    this.#silence();
    if (document.activeElement === this.#stop) this.button.focus();
    this.#stop.remove();
    say(this.button, 'page-aloud');
  }

  #pause() {
    this.#silence();
    say(this.button, 'page-aloud-resume');
  }

  #silence() {
    this.#utterance = null;
    speechSynthesis.cancel();
  }

  #speak() {
    if (this.#next >= this.#sentences.length) {
      stopReading();
      return;
    }
    const utterance = new SpeechSynthesisUtterance(this.#sentences[this.#next]);
    utterance.voice = voiceFor(this.#lang);
    utterance.lang = this.#lang;
    utterance.addEventListener('end', () => this.#onEnd(utterance));
    utterance.addEventListener('error', () => this.#utterance === utterance && stopReading());
    this.#utterance = utterance;
    speechSynthesis.speak(utterance);
    say(this.button, 'page-aloud-pause');
  }

  #onEnd(utterance) {
    if (this.#utterance !== utterance) return; // a pause ended it
    this.#next += 1;
    this.#speak();
  }
}

/** The sentences of an answer as they are heard: without code, addresses and numbers of sources. */
function sentencesOf(body) {
  const heard = body.cloneNode(true);
  for (const element of heard.querySelectorAll(NOT_READ)) element.remove();
  for (const cell of heard.querySelectorAll('td, th')) cell.append(', ');
  for (const block of heard.querySelectorAll(ENDS_OF_LINES)) block.after('\n');
  return heard.textContent
    .split('\n')
    .flatMap((line) => split(line.trim(), body.lang))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

function split(line, lang) {
  if (!('Segmenter' in Intl)) return [line];
  return Array.from(new Intl.Segmenter(lang, { granularity: 'sentence' }).segment(line), ({ segment }) => segment.trim());
}
