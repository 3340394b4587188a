/** Adds attached files to collections of facts, for people whom the service knows as their editors. */

import { language, say } from '../interface/language.js';
import { serviceUrl } from '../browser/service.js';

const FAILURES = {
  not_an_editor: 'page-collect-refused',
  overloaded: 'page-collect-busy',
  stopping: 'page-collect-busy',
};

export class Collector {
  #dialog;
  #select;
  #text;
  #collections; // a promise of [{name, title: {en, fr}}]; requested with the first file

  /** `dialog` has a select for the collection, and a text. */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#select = dialog.querySelector('select');
    this.#text = dialog.querySelector('.about');
  }

  /** Resolves to true if this person may change a collection. */
  async isAvailable() {
    this.#collections ??= fetchCollections();
    return (await this.#collections).length > 0;
  }

  /** Asks for the collection and adds the file. Resolves to {key, values} of the outcome's text; null: cancelled. */
  async collect(file, announce) {
    const collections = await this.#collections;
    const chosen = await this.#choose(collections, file.name);
    if (!chosen) return null;
    announce('page-collect-adding', { name: file.name });
    return addFile(file, chosen);
  }

  async #choose(collections, name) {
    this.#select.replaceChildren(...collections.map((each) => new Option(titleOf(each), each.name)));
    say(this.#text, 'page-collect-text', { name });
    this.#dialog.returnValue = '';
    this.#dialog.showModal();
    await new Promise((closed) => this.#dialog.addEventListener('close', closed, { once: true }));
    if (this.#dialog.returnValue !== 'add') return null;
    return collections.find((each) => each.name === this.#select.value) ?? null;
  }
}

const titleOf = ({ name, title }) => title[language()] ?? name;

async function fetchCollections() {
  try {
    const response = await fetch(serviceUrl('facts'));
    return response.ok ? (await response.json()).collections : [];
  } catch {
    return []; // the file can be asked about all the same
  }
}

async function addFile(file, collection) {
  const values = { name: file.name, title: titleOf(collection) };
  try {
    const response = await fetch(
      serviceUrl(`facts/${encodeURIComponent(collection.name)}?name=${encodeURIComponent(file.name)}`),
      { method: 'POST', headers: { 'Content-Type': file.type || 'application/octet-stream' }, body: file },
    );
    const body = await response.json().catch(() => ({})); // a proxy may send anything
    if (!response.ok) return { key: FAILURES[body.code] ?? 'page-collect-failed', values };
    const key = body.omissions.length ? 'page-collect-added-in-part' : 'page-collect-added';
    return { key, values: { ...values, count: body.passages } };
  } catch {
    return { key: 'page-collect-failed', values };
  }
}
