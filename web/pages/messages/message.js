/** The frame that every message has: a list item with a heading and a body. */

import { say } from '../interface/language.js';

/** Makes a message of a kind. Its heading is in the interface's language, its body in `language`. */
export function makeMessage(kind, language, heading, values) {
  const item = document.createElement('li');
  item.className = `message ${kind}`;
  const body = document.createElement('div');
  body.className = 'body';
  body.lang = language;
  item.append(say(document.createElement('h3'), heading, values), body);
  return item;
}
