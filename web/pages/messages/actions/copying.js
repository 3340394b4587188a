/** Copies answers as rich text and as Markdown at once: the program into which people paste takes what it can. */

/** Copies an answer with its sources. Resolves to whether that worked. */
export function copyAnswer(answer) {
  return copy(['text/plain', 'text/html'], import('./copied_answer.js').then(({ contentOf }) => contentOf(answer)));
}

/** Copies a plain text, such as code. Resolves to whether that worked. */
export function copyText(text) {
  return copy(['text/plain'], Promise.resolve({ 'text/plain': text }));
}

/** `content`: a promise of the text for each media type. Safari wants the item during the click, before its text. */
async function copy(types, content) {
  const blobOf = (type) => content.then((made) => new Blob([made[type]], { type }));
  try {
    await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(types.map((type) => [type, blobOf(type)])))]);
    return true;
  } catch {
    return copyByCommand(await content);
  }
}

/** Browsers have no `navigator.clipboard` on pages that come without HTTPS. */
function copyByCommand(content) {
  const fill = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    for (const [type, text] of Object.entries(content)) event.clipboardData.setData(type, text);
  };
  document.addEventListener('copy', fill, { capture: true });
  try {
    return document.execCommand('copy');
  } finally {
    document.removeEventListener('copy', fill, { capture: true });
  }
}
