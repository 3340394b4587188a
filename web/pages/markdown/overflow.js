/** Makes wide tables and code scrollable by keyboard, but only while they are wider than their place. */

import { label } from '../interface/language.js';

const NAMES = { PRE: 'page-code', DIV: 'page-table' };
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) update(target.closest('.wide'));
});

/** Watches `frame`, a `pre` or a `div` that scrolls its only child. */
export function watchOverflow(frame) {
  observer.observe(frame);
  observer.observe(frame.firstElementChild);
}

function update(frame) {
  if (!frame) return;
  const isWide = frame.scrollWidth > frame.clientWidth + 1;
  if (isWide === frame.hasAttribute('tabindex')) return;
  if (isWide) {
    frame.tabIndex = 0;
    frame.setAttribute('role', 'group');
    frame.firstElementChild.lang = frame.closest('.body')?.lang ?? ''; // the name is in the interface's language
    label(frame, NAMES[frame.tagName]);
  } else if (document.activeElement !== frame) {
    frame.firstElementChild.removeAttribute('lang');
    for (const name of ['tabindex', 'role', 'lang', 'aria-label', 'data-label']) frame.removeAttribute(name);
  }
}
