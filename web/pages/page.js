/** Connects the parts of the page: people's actions go to the conversation, its events go to the page. */

import { Announcer } from './interface/announcer.js';
import { acceptDropsAndPastes, Attachments } from './composer/attachments.js';
import { Autoscroll } from './interface/autoscroll.js';
import { Chooser, fetchDescriptions, showIntroduction } from './personality/chooser.js';
import { Collector } from './composer/collections.js';
import { Composer } from './composer/composer.js';
import { Conversation } from './conversation/conversation.js';
import { chooseLanguage, language, otherLanguage, preferredLanguage, say, setLanguage } from './interface/language.js';
import { Messages } from './messages/messages.js';
import { ModelNotice } from './personality/model.js';
import { StatusLine } from './interface/status_line.js';

// Codes of errors after which a retry may succeed. Messages of all other errors say what to do instead.
const RETRYABLE = new Set([
  ...['unreachable', 'dropped', 'session_unknown', 'overloaded', 'stopping', 'storage', 'internal', 'fetch_failed'],
  ...['model_failed', 'model_unavailable', 'model_too_slow', 'model_refused'],
]);

const WAIT_STEP_S = 5;

const $ = (selector) => document.querySelector(selector);
const autoscroll = new Autoscroll($('#latest'), () => messages.focus());
const status = new StatusLine($('#status'));
const announcer = new Announcer($('#spoken'));
const messages = new Messages($('#messages'), onDraw);
const composer = new Composer($('#composer'), { ask, stop });
const attachments = new Attachments(
  { input: $('#attach'), list: $('#files'), announcements: $('#file-announcements') },
  {
    onSettled: () => status.withdraw('page-still-reading'),
    notify: (key, values) => status.show(key, values),
    moveFocus: () => composer.focus(),
    collector: new Collector($('#collect')),
  },
);

let personality = null; // its description
let conversation = null;
// The latest question and answer: {text, files, language, question, answer, isStreaming}. `isStreaming`: text has come.
let exchange = null;
let awaitsRestore = false; // the service has not sent the earlier visit's conversation yet
let failed = null; // the exchange whose answer failed
let isDeleting = false;

const model = new ModelNotice(
  {
    full: $('#model'),
    short: $('#named'),
    progress: { box: $('#next'), text: $('#next-text'), bar: $('#next-bar'), announcement: $('#model-announcement') },
  },
  { onAvailable: onModelAvailable, onChange: onModelChange },
);

function onModelAvailable(isAvailable) {
  if (!isAvailable && !conversation.isAnswering) status.show('page-model-away');
  if (isAvailable && status.withdraw('page-model-away')) status.show('page-model-back');
}

/** Notes in the conversation that another model answers from here on. An answer under way is the earlier one's, and
 * keeps its status. */
function onModelChange(name) {
  if (messages.isEmpty) {
    status.show('page-model-changed', { model: name });
    return;
  }
  messages.addNote('page-model-changed', null, { model: name });
  say($('#model-announcement'), 'page-model-changed', { model: name });
}

function onDraw() {
  autoscroll.update();
  if (conversation?.isAnswering && exchange) announcer.update(() => exchange.answer.visibleText);
}

/** Switches to a personality: its earlier conversation in this tab, or a new one. */
function switchTo(chosen) {
  conversation?.close();
  personality = chosen;
  showIntroduction(chosen);
  begin();
  model.switchTo(chosen);
  conversation.start();
}

/** Begins an empty conversation with the current personality. */
function begin() {
  exchange = failed = null;
  conversation = new Conversation(personality.personality, onEvent);
  composer.switchTo(conversation.storage);
  composer.isAnswering = false;
  status.clear();
  announcer.begin(personality.language);
  messages.clear();
  autoscroll.toStart();
  if (personality.greeting) messages.addCompleteAnswer(personality.greeting, personality);
  awaitsRestore = Boolean(conversation.storage.session);
  if (!awaitsRestore) restoreDraft();
}

/** Turns a question that had no answer before the reload into the draft. */
function restoreDraft() {
  const { storage } = conversation;
  if (!storage.pending || conversation.isAnswering) return; // a running question is already on the page
  composer.draft = [storage.pending, composer.draft].filter(Boolean).join('\n\n');
  attachments.restore(storage.pendingAttachments);
  storage.pending = '';
}

function ask(text) {
  const obstacle = obstacleTo(text);
  if (obstacle) status.show(obstacle);
  else if (text) send(text, attachments.take());
  return !obstacle;
}

/** The text key of the reason why this question cannot be sent now, or "". */
function obstacleTo(text) {
  if (!text) return attachments.isEmpty ? '' : 'page-question-missing';
  if (!conversation) return 'page-starting-kept';
  if (isDeleting) return 'page-deleting-kept';
  if (conversation.isAnswering) return 'page-busy';
  if (attachments.isReading) return 'page-still-reading';
  return attachments.tooLargeKey(text);
}

function send(text, files) {
  failed?.answer.removeRetry();
  failed = null;
  const names = files.map(({ name }) => name);
  const question = messages.addQuestion(text, personality.language, names);
  const answer = messages.addAnswer(personality);
  exchange = { text, files, language: language(), question, answer, isStreaming: false };
  announcer.begin(personality.language);
  composer.isAnswering = true;
  autoscroll.toEnd();
  conversation.ask(text, exchange.language, files);
}

/** Puts a question back into the field, so that the person can change it. */
function returnToField({ text, files }) {
  if (composer.draft) return;
  composer.draft = text;
  attachments.restore(files);
}

function askAgain() {
  const { text, files, question, answer } = failed;
  const isInField = composer.draft.trim() === text; // possibly with other files by now
  const obstacle = isInField ? obstacleTo(text) : '';
  if (obstacle) {
    status.show(obstacle);
    return;
  }
  if (answer.isEmpty) {
    question.remove();
    answer.remove();
  }
  if (isInField) composer.draft = '';
  send(text, isInField ? attachments.take() : files);
  composer.focus();
}

function stop() {
  if (!conversation?.isAnswering) return;
  status.show('page-stopping');
  conversation.stop();
}

/** The handler of each event type of the conversation. */
const handlers = {
  session: (event) => model.update(event),
  restored: ({ turns }) => restore(turns),
  expired() {
    if (conversation.isAnswering) noteExpiredAbove(exchange.question);
    else if (!messages.isEmpty) {
      messages.addNote('page-expired');
      status.show('page-expired');
    }
    if (awaitsRestore) restoreDraft();
    awaitsRestore = false;
  },
  connection({ state }) {
    if (state !== 'back' || !status.isShowing('page-expired')) status.show(`page-connection-${state}`);
  },
  status(event) {
    exchange.isStreaming = false;
    const seconds = event.state === 'loading' ? roundWait(event.wait_s) : event.wait_s;
    const args = { title: personality.title, position: event.position, seconds, count: event.turns_dropped };
    if (event.state === 'trimmed') exchange.answer.addNote(statusKey(event), args);
    const awaitsFirstText = event.state === 'reconnecting' && exchange.answer.isEmpty;
    status.show(awaitsFirstText ? 'page-model-awaited' : statusKey(event), args);
  },
  source: (event) => exchange.answer.addSource(event),
  text({ text }) {
    // Only once: a notice that appears during the answer must stay readable.
    if (!exchange.isStreaming) status.show('page-answering', { title: personality.title });
    exchange.isStreaming = true;
    exchange.answer.add(text);
  },
  done: (event) => finish(event),
  error: (event) => fail(event),
};

/** Rounds up to a multiple of WAIT_STEP_S: screen readers read each change of the status line. */
function roundWait(seconds) {
  return seconds && Math.ceil(seconds / WAIT_STEP_S) * WAIT_STEP_S;
}

/** The text key of a `status` frame, whose fields may be missing. */
function statusKey({ state, position, wait_s: wait, turns_dropped: dropped }) {
  if (state === 'trimmed') return dropped ? 'page-trimmed-count' : 'page-trimmed';
  if (state === 'loading') return wait ? 'page-loading-wait' : 'page-status-loading';
  if (state !== 'queued') return `page-status-${state}`;
  if (position) return wait ? 'page-queued-position-wait' : 'page-queued-position';
  return wait ? 'page-queued-wait' : 'page-queued';
}

function onEvent(event) {
  handlers[event.type]?.(event); // the protocol asks clients to ignore unknown types
}

/** Notes that the messages above the question are gone and that it starts a new conversation. */
function noteExpiredAbove(question) {
  if (messages.isFirst(question)) return;
  const note = messages.addNote('page-expired-above', question);
  announcer.say(note.textContent, language());
}

/** Shows the turns of an earlier visit. After a reconnection within this visit, they are on the page already. */
function restore(turns) {
  if (!awaitsRestore) return;
  awaitsRestore = false;
  const { storage } = conversation;
  const lastQuestion = turns.findLast(({ role }) => role === 'user')?.text;
  if (lastQuestion === storage.pending && !conversation.isAnswering) storage.pending = '';
  restoreDraft();
  messages.insertAbove(() => {
    for (const { role, text, attachments: names, ...ending } of turns) {
      if (role === 'user') messages.addQuestion(text, personality.language, names);
      else messages.addCompleteAnswer(text, personality, ending);
    }
  });
  if (turns.length) status.show('page-restored');
  autoscroll.toEnd();
}

function finish({ reason, model: modelName }) {
  const { answer } = exchange;
  answer.finish();
  announcer.end(answer.visibleText);
  model.check(modelName);
  if (reason !== 'stop') answer.addNote(`page-done-${reason}`);
  // A person who stops before the first word probably wants to rephrase.
  if (reason === 'stopped' && answer.isEmpty) returnToField(exchange);
  composer.isAnswering = false;
  status.show(`page-done-${reason}`);
}

function fail({ code, message, retry_after_s: wait }) {
  const canRetry = RETRYABLE.has(code) || Number.isFinite(wait);
  failed = exchange;
  const box = failed.answer.fail(
    // The service's message is in the language of the question; our own texts follow the interface.
    (detail) => (message ? Object.assign(detail, { textContent: message, lang: exchange.language }) : say(detail, textKeyOf(code))),
    canRetry ? askAgain : null,
  );
  announcer.end(failed.answer.visibleText);
  for (const part of box.children) announcer.say(part.innerText, part.lang);
  returnToField(failed);
  if (composer.draft === failed.text) conversation.storage.pending = '';
  composer.isAnswering = false;
  status.clear();
}

/** The text of an error that the page itself found. */
function textKeyOf(code) {
  if (code === 'too_large' && failed.files.length) return 'page-too-large-files';
  return `page-error-${code}`;
}

/** Starts a new conversation after the person confirmed, because the deletion is final. */
async function startOver() {
  if (messages.isEmpty && !conversation.storage.session) {
    composer.focus();
    return;
  }
  const dialog = $('#confirm');
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise((closed) => dialog.addEventListener('close', closed, { once: true }));
  if (dialog.returnValue === 'delete') await deleteNow(conversation);
}

/** Deletes a conversation. No question can be sent meanwhile, because it would be deleted too. */
async function deleteNow(old) {
  isDeleting = true;
  status.show('page-deleting');
  const isDeleted = await old.forget();
  isDeleting = false;
  if (isDeleted && conversation === old) {
    old.close();
    begin();
  }
  status.show(isDeleted ? 'page-forgotten' : 'page-not-forgotten');
  composer.focus();
}

function onLanguageChange() {
  const button = $('#language');
  say(button, 'page-other-language').lang = otherLanguage();
  if (personality) showIntroduction(personality);
}

document.addEventListener('languagechange', onLanguageChange);
acceptDropsAndPastes($('#composer'), (files) => attachments.add(files));
new ResizeObserver(() => autoscroll.update()).observe($('#composer')); // a taller composer covers the last message
setLanguage(preferredLanguage());
$('#language').addEventListener('click', () => chooseLanguage(otherLanguage()));
$('#new').addEventListener('click', startOver);
status.show('page-connection-connecting');
const personalities = await fetchDescriptions(() => status.show('page-starting'));
status.clear();
$('.choice').hidden = $('#new').hidden = false;
new Chooser($('#personality'), personalities, switchTo);
// Not on touch screens, where the keyboard would cover half of the page.
if (matchMedia('(hover: hover)').matches) composer.focus();
