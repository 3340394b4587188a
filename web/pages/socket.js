/** One WebSocket in the subprotocol csps-llm.v1: JSON objects out and in. Knows no conversation and does not reconnect. */

const PROTOCOL = 'csps-llm.v1';
const OPEN_WITHIN_MS = 10_000; // a network that swallows packets would otherwise hold a question for minutes

export class Socket {
  #socket;

  /** `received(frame)` for each frame; `closed(code)` once, however the connection ends. Neither after `close`. */
  constructor(personality, received, closed) {
    this.#socket = new WebSocket(address(personality), PROTOCOL);
    this.opened = this.#opening();
    this.#socket.addEventListener('message', ({ data }) => this.#socket && received(JSON.parse(data)));
    this.#socket.addEventListener('close', ({ code }) => this.#socket && closed(code));
  }

  /** Settles when frames can be sent, or cannot. */
  #opening() {
    const { promise, resolve, reject } = deferred();
    const timer = setTimeout(() => this.#socket?.close(), OPEN_WITHIN_MS);
    this.#socket.addEventListener('open', resolve);
    this.#socket.addEventListener('close', () => reject(new Error('closed')));
    promise.catch(() => {}).finally(() => clearTimeout(timer)); // whoever awaits `opened` hears of a failure
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

/** Relative to the page, so that the service also works below a path of a larger site. */
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

/** Milliseconds to wait before attempt number `attempt` (from 0): doubling, and spread so that not all come at once. */
export function backoff(attempt) {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.75 + Math.random() / 2);
}

/** Waits, but not longer than until the browser says that the network is back. */
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
