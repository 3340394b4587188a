/** The button for speech input. It appears where the browser recognises speech; the rest is loaded when it is used. */

/** Shows `button` if the browser can. `parts`: as Dictation takes them. */
export function offerDictation(button, parts) {
  if (!(globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition)) return;
  button.hidden = false;
  let dictation = null;
  button.addEventListener('click', async () => {
    const { Dictation } = await import('./dictation.js');
    dictation ??= new Dictation(button, parts);
    dictation.toggle();
  });
}
