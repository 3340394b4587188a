/** The button that reads an answer aloud. It appears where this device has a voice for the answer's language.
 *
 * Voices of a vendor's service are not used: the answer would be sent there. Reading starts by the button alone, so it
 * never talks into a screen reader. The rest is loaded when it is used.
 */

import { say } from '../interface/language.js';

/** The voice of this device for a language, preferably as it is spoken in Canada; undefined: there is none. */
export function voiceFor(lang) {
  const voices = globalThis.speechSynthesis?.getVoices() ?? [];
  const own = voices.filter((voice) => voice.localService && languageOf(voice.lang) === languageOf(lang));
  return own.find((voice) => voice.lang.replace('_', '-').endsWith('-CA')) ?? own[0];
}

const languageOf = (tag) => tag.slice(0, 2).toLowerCase();

/** Makes the button for the text in `body`. It is hidden until there is a voice: browsers load them late, and only the text
 * tells its language. */
export function makeAloudButton(body) {
  const button = say(document.createElement('button'), 'page-aloud');
  button.type = 'button';
  button.className = 'quiet';
  button.dataset.aloud = '';
  const update = () => {
    button.hidden = !voiceFor(body.lang);
  };
  update();
  globalThis.speechSynthesis?.addEventListener('voiceschanged', update);
  new MutationObserver(update).observe(body, { attributeFilter: ['lang'] });
  button.addEventListener('click', async () => {
    const { toggleReading } = await import('./reading_aloud.js');
    toggleReading(button, body);
  });
  return button;
}
