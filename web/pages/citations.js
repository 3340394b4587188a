/** Makes the [1] of an answer lead to its source. Knows nothing of what the sources are. */

const CITATION = /\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]/g;
const NUMBER = /\d+/g;

/** In the text of `fragment`; `link(number)` → an element in the number's place, or null where there is no such source. */
export function linkCitations(fragment, link) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const cited = [];
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (data.search(CITATION) >= 0 && !parentElement?.closest('a, code')) cited.push(walker.currentNode);
  }
  for (const node of cited) node.replaceWith(...parts(node.data, link));
}

function parts(text, link) {
  const found = [];
  let end = 0;
  for (const citation of text.matchAll(CITATION)) {
    for (const number of citation[0].matchAll(NUMBER)) {
      const element = link(Number(number[0]));
      if (!element) continue;
      const at = citation.index + number.index;
      element.textContent = number[0];
      found.push(text.slice(end, at), element);
      end = at + number[0].length;
    }
  }
  return [...found, text.slice(end)];
}
