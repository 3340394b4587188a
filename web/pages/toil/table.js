/** The rows of a CSV file with their outcomes, and the files that come of them. Pure. */

import { isContainer } from './exact_json.js';
import { formatCsv } from './csv.js';

export class Table {
  /** `delimiter`, `columns` and `rows` of `parseCsv`. */
  constructor({ delimiter, columns, rows }) {
    this.delimiter = delimiter;
    this.columns = columns;
    this.rows = rows;
    this.outcomes = new Map(); // index of a row → {value} or {error}
  }

  /** The rows that have no value yet: `{index, text}`. `column`: an index, or null for all columns with their names. */
  remaining(column) {
    return this.rows
      .map((cells, index) => ({ index, text: column === null ? this.#describe(cells) : cells[column] }))
      .filter(({ index }) => !this.outcomes.get(index) || this.outcomes.get(index).error);
  }

  #describe(cells) {
    return this.columns.map((name, index) => `${name}: ${cells[index]}`).join('\n');
  }

  /** The numbers of rows and the errors: `[[12, error], …]`. */
  get failures() {
    return [...this.outcomes].filter(([, { error }]) => error).map(([index, { error }]) => [index + 1, error]).sort(([a], [b]) => a - b); // prettier-ignore
  }

  /** The file's columns, then one for each property of the values, or "result"; then "error" if there is one. */
  toCsv() {
    const values = this.rows.map((_cells, index) => toCells(this.outcomes.get(index)?.value));
    const added = [...new Set(values.flatMap((cells) => Object.keys(cells)))];
    const hasErrors = this.failures.length > 0;
    const names = added.map((name) => (this.columns.includes(name) ? `result.${name}` : name));
    const lines = this.rows.map((cells, index) => [
      ...cells,
      ...added.map((name) => values[index][name] ?? ''),
      ...(hasErrors ? [this.outcomes.get(index)?.error?.message ?? ''] : []),
    ]);
    return formatCsv([[...this.columns, ...names, ...(hasErrors ? ['error'] : [])], ...lines], this.delimiter);
  }

  /** One line for each row that has an outcome, in the order of the file. */
  toNdjson() {
    const lines = this.rows.map((_cells, index) => this.outcomes.has(index) && { row: index + 1, ...this.outcomes.get(index) }); // prettier-ignore
    return lines.filter(Boolean).map((line) => `${JSON.stringify(line)}\n`).join(''); // prettier-ignore
  }
}

function toCells(value) {
  if (value === undefined) return {};
  const properties = isContainer(value) && !Array.isArray(value) ? value : { result: value };
  return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, toCell(each)]));
}

function toCell(value) {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
