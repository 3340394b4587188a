/** One WebSocket of the subprotocol csps-llm.v1: JSON objects out and in. It does not reconnect. */

const PROTOCOL = 'csps-llm.v1';
const OPEN_WITHIN_MS = 10_000; // a network that drops packets would otherwise delay a question by minutes

export class Socket {
  #socket;

  /** `onFrame(frame)` is called for each frame, `onClose(code)` once at the end. Neither is called after `close`. */
  constructor(personality, onFrame, onClose) {
    this.#socket = new WebSocket(address(personality), PROTOCOL);
    this.opened = this.#whenOpen();
    this.#socket.addEventListener('message', ({ data }) => this.#socket && onFrame(JSON.parse(data)));
    this.#socket.addEventListener('close', ({ code }) => this.#socket && onClose(code));
  }

  /** Resolves when frames can be sent; rejects if the connection fails. */
  #whenOpen() {
    const { promise, resolve, reject } = deferred();
    const timer = setTimeout(() => this.#socket?.close(), OPEN_WITHIN_MS);
    this.#socket.addEventListener('open', resolve);
    this.#socket.addEventListener('close', () => reject(new Error('closed')));
    promise.catch(() => {}).finally(() => clearTimeout(timer)); // callers that await `opened` get the rejection
    return promise;
  }

  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  close() {
    this.#socket.close(1000);
    this.#socket = null;
  }
}

/** The address is relative to the page, so the service also works below a path of a larger site. */
function address(personality) {
  const url = new URL(`../gpt-socket/${encodeURIComponent(personality)}`, document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  return url;
}

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
