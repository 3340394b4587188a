/** Speech input: what a person says becomes text in the field. Loaded when the button is used.
 *
 * Most browsers send the sound to their maker's service. So it is off until the person agrees, in each visit anew,
 * unless the browser recognises the language on the device.
 */

import { clearText, say } from '../interface/language.js';
import { load, store } from '../browser/storage.js';
import { agreed } from './dictation_notice.js';

const CONSENT = 'dictation';
const FAULTS = new Set(['not-allowed', 'service-not-allowed', 'audio-capture', 'network', 'language-not-supported']);

export class Dictation {
  #button;
  #line;
  #insert;
  #languageOf;
  #notify;
  #recognition = null;

  /** `line` shows words that are not final. `insert(text)` writes into the field, `languageOf()` returns the language that
   * the person speaks, `notify(key)` shows a notice. */
  constructor(button, { line, insert, languageOf, notify }) {
    this.#button = button;
    this.#line = line;
    this.#insert = insert;
    this.#languageOf = languageOf;
    this.#notify = notify;
    document.addEventListener('submit', () => this.stop());
    document.addEventListener('visibilitychange', () => document.hidden && this.stop()); // nobody sees that it listens
    document.addEventListener('keydown', (event) => this.#onKey(event), { capture: true });
  }

  async toggle() {
    if (this.#recognition) this.stop();
    else await this.#start();
  }

  stop() {
    this.#recognition?.stop();
    this.#end();
  }

  async #start() {
    const lang = `${this.#languageOf()}-CA`;
    const isLocal = await recognisesOnDevice(lang);
    if (!isLocal && !(await this.#consents())) return;
    globalThis.speechSynthesis?.cancel(); // the microphone would hear it
    const recognition = new (globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition)();
    Object.assign(recognition, { lang, continuous: true, interimResults: true });
    if (isLocal) recognition.processLocally = true;
    recognition.addEventListener('result', (event) => this.#recognition === recognition && this.#onResult(event));
    recognition.addEventListener('error', ({ error }) => FAULTS.has(error) && this.#notify(faultKey(error)));
    recognition.addEventListener('end', () => this.#recognition === recognition && this.#end());
    this.#recognition = recognition;
    say(this.#button, 'page-dictate-stop');
    recognition.start();
  }

  async #consents() {
    if (load('sessionStorage', CONSENT)) return true;
    if (!(await agreed())) return false;
    store('sessionStorage', CONSENT, 'yes');
    return true;
  }

  /** Final words go into the field, the others stand below it. */
  #onResult({ resultIndex, results }) {
    const news = [...results].slice(resultIndex);
    const final = news.filter(({ isFinal }) => isFinal).map(([best]) => best.transcript.trim());
    if (final.length) this.#insert(`${final.join(' ')} `);
    this.#line.textContent = news.filter(({ isFinal }) => !isFinal).map(([best]) => best.transcript).join(' ');
    this.#line.hidden = !this.#line.textContent;
  }

  #onKey(event) {
    if (event.key !== 'Escape' || !this.#recognition) return;
    event.preventDefault(); // the key ends the dictation, and not an answer as well
    this.stop();
  }

  #end() {
    if (!this.#recognition) return;
    this.#recognition = null;
    clearText(this.#line);
    this.#line.hidden = true;
    say(this.#button, 'page-dictate');
  }
}

function faultKey(error) {
  if (error === 'network') return 'page-dictation-network';
  if (error === 'language-not-supported') return 'page-dictation-language';
  return error === 'audio-capture' ? 'page-dictation-no_microphone' : 'page-dictation-refused';
}

/** Whether the browser recognises this language without sending the sound anywhere. */
async function recognisesOnDevice(lang) {
  try {
    return (await globalThis.SpeechRecognition.available({ langs: [lang], processLocally: true })) === 'available';
  } catch {
    return false; // the browser has no such method: it sends the sound
  }
}
