/** Files that are dropped on the page or pasted into the question. Text that comes so stays the browser's affair. */

/** `add(files)` is called with a list of File. */
export function receiveFiles(form, add) {
  const holds = ({ dataTransfer }) => dataTransfer?.types.includes('Files');
  const show = (dropping) => form.classList.toggle('dropping', dropping);

  // On the whole page: a file that is let go beside the field would otherwise be opened in place of the conversation.
  document.addEventListener('dragover', (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    show(true);
  });
  document.addEventListener('dragleave', ({ relatedTarget }) => relatedTarget ?? show(false));
  document.addEventListener('drop', (event) => {
    show(false);
    if (!holds(event)) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });

  form.addEventListener('paste', (event) => {
    const { files, types } = event.clipboardData;
    // Word and Excel put a picture of the text beside it: the text is meant.
    if (!files.length || types.includes('text/html')) return;
    event.preventDefault();
    add([...files]);
  });
}
