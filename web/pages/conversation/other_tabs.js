/** Tells the page's other tabs that an answer of a conversation has begun or is over, so that they can show it. */

import { serviceUrl } from '../browser/service.js';

const NAME = `csps-llm:answers:${serviceUrl('').pathname}`; // another service may stand on the same host

const channel = new BroadcastChannel(NAME);

export const tellOtherTabs = (session) => channel.postMessage(session);

/** Calls `listener(session)` for each message of another tab. Returns a function that ends this. */
export function listenToOtherTabs(listener) {
  const onMessage = ({ data }) => listener(data);
  channel.addEventListener('message', onMessage);
  return () => channel.removeEventListener('message', onMessage);
}
