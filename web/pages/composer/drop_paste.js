/** Takes files that are dropped on the page or pasted into the form. The browser handles dropped and pasted text. */

/** `add(files)` is called with a list of File objects. */
export function acceptDropsAndPastes(form, add) {
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  const highlight = (dropping) => form.classList.toggle('dropping', dropping);

  // On the whole page: the browser would open a file dropped beside the field instead of the conversation.
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    highlight(true);
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => relatedTarget ?? highlight(false));
  document.addEventListener('drop', (event) => {
    highlight(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    addAll(event.dataTransfer, add);
  });

  form.addEventListener('paste', (event) => {
    const { files, types } = event.clipboardData;
    // Word and Excel add a picture of the copied text: the person means the text.
    if (!files.length || types.includes('text/html')) return;
    event.preventDefault();
    addAll(event.clipboardData, add);
  });
}

/** Adds the files, and those in folders. The transfer is empty after the event, so its entries are taken at once. */
async function addAll({ files, items }, add) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(({ isDirectory }) => isDirectory)) {
    add([...files]);
    return;
  }
  const { filesOf } = await import('./folders.js');
  add(await filesOf(entries));
}
