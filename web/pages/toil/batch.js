/** A CSV file whose rows are answered one by one: its choice, progress, errors and downloads. */

import { clearText, say } from '../interface/language.js';
import { CsvError, decode, parseCsv } from './csv.js';
import { runRows } from './requests.js';
import { problemKey } from './run.js';
import { Table } from './table.js';

const LIMIT_BYTES = 20_000_000;
const SHOWN_FAILURES = 50;
const TEXT_NAME = /text|message|comment|question|description/i;

export class Batch {
  #parts;
  #readTask;
  #table = null;
  #name = '';
  #abort = null;
  #announced = 0;

  /** `parts`: the elements by their ids. `readTask()` returns `{personality, prompt, schema}`, or null if it is blank. */
  constructor(parts, readTask) {
    this.#parts = parts;
    this.#readTask = readTask;
    parts.csv.addEventListener('change', () => this.#open(parts.csv.files[0]));
    parts.start.addEventListener('click', () => this.#run());
    parts.cancel.addEventListener('click', () => this.#abort?.abort());
    parts['as-csv'].addEventListener('click', () => this.#save('csv', 'text/csv', this.#table.toCsv()));
    parts['as-ndjson'].addEventListener('click', () => this.#save('ndjson', 'application/x-ndjson', this.#table.toNdjson())); // prettier-ignore
    acceptDrops(parts.rows, (file) => this.#open(file));
  }

  /** Reads a file. The earlier one and its values are gone. */
  async #open(file) {
    if (!file || this.#abort) return;
    this.#parts.csv.value = ''; // the same file can be chosen again after a correction
    clearText(this.#parts['batch-status']);
    try {
      if (file.size > LIMIT_BYTES) throw new CsvError('large');
      this.#table = new Table(parseCsv(decode(new Uint8Array(await file.arrayBuffer()))));
    } catch (error) {
      this.#parts.batch.hidden = true;
      say(this.#parts['batch-status'], `page-toil-csv-${error.fault ?? 'unread'}`, { row: error.row ?? 0, limit: LIMIT_BYTES });
      return;
    }
    this.#name = file.name.replace(/\.[^.]*$/, '');
    this.#showFile(file.name);
  }

  #showFile(name) {
    const { columns, rows } = this.#table;
    say(this.#parts.file, 'page-toil-file', { name, rows: rows.length, columns: columns.length });
    const all = say(new Option('', ''), 'page-toil-column-all');
    const options = columns.map((each, index) => new Option(each || `${index + 1}`, index));
    this.#parts.column.replaceChildren(all, ...options);
    const likely = columns.findIndex((each) => TEXT_NAME.test(each));
    this.#parts.column.value = columns.length === 1 ? '0' : likely < 0 ? '' : String(likely);
    this.#parts.batch.hidden = false;
    for (const id of ['bar', 'failures', 'downloads']) this.#parts[id].hidden = true;
    clearText(this.#parts.progress);
    this.#showRemaining();
    this.#parts.start.focus();
  }

  #showRemaining() {
    const count = this.#table.remaining(null).length;
    this.#parts.start.hidden = !count;
    say(this.#parts.start, this.#table.outcomes.size ? 'page-toil-rows-again' : 'page-toil-rows-run', { count });
  }

  async #run() {
    const task = this.#readTask();
    if (!task) {
      say(this.#parts['batch-status'], 'page-toil-prompt-missing');
      return;
    }
    const { column } = this.#parts;
    const rows = this.#table.remaining(column.value === '' ? null : Number(column.value));
    this.#abort = new AbortController();
    this.#begin();
    try {
      for await (const { index, ...outcome } of runRows(task.personality, task, rows, this.#abort.signal)) {
        this.#table.outcomes.set(index, outcome);
        this.#showProgress();
      }
      this.#end('page-toil-rows-done');
    } catch (error) {
      this.#end(error.name === 'AbortError' ? 'page-toil-rows-cancelled' : problemKey(error.code), error.detail);
    }
  }

  #begin() {
    const { bar, cancel, start, column, downloads, progress } = this.#parts;
    bar.max = this.#table.rows.length;
    bar.hidden = cancel.hidden = false;
    column.disabled = true;
    cancel.focus();
    start.hidden = downloads.hidden = true;
    this.#announced = 0;
    clearText(progress);
    say(this.#parts['batch-status'], 'page-toil-rows-running');
    this.#showProgress();
  }

  /** Writes the numbers at each row, and announces them at each quarter. */
  #showProgress() {
    const { outcomes, rows } = this.#table;
    const args = { done: outcomes.size, total: rows.length, failed: this.#table.failures.length };
    this.#parts.bar.value = outcomes.size;
    say(this.#parts.progress, 'page-toil-progress', args);
    const quarter = Math.floor((4 * outcomes.size) / rows.length);
    if (quarter > this.#announced && quarter < 4) say(this.#parts['batch-status'], 'page-toil-progress', args);
    this.#announced = Math.max(quarter, this.#announced);
  }

  #end(key, detail = '') {
    this.#abort = null;
    const { cancel, column, downloads, start, failures } = this.#parts;
    const hadFocus = document.activeElement === cancel;
    column.disabled = false;
    cancel.hidden = true;
    downloads.hidden = !this.#table.outcomes.size;
    this.#showRemaining();
    this.#showFailures(failures);
    say(this.#parts['batch-status'], key, { count: this.#table.outcomes.size });
    if (detail) this.#parts['batch-status'].append(` ${detail}`);
    if (hadFocus) (downloads.hidden ? start : this.#parts['as-csv']).focus();
  }

  #showFailures(box) {
    const failed = this.#table.failures;
    box.hidden = !failed.length;
    say(box.querySelector('summary'), 'page-toil-failures', { count: failed.length });
    const items = failed.slice(0, SHOWN_FAILURES).map(([row, { message }]) => {
      const item = document.createElement('li');
      const sentence = document.createElement('span');
      sentence.lang = 'en'; // as the service wrote it
      sentence.textContent = message;
      item.append(say(document.createElement('strong'), 'page-toil-row', { row }), ' ', sentence);
      return item;
    });
    box.querySelector('ul').replaceChildren(...items);
  }

  #save(ending, type, content) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([content], { type }));
    link.download = `${this.#name}.results.${ending}`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

function acceptDrops(box, onFile) {
  box.addEventListener('dragover', (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    box.classList.add('dropping');
  });
  box.addEventListener('dragleave', () => box.classList.remove('dropping'));
  box.addEventListener('drop', (event) => {
    event.preventDefault();
    box.classList.remove('dropping');
    onFile(event.dataTransfer.files[0]);
  });
}
