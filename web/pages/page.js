/** Puts the page together: what people do goes to the conversation, what the conversation tells is shown. */

import { Announcer } from './announcer.js';
import { Chooser, descriptions, introduce } from './chooser.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { Files } from './files.js';
import { Follow } from './follow.js';
import { receiveFiles } from './incoming.js';
import { choose, language, other, preferred, say, speak } from './language.js';
import { Messages, StatusLine } from './messages.js';
import { Model } from './model.js';

// What fails so may not fail the next time. Of all else the person is told what to do instead.
const PASSING = new Set([
  ...['unreachable', 'dropped', 'session_unknown', 'overloaded', 'stopping', 'storage', 'internal', 'fetch_failed'],
  ...['model_failed', 'model_unavailable', 'model_too_slow', 'model_refused'],
]);

const $ = (selector) => document.querySelector(selector);
const follow = new Follow($('#latest'), () => messages.focus());
const status = new StatusLine($('#status'));
const announcer = new Announcer($('#spoken'));
const messages = new Messages($('#messages'), drawn);
const composer = new Composer($('#composer'), { ask, stop });
const files = new Files(
  { input: $('#attach'), list: $('#files'), spoken: $('#heard') },
  {
    settled: () => status.withdraw('stillReading'),
    tell: (key, values) => status.show(key, values),
    leave: () => composer.focus(),
  },
);

let personality = null; // its description
let conversation = null;
// The latest: {text, attachments, language, question, answer, heard}. `heard`: its words come, and that was said.
let exchange = null;
let toRestore = false; // an earlier visit's conversation that the service has not sent yet
let failed = null; // the exchange whose answer failed
let deleting = false;

const model = new Model({ full: $('#model'), short: $('#named') }, (answers) => {
  if (!answers && !conversation.answering) status.show('modelAway');
  if (answers && status.withdraw('modelAway')) status.show('modelBack');
});

function drawn() {
  follow.grew();
  if (conversation?.answering && exchange) announcer.hear(() => exchange.answer.shown);
}

/** Turns to a personality: its earlier conversation of this tab, or a new one. */
function turnTo(chosen) {
  conversation?.leave();
  personality = chosen;
  introduce(chosen);
  begin();
  model.turnTo(chosen);
  conversation.start();
}

/** An empty conversation with the current personality. */
function begin() {
  exchange = failed = null;
  conversation = new Conversation(personality.personality, tell);
  composer.turnTo(conversation.memory);
  composer.answering = false;
  status.clear();
  announcer.begin(personality.language);
  messages.clear();
  follow.toStart();
  if (personality.greeting) messages.past(personality.greeting, personality);
  toRestore = Boolean(conversation.memory.session);
  if (!toRestore) reclaim();
}

/** A question that was sent and never answered, from before a reload, is a draft again. */
function reclaim() {
  const { memory } = conversation;
  if (!memory.pending || conversation.answering) return; // what is being asked now is on the page
  composer.draft = [memory.pending, composer.draft].filter(Boolean).join('\n\n');
  files.giveBack(memory.pendingFiles);
  memory.pending = '';
}

function ask(text) {
  const hindrance = hindranceTo(text);
  if (hindrance) status.show(hindrance);
  else if (text) send(text, files.take());
  return !hindrance;
}

/** Why this cannot be asked just now: the key of what to say about it, or "". */
function hindranceTo(text) {
  if (!text) return files.empty ? '' : 'questionMissing';
  if (!conversation) return 'startingKept';
  if (deleting) return 'deletingKept';
  if (conversation.answering) return 'busy';
  if (files.reading) return 'stillReading';
  return files.excess(text);
}

function send(text, attachments) {
  failed?.answer.settle();
  failed = null;
  const names = attachments.map(({ name }) => name);
  const question = messages.question(text, personality.language, names);
  exchange = { text, attachments, language: language(), question, answer: messages.answer(personality), heard: false };
  announcer.begin(personality.language);
  composer.answering = true;
  follow.toEnd();
  conversation.ask(text, exchange.language, attachments);
}

/** Into the field again, where it can be changed before it is asked again. */
function giveBack({ text, attachments }) {
  if (composer.draft) return;
  composer.draft = text;
  files.giveBack(attachments);
}

function askAgain() {
  const { text, attachments, question, answer } = failed;
  const given = composer.draft.trim() === text; // back, and maybe with other files by now
  const hindrance = given ? hindranceTo(text) : '';
  if (hindrance) {
    status.show(hindrance);
    return;
  }
  if (answer.empty) {
    question.remove();
    answer.remove();
  }
  if (given) composer.draft = '';
  send(text, given ? files.take() : attachments);
  composer.focus();
}

function stop() {
  if (!conversation?.answering) return;
  status.show('stopping');
  conversation.stop();
}

/** What each event of the conversation changes. */
const told = {
  session: (event) => model.told(event),
  restored: ({ turns }) => restore(turns),
  expired() {
    if (conversation.answering) expiredAbove(exchange.question);
    else if (!messages.empty) {
      messages.note('expired');
      status.show('expired');
    }
    if (toRestore) reclaim();
    toRestore = false;
  },
  connection({ state }) {
    if (state !== 'back' || !status.says('expired')) status.show(state);
  },
  status(event) {
    exchange.heard = false;
    if (event.state === 'trimmed') exchange.answer.note('trimmed', event);
    const nothingYet = event.state === 'reconnecting' && exchange.answer.empty;
    status.show(nothingYet ? 'awaited' : event.state, { ...event, title: personality.title });
  },
  source: (event) => exchange.answer.source(event),
  text({ text }) {
    // Once: what is said meanwhile, as that a text is kept, has to stay to be read.
    if (!exchange.heard) status.show('answering', { title: personality.title });
    exchange.heard = true;
    exchange.answer.add(text);
  },
  done: (event) => finish(event),
  error: (event) => fail(event),
};

function tell(event) {
  told[event.type]?.(event); // unknown types are to be ignored
}

/** What was said before is gone, and this question begins anew. */
function expiredAbove(question) {
  if (messages.begunBy(question)) return;
  const note = messages.note('expiredAbove', question);
  announcer.say(note.textContent, language());
}

/** The turns of an earlier visit. After a connection that was lost in this one, they are on the page already. */
function restore(turns) {
  if (!toRestore) return;
  toRestore = false;
  const asked = turns.findLast(({ role }) => role === 'user')?.text;
  if (asked === conversation.memory.pending && !conversation.answering) conversation.memory.pending = '';
  reclaim();
  messages.above(() => {
    for (const { role, text, attachments, ...ended } of turns) {
      if (role === 'user') messages.question(text, personality.language, attachments);
      else messages.past(text, personality, ended);
    }
  });
  if (turns.length) status.show('restored');
  follow.toEnd();
}

function finish({ reason, model: by }) {
  const { answer } = exchange;
  answer.finish();
  announcer.end(answer.shown);
  model.wrote(by);
  if (reason !== 'stop') answer.note(reason);
  // Stopped before a word was said: most likely to ask it differently.
  if (reason === 'stopped' && answer.empty) giveBack(exchange);
  composer.answering = false;
  status.show(reason === 'stop' ? 'whole' : reason);
}

function fail({ code, message, retry_after_s: wait }) {
  const mayPass = PASSING.has(code) || Number.isFinite(wait);
  failed = exchange;
  const box = failed.answer.fail(
    // The service's words, which also say when to try again, are in the language asked in; ours follow the interface.
    (detail) => (message ? Object.assign(detail, { textContent: message, lang: exchange.language }) : say(detail, wordsFor(code))),
    mayPass ? askAgain : null,
  );
  announcer.end(failed.answer.shown);
  for (const part of box.children) announcer.say(part.innerText, part.lang);
  giveBack(failed);
  if (composer.draft === failed.text) conversation.memory.pending = '';
  composer.answering = false;
  status.clear();
}

const wordsFor = (code) => (code === 'tooLarge' && failed.attachments.length ? 'tooLargeFiles' : code);

/** Asks first, as what is deleted is gone for good. */
async function startOver() {
  if (messages.empty && !conversation.memory.session) {
    composer.focus();
    return;
  }
  const dialog = $('#confirm');
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
  if (dialog.returnValue === 'delete') await deleteNow(conversation);
}

/** Meanwhile nothing can be asked: it would be deleted as well. */
async function deleteNow(old) {
  deleting = true;
  status.show('deleting');
  const gone = await old.forget();
  deleting = false;
  if (gone && conversation === old) {
    old.leave();
    begin();
  }
  status.show(gone ? 'forgotten' : 'notForgotten');
  composer.focus();
}

function switchLanguage() {
  const button = $('#language');
  say(button, 'otherLanguage').lang = other();
  if (personality) introduce(personality);
}

document.addEventListener('languagechange', switchLanguage);
receiveFiles($('#composer'), (given) => files.add(given));
new ResizeObserver(() => follow.grew()).observe($('#composer')); // it covers what is behind it
speak(preferred());
$('#language').addEventListener('click', () => choose(other()));
$('#new').addEventListener('click', startOver);
status.show('connecting');
const personalities = await descriptions(() => status.show('starting'));
status.clear();
$('.choice').hidden = $('#new').hidden = false;
new Chooser($('#personality'), personalities, turnTo);
// Not where that would raise a keyboard over half of the screen.
if (matchMedia('(hover: hover)').matches) composer.focus();
