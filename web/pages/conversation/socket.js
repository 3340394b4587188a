/** One WebSocket of the subprotocol csps-llm.v1: JSON objects out and in. It does not reconnect. */

import { deferred } from '../browser/waiting.js';
import { serviceUrl } from '../browser/service.js';

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
  const url = serviceUrl(`gpt-socket/${encodeURIComponent(personality)}`);
  url.protocol = url.protocol.replace('http', 'ws');
  return url;
}
