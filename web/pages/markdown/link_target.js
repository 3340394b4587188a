/** Describes where a link leads, because the model chose the link's text. */

import { decodePunycode } from './punycode.js';

const ALLOWED = /^(?:https?:\/\/|mailto:)/i;

/** The URL of an address that a link may have, else null. */
export function linkTarget(address) {
  if (!ALLOWED.test(address) || !URL.canParse(address)) return null;
  const url = new URL(address);
  return url.host || (url.protocol === 'mailto:' && url.pathname) ? url : null;
}

/** The words that name the target of a link beside its text, or "" if the text is the target.
 *
 * A host with letters outside ASCII can look like another one, so it is also named as the network knows it.
 */
export function nameTarget(url, text) {
  const hosts = url.host ? hostNames(url.host) : mailNames(url.pathname);
  // "https://bank.example@evil.example" shows a user name, not its target.
  const isShown = text === url.href || `${text}/` === url.href || text === hosts[0];
  return isShown && !url.username && hosts.length === 1 ? '' : hosts.join(', ');
}

/** The host in letters and in Punycode, or once if both are the same. */
function hostNames(host) {
  const readable = host.replace(/(?<=^|\.)xn--([a-z0-9-]+)/g, (label, code) => decodePunycode(code) ?? label);
  return readable === host ? [host] : [readable, host];
}

function mailNames(address) {
  const shown = decoded(address);
  const [user, domain] = [shown.slice(0, shown.lastIndexOf('@')), shown.slice(shown.lastIndexOf('@') + 1)];
  const site = `https://${domain}/`;
  if (!user || !URL.canParse(site)) return [shown];
  return hostNames(new URL(site).host).map((host) => `${user}@${host}`);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}
