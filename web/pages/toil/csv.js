/** Reads and writes CSV files as spreadsheets do. Pure. */

const DELIMITERS = [',', ';', '\t'];
const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would run it
const NUMBER = /^[+-]?[\d.,]+$/;

/** A file that cannot be read. `fault`: "empty", "quote" or "cells"; `row`: the number of the row, from 1. */
export class CsvError extends Error {
  constructor(fault, row = 0) {
    super(fault);
    this.fault = fault;
    this.row = row;
  }
}

/** UTF-8 or UTF-16 as their marks say, else UTF-8, else the Windows code page of western Europe. */
export function decode(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** `{delimiter, columns, rows}`: the cells of each row, as many as columns. Throws CsvError. */
export function parseCsv(text) {
  const delimiter = guessDelimiter(text);
  const [columns, ...rows] = [...readRows(text, delimiter)].filter((cells) => cells.some((cell) => cell.trim()));
  if (!rows.length) throw new CsvError('empty');
  for (const [index, cells] of rows.entries()) {
    if (cells.length > columns.length) throw new CsvError('cells', index + 1);
    while (cells.length < columns.length) cells.push('');
  }
  return { delimiter, columns: columns.map((name) => name.trim()), rows };
}

function guessDelimiter(text) {
  const header = text.slice(0, (text.indexOf('\n') + 1 || text.length + 1) - 1).replaceAll(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((each) => header.split(each).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))];
}

/** RFC 4180: a quoted cell may contain delimiters, line breaks, and quotes that are doubled. */
function* readRows(text, delimiter) {
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${delimiter}\\r\\n][^${delimiter}\\r\\n]*)?)(${delimiter}|\\r?\\n|\\r|$)`, 'y');
  let cells = [];
  let count = 0;
  while (cell.lastIndex < text.length || cells.length) {
    const found = cell.exec(text);
    if (!found) throw new CsvError('quote', count);
    cells.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === delimiter) continue;
    yield cells;
    cells = [];
    count += 1;
  }
}

/** The lines with a byte order mark, by which Excel knows UTF-8. */
export function formatCsv(rows, delimiter) {
  const lines = rows.map((cells) => cells.map((cell) => quote(cell, delimiter)).join(delimiter));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

function quote(cell, delimiter) {
  const safe = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return safe.includes(delimiter) || /["\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
