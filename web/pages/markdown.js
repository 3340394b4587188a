/** The model's text → nodes that can do no harm. The only place where text becomes markup.
 *
 * Three walls, each enough for the attacks we know: HTML in the text stays text and images stay text, because the
 * parser never reads them as anything else; DOMPurify drops what is not on the list; the Content-Security-Policy
 * lets nothing run and nothing be fetched.
 */

import DOMPurify from './vendor/dompurify.js';
import { Marked } from './vendor/marked.js';

const LINK = /^(?:https?:\/\/|mailto:)/i;
const escape = (text) =>
  text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  breaks: true, // models end a line where they mean a new line
  tokenizer: {
    // undefined: "not here", so that tags go on to be read as text
    html: () => undefined,
    tag: () => undefined,
  },
  renderer: {
    // One level below the "Whisper (AI)" of the message, whatever the model begins with: no level is ever skipped.
    heading({ tokens }) {
      return `<h4>${this.parser.parseInline(tokens)}</h4>`;
    },
    code: ({ text }) => `<pre><code>${escape(text)}\n</code></pre>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    // An image's address is a way to send out what the conversation holds: shown as written, never fetched.
    image: ({ raw }) => escape(raw),
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      return LINK.test(href) ? `<a href="${escape(href)}">${text}</a>` : text;
    },
  },
});

// The policy stays in this module and is used by DOMPurify alone, which parses into a document that runs nothing.
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
  ALLOWED_URI_REGEXP: LINK, // DOMPurify holds every attribute to it that is not named on the next line
  ADD_URI_SAFE_ATTR: ['start', 'align'],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
  ...(policy && { TRUSTED_TYPES_POLICY: policy }),
};

/** Markdown → DocumentFragment. Text on which the parser gives up (nested a thousand deep) is shown as it is. */
export function render(markdown) {
  try {
    return DOMPurify.sanitize(marked.parse(markdown), ALLOWED);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return plain(markdown);
  }
}

function plain(text) {
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  const fragment = document.createDocumentFragment();
  fragment.append(paragraph);
  return fragment;
}

/** How much of the beginning of `markdown` will not change any more when text is added, in characters.
 *
 * A block can still change while it is last ("text" becomes a heading by a "---" below), and the one before it by
 * joining it (the "2" of a list whose next item is on its way). Blocks further up are settled.
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
