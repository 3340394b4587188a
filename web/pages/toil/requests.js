/** The requests of the playground, and their failures. docs/protocols.md specifies /toil. */

import { serviceUrl } from '../browser/service.js';
import { parseExactly } from './exact_json.js';

const JSON_TYPE = 'application/json';
const CHUNK_ROWS = 100;
const CHUNK_CHARS = 32_000;

/** A request that failed. `code` is that of the problem, or "unreachable"; `detail` is an English sentence. */
export class Problem extends Error {
  constructor(code, detail = '') {
    super(detail);
    this.code = code;
    this.detail = detail;
  }
}

/** The body of a request. The schema is sent as it was written, so that the service sees what the person sees. */
export function requestBody(fields, schema) {
  const body = JSON.stringify(fields, null, 2);
  if (!schema.trim()) return body;
  const comma = Object.keys(fields).length ? ',' : '';
  return `${body.slice(0, -1).trimEnd()}${comma}\n"schema":\n${schema}\n}`;
}

export const taskFields = ({ prompt, text }) => ({ prompt, ...(text.trim() && { text }) });

export const toilUrl = (personality, path = '') =>
  serviceUrl(`toil/${encodeURIComponent(personality)}${path}`);

/** The report on each keyword: `{accepted, keywords}`. Throws Problem. */
export async function checkSchema(personality, schema, signal) {
  return (await post(toilUrl(personality, '/check'), requestBody({}, schema), JSON_TYPE, signal)).json();
}

/** Yields `{name, data}` for each event; the last one is "value". Throws Problem. */
export async function* runTask(personality, task, signal) {
  const body = requestBody({ ...taskFields(task), stream: true }, task.schema);
  const response = await post(toilUrl(personality), body, JSON_TYPE, signal);
  let name = '';
  for await (const line of readLines(response)) {
    if (line.startsWith('event: ')) name = line.slice(7);
    if (!line.startsWith('data: ')) continue;
    const data = parseExactly(line.slice(6));
    if (name === 'error') throw new Problem(data.code, data.detail);
    yield { name, data };
    if (name === 'value') return;
  }
  throw new Problem('unreachable');
}

/** Yields `{index, value}` or `{index, error}` for each text, as they are answered. Throws Problem.
 *
 * A browser sends a whole body before it reads the answer, and the service reads on only while it is read from. So rows
 * go in requests that the network holds.
 */
export async function* runRows(personality, { prompt, schema }, rows, signal) {
  for (const chunk of splitRows(rows)) {
    const header = `{"batch":${requestBody({ order: 'answers' }, schema).replaceAll(/[\r\n]+/g, ' ')}}`;
    const lines = chunk.map(({ text }) => JSON.stringify({ prompt, text }));
    const body = `${[header, ...lines].join('\n')}\n`;
    const response = await post(toilUrl(personality, '/batch'), body, 'application/x-ndjson', signal);
    let answered = 0;
    for await (const line of readLines(response)) {
      const { row, value, error } = parseExactly(line);
      if (row === undefined) throw new Problem(error.code, error.message);
      const { index } = chunk[Number(JSON.stringify(row)) - 2]; // row 1 is the header
      answered += 1;
      yield error ? { index, error } : { index, value };
    }
    if (answered < chunk.length) throw new Problem('unreachable');
  }
}

export function splitRows(rows) {
  const chunks = [];
  let chars = Infinity;
  for (const row of rows) {
    chars += row.text.length;
    if (chars > CHUNK_CHARS || chunks.at(-1).length === CHUNK_ROWS) {
      chunks.push([]);
      chars = row.text.length;
    }
    chunks.at(-1).push(row);
  }
  return chunks;
}

async function post(url, body, type, signal) {
  let response;
  try {
    response = await fetch(url, { method: 'POST', headers: { 'Content-Type': type }, body, signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem('unreachable');
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Problem(problem.code ?? 'unreachable', problem.detail);
}

async function* readLines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read().catch(withoutCut);
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    yield* lines.filter(Boolean);
  }
  if (rest) yield rest;
}

/** The end of the connection in the middle of an answer is a problem, the person's own stop is not. */
function withoutCut(error) {
  throw error.name === 'AbortError' ? error : new Problem('unreachable');
}
