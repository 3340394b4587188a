/** Decides which changes of the status line screen readers announce. Does not touch the page. */

// What follows at once says more.
const SILENT = new Set(['page-connection-connecting', 'page-status-reading', 'page-stopping', 'page-deleting']);
const CONNECTION = /^page-connection/;
const PROGRESS = /^page-(queued|loading|answering|model-awaited|status|trimmed)/;

/** Whether a status is about an answer that has not ended. */
export const isProgress = (key) => PROGRESS.test(key);

/** Whether to announce a status. `announced` remembers what of this answer's progress was announced: each kind once,
 * and a place in the queue again when half of the people before it are gone, and at the head. */
export function isWorthSaying(key, { position }, announced) {
  if (SILENT.has(key)) return false;
  if (CONNECTION.test(key)) return isNew('connection', key, announced);
  if (!isProgress(key)) return true;
  const kind = kindOf(key);
  const before = announced.get(kind);
  if (before !== undefined && !isMuchNearer(position, before)) return false;
  announced.set(kind, position ?? 0);
  return true;
}

/** Each attempt to reconnect shows again that the connection was lost. */
function isNew(kind, value, announced) {
  const before = announced.get(kind);
  announced.set(kind, value);
  return before !== value;
}

function kindOf(key) {
  if (key.startsWith('page-queued')) return 'queue';
  return key.includes('loading') ? 'loading' : key;
}

function isMuchNearer(position, before) {
  return Boolean(position) && (position <= before / 2 || (position === 1 && before > 1));
}
