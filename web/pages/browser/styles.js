/** Loads styles that the page does not need at first. */

const loaded = new Map(); // name → promise

/** Resolves when the styles of `styles/<name>.css` are there. Rejects if they cannot be loaded. */
export function loadStyles(name) {
  if (!loaded.has(name)) loaded.set(name, add(name));
  return loaded.get(name);
}

function add(name) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL(`../styles/${name}.css`, import.meta.url);
  return new Promise((resolve, reject) => {
    link.addEventListener('load', resolve);
    link.addEventListener('error', () => {
      loaded.delete(name);
      link.remove();
      reject(new Error(`styles/${name}.css`));
    });
    document.head.append(link);
  });
}
