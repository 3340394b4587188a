/** Waits: for a promise that others resolve, and before the next attempt to reach the service. */

export function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

/** The pause in milliseconds before attempt number `attempt` (from 0). It doubles, with jitter to spread clients. */
export function backoff(attempt) {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.75 + Math.random() / 2);
}

/** Waits `ms` milliseconds, or until the browser reports that the network is back. */
export function pause(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
  });
}
