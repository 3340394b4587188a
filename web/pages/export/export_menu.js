/** The menu that saves or prints the conversation. The files are made by code that is loaded when it is used. */

/** Connects the menu `element`, a `details` whose buttons name their kind. `conversation()` returns what is saved. */
export function connectExportMenu(element, conversation) {
  const summary = element.querySelector('summary');
  element.addEventListener('click', ({ target }) => {
    const kind = target.closest('button')?.dataset.kind;
    if (!kind) return;
    close();
    if (kind === 'print') print();
    else save(kind, conversation());
  });
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !element.open) return;
    event.stopPropagation();
    close();
  });
  document.addEventListener('pointerdown', ({ target }) => {
    if (!element.contains(target)) element.open = false;
  });

  function close() {
    element.open = false;
    summary.focus();
  }
}

async function save(kind, conversation) {
  const { makeFile } = await import('./conversation_files.js');
  const file = makeFile(kind, conversation);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  // Not at once: some browsers read the address only after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
