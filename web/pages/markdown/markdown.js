/** Turns a model's Markdown into harmless nodes. Only this module turns text into markup.
 *
 * Three defences, each sufficient against the known attacks: the parser leaves HTML and images as text; DOMPurify
 * drops everything that is not on the list; the Content-Security-Policy allows no script and no request.
 */

import DOMPurify from '../vendor/dompurify.js';
import { Marked } from '../vendor/marked.js';

const LINK = /^(?:https?:\/\/|mailto:)/i;
const escape = (text) =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  breaks: true, // models end a line where they mean a new line
  tokenizer: {
    // undefined means "no match here", so tags are read as text
    html: () => undefined,
    tag: () => undefined,
  },
  renderer: {
    // Headings begin one level below the message's "Whisper (AI)", so that no level is skipped.
    heading({ tokens }) {
      return `<h4>${this.parser.parseInline(tokens)}</h4>`;
    },
    code: ({ text }) => `<pre><code>${escape(text)}\n</code></pre>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    // An image's address could send parts of the conversation away, so it is shown as text and never fetched.
    image: ({ raw }) => escape(raw),
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      return LINK.test(href) ? `<a href="${escape(href)}">${text}</a>` : text;
    },
  },
});

// Only DOMPurify uses this policy. It parses into a document that runs no script.
const policy = globalThis.trustedTypes?.createPolicy('csps-llm', {
  createHTML: (html) => html,
  createScriptURL: () => {
    throw new TypeError('this page makes no script addresses');
  },
});

const ALLOWED = {
  ALLOWED_TAGS: [
    'p', 'br', 'hr', 'h4', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a',
    'table', 'thead', 'tbody', 'tr', 'th', 'td',
  ], // prettier-ignore
  ALLOWED_ATTR: ['href', 'start', 'align'],
  ALLOWED_URI_REGEXP: LINK, // DOMPurify applies it to every attribute except those of the next line
  ADD_URI_SAFE_ATTR: ['start', 'align'],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
  ...(policy && { TRUSTED_TYPES_POLICY: policy }),
};

/** Markdown → DocumentFragment. Text that is nested too deeply for the parser is shown unchanged. */
export function render(markdown) {
  try {
    return DOMPurify.sanitize(marked.parse(markdown), ALLOWED);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return plainText(markdown);
  }
}

function plainText(text) {
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  const fragment = document.createDocumentFragment();
  fragment.append(paragraph);
  return fragment;
}

/** The number of characters at the start of `markdown` that more text cannot change.
 *
 * The last block can change: a "---" below turns text into a heading. The block before it can join the last one, as
 * list items do. All earlier blocks are settled.
 */
export function settledLength(markdown) {
  let blocks;
  try {
    blocks = marked.lexer(markdown);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 0;
  }
  const solid = blocks.flatMap((block, index) => (block.type === 'space' ? [] : [index]));
  if (solid.length < 3) return 0;
  const settled = blocks.slice(0, solid.at(-2)).map((block) => block.raw).join('');
  return markdown.startsWith(settled) ? settled.length : 0;
}
