/** Colours code in the languages that people ask about most. Their grammars are loaded when an answer names them. */

import { LINES_IN_PART } from './blocks.js';
import { showInvisible } from './invisible.js';
import { joinTexts, styled } from './nodes.js';

const FILES = {
  bash: 'bash sh shell zsh console', csharp: 'csharp c# cs', css: 'css', java: 'java', javascript: 'javascript js jsx mjs',
  json: 'json jsonc json5', powershell: 'powershell ps1 pwsh', python: 'python py python3', r: 'r', sql: 'sql',
  typescript: 'typescript ts tsx', xml: 'xml html xhtml svg', yaml: 'yaml yml',
}; // prettier-ignore
const FILE_OF = new Map(Object.entries(FILES).flatMap(([file, names]) => names.split(' ').map((name) => [name, file])));
const FENCE = /^[ \t>]*(?:[-*+][ \t]+)?(?:`{3,}|~{3,})[ \t]*([^\s`{,]+)/gm;
const LONGEST = 50_000; // characters of one block
const PATIENCE_MS = 1000; // after that, code stays without colours
// The grammars' names of what stands in code, by the name of its colour.
const COLOUR_OF = new Map(
  Object.entries({
    comment: 'comment quote', keyword: 'keyword selector-tag tag name doctag', string: 'string regexp symbol char link',
    number: 'number literal', title: 'title section attr attribute property selector-class selector-id selector-attr',
    type: 'type built_in meta variable template-variable params',
  }).flatMap(([colour, names]) => names.split(' ').map((name) => [name, `code-${colour}`])),
); // prettier-ignore

export class Colours {
  #core = null;
  #loading = new Map(); // file → promise
  #loaded = new Set();

  /** Loads the grammars that the fences in `text` name. */
  async load(text) {
    const files = [...text.matchAll(FENCE)].map(([, name]) => FILE_OF.get(name.toLowerCase())).filter(Boolean);
    if (!files.length) return;
    const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    await Promise.race([Promise.all(files.map((file) => this.#loadFile(file))), patience]);
  }

  #loadFile(file) {
    if (!this.#loading.has(file)) this.#loading.set(file, this.#fetchFile(file));
    return this.#loading.get(file);
  }

  async #fetchFile(file) {
    try {
      const [core, grammar] = await Promise.all([
        import('../vendor/highlight/core.js'),
        import(`../vendor/highlight/${file}.js`),
      ]);
      this.#core = core.default;
      this.#core.registerLanguage(file, grammar.default);
      this.#loaded.add(file);
    } catch (error) {
      this.#loading.delete(file); // the next block may try again
      console.info('grammar not loaded:', error.name);
    }
  }

  /** The nodes of code in parts of lines; null for languages without colours. */
  parts(code, name) {
    const file = FILE_OF.get(name);
    if (!this.#loaded.has(file) || code.length > LONGEST) return null;
    const { _emitter: tokens } = this.#core.highlight(`${code}\n`, { language: file, ignoreIllegals: true });
    const lines = new Lines();
    lines.add(tokens.root ?? tokens.rootNode, '');
    return lines.parts();
  }
}

/** Collects coloured texts line by line. */
class Lines {
  #lines = [[]];

  /** Adds a node of the grammar's tree; text in it has the innermost colour. */
  add(node, colour) {
    if (typeof node === 'string') this.#addText(node, colour);
    else for (const child of node.children) this.add(child, colourOf(node.scope) ?? colour);
  }

  #addText(text, colour) {
    for (const [at, line] of text.split(/(?<=\n)/).entries()) {
      if (at) this.#lines.push([]);
      const nodes = showInvisible(line);
      this.#lines.at(-1).push(...(colour && nodes.length ? [styled('span', colour, nodes)] : nodes));
    }
    if (text.endsWith('\n')) this.#lines.push([]);
  }

  parts() {
    const lines = this.#lines.filter((line) => line.length);
    const starts = lines.flatMap((_, at) => (at % LINES_IN_PART ? [] : [at]));
    return starts.map((at) => styled('span', 'part', joinTexts(lines.slice(at, at + LINES_IN_PART).flat())));
  }
}

/** "title.function" → the colour of titles. */
const colourOf = (scope) => COLOUR_OF.get(scope?.split('.')[0]);
