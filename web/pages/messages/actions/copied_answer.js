/** An answer as other programs take it: Markdown, and rich text without the page's own additions. */

import { language } from '../../interface/language.js';
import { text } from '../../interface/texts.js';

const ADDITIONS = '.unseen, .where, .own-sources, button'; // of the page, in the model's text
const FRAMES = new Set(['bdi', 'div', 'span']); // without a meaning in other programs
const KEPT = new Set(['href', 'start', 'align', 'lang', 'colspan', 'rowspan']);

/** The answer for each media type of the clipboard. */
export function contentOf(answer) {
  return { 'text/plain': asMarkdown(answer), 'text/html': asHtml(answer) };
}

/** The answer as the model wrote it, followed by its sources. */
export function asMarkdown({ text: written, sources }) {
  const list = sources.map(({ number, title, url }) => `- [${number}] ${markdownLink(title?.trim() || url || '', url)}`);
  return [written.trim(), ...(list.length ? [`**${sourcesTitle()}**`, list.join('\n')] : [])].join('\n\n');
}

function markdownLink(title, url) {
  const name = title.replaceAll(/[[\]\\]/g, '\\$&').replaceAll(/\s+/g, ' ');
  return url ? `[${name}](<${url.replaceAll(/[<>\s]/g, encodeURIComponent)}>)` : name;
}

function asHtml({ body, sources }) {
  const copy = document.createElement('div');
  copy.append(plainCopy(body));
  if (sources.length) copy.append(...listOfSources(sources));
  return copy.innerHTML;
}

/** A copy of the nodes in `source` without the page's additions: names, keyboard stops, notices for screen readers. */
export function plainCopy(source) {
  const copy = source.cloneNode(true);
  for (const addition of copy.querySelectorAll(ADDITIONS)) addition.remove();
  for (const citation of copy.querySelectorAll('a.cite')) citation.replaceWith(...citation.childNodes);
  for (const element of copy.querySelectorAll('*')) {
    for (const name of element.getAttributeNames()) if (!KEPT.has(name)) element.removeAttribute(name);
    if (FRAMES.has(element.localName)) element.replaceWith(...element.childNodes);
  }
  const fragment = document.createDocumentFragment();
  fragment.append(...copy.childNodes);
  return fragment;
}

function listOfSources(sources) {
  const heading = document.createElement('p');
  heading.append(document.createElement('strong'));
  heading.firstChild.textContent = sourcesTitle();
  const list = document.createElement('ol');
  for (const { number, title, url } of sources) {
    const entry = document.createElement('li');
    entry.value = number;
    const name = document.createElement(url ? 'a' : 'span');
    if (url) name.setAttribute('href', url);
    name.textContent = title?.trim() || url || '';
    entry.append(name);
    list.append(entry);
  }
  return [heading, list];
}

const sourcesTitle = () => text('page-sources-checked', language());
