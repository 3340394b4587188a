/** A list that scrolls in the middle of the page: where it goes on is for the style to show, and what matters is in view. */

const PADDING_PX = 4; // less than that is nothing to look for

/** `above` and `below` are the classes of a list that goes on there. */
export function watchEdges(list) {
  const mark = () => {
    list.classList.toggle('above', list.scrollTop > PADDING_PX);
    list.classList.toggle('below', list.scrollTop + list.clientHeight < list.scrollHeight - PADDING_PX);
  };
  list.addEventListener('scroll', mark, { passive: true });
  new ResizeObserver(mark).observe(list);
  new MutationObserver(mark).observe(list, { childList: true, subtree: true, characterData: true });
}

/** Scrolls the list, and not the page with it as scrollIntoView would. */
export function reveal(item) {
  const list = item.parentElement;
  const top = item.offsetTop - list.offsetTop;
  list.scrollTop = Math.min(top, Math.max(list.scrollTop, top + item.offsetHeight - list.clientHeight));
}
