/** The text keys of the states of an answer, and which failures are worth another try. Does not touch the page. */

// Codes of errors after which a retry may succeed. Messages of all other errors say what to do instead.
const RETRYABLE = new Set([
  ...['unreachable', 'dropped', 'session_unknown', 'overloaded', 'stopping', 'storage', 'internal', 'fetch_failed'],
  'empty',
  ...['model_failed', 'model_unavailable', 'model_too_slow', 'model_refused'],
]);

const WAIT_STEP_S = 5;

/** Whether another try may succeed after an `error` frame. */
export const isRetryable = ({ code, retry_after_s: wait }) => RETRYABLE.has(code) || Number.isFinite(wait);

/** Rounds up to a multiple of WAIT_STEP_S: screen readers read each change of the status line. */
export function roundWait(seconds) {
  return seconds && Math.ceil(seconds / WAIT_STEP_S) * WAIT_STEP_S;
}

/** The text key of a `status` frame, whose fields may be missing. */
export function statusKey({ state, position, wait_s: wait, turns_dropped: dropped }) {
  if (state === 'trimmed') return dropped ? 'page-trimmed-count' : 'page-trimmed';
  if (state === 'loading') return wait ? 'page-loading-wait' : 'page-status-loading';
  if (state !== 'queued') return `page-status-${state}`;
  if (position) return wait ? 'page-queued-position-wait' : 'page-queued-position';
  return wait ? 'page-queued-wait' : 'page-queued';
}

/** The text key of an error that the page itself found. */
export function errorKey(code, files) {
  return code === 'too_large' && files.length ? 'page-too-large-files' : `page-error-${code}`;
}
