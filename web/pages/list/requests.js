/** The service's endpoints for a person's conversations (docs/protocols.md, `/conversations`). */

import { serviceUrl } from '../browser/service.js';

/** Returns {signed_in, retention_days, conversations}. Also gives the browser its cookie, if it has none. */
export const fetchList = (search = '') => send(search ? `?${new URLSearchParams({ search })}` : '');

/** `fields`: {title} or {pinned}. Returns the changed entry. */
export const change = (id, fields) =>
  send(`/${encodeURIComponent(id)}`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(fields),
  });

export const deleteOne = (id) => send(`/${encodeURIComponent(id)}`, { method: 'DELETE' });

/** Returns {deleted}: the number of conversations. */
export const deleteAll = () => send('', { method: 'DELETE' });

/** Throws an Error with the status and the service's code, or a TypeError if the service cannot be reached. */
async function send(path, options) {
  const response = await fetch(serviceUrl(`conversations${path}`), options);
  if (!response.ok) {
    const { code } = await response.json().catch(() => ({}));
    throw Object.assign(new Error(`status ${response.status}`), { status: response.status, code });
  }
  return response.status === 204 ? null : response.json();
}
