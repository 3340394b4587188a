/** Connects the parts of the page: makes each one, and passes people's actions to the open conversation. */

import { Announcer } from './interface/announcer.js';
import { acceptDropsAndPastes } from './composer/drop_paste.js';
import { Attachments } from './composer/attachments.js';
import { Autoscroll } from './interface/autoscroll.js';
import { Chat } from './chat/chat.js';
import { Chooser, fetchDescriptions, showIntroduction } from './personality/chooser.js';
import { Collector } from './composer/collections.js';
import { Composer } from './composer/composer.js';
import { ConversationList } from './list/list.js';
import { connectExportMenu } from './export/export_menu.js';
import { chooseLanguage, language, otherLanguage, preferredLanguage, say, setLanguage } from './interface/language.js';
import { LengthCounter } from './composer/length_counter.js';
import { Messages } from './messages/messages.js';
import { ModelNotice } from './personality/model.js';
import { showRetention } from './introduction/retention.js';
import { Suggestions } from './introduction/suggestions.js';
import { showPreferences } from './interface/preferences.js';
import { offerDictation } from './speech/dictation_button.js';
import { PageLinks } from './composer/page_links.js';
import { Navigation } from './chat/navigation.js';
import { StatusLine } from './interface/status_line.js';
import { listenForShortcuts, onShortcut } from './interface/shortcuts.js';
import { stepThroughMessages } from './interface/message_steps.js';
import { text } from './interface/texts.js';

const $ = (selector) => document.querySelector(selector);

const announcer = new Announcer($('#announcements'));
const announce = (key, values) => announcer.announce(key, values);
const status = new StatusLine($('#status'), announcer);
const messages = new Messages($('#messages'), () => chat.onDraw(), () => chat.conversation.storage.session);
const composer = new Composer($('#composer'), {
  ask: (text) => chat.ask(text),
  stop: () => chat.stop(),
  onChange(text) {
    counter.update(text);
    pageLinks.update(text);
  },
});
const attachments = new Attachments(
  { input: $('#attach'), list: $('#files'), announcements: $('#file-announcements') },
  {
    onSettled: () => status.withdraw('page-still-reading'),
    notify: (key, values) => status.show(key, values),
    moveFocus: () => composer.focus(),
    collector: new Collector($('#collect')),
  },
);
const pageLinks = new PageLinks(
  {
    box: $('#link-preview'),
    announcements: $('#file-announcements'),
    attach: (page) => attachments.restore([page]),
    onSettled: () => status.withdraw('page-link-still-reading'),
  },
  () => messages.isEmpty,
);
const counter = new LengthCounter($('#length'), {
  windowOf: () => chat.personality?.context_window,
  attach: attachLongText,
  announce,
});
const model = new ModelNotice(
  {
    full: $('#model'),
    short: $('#named'),
    progress: { box: $('#next'), text: $('#next-text'), bar: $('#next-bar'), announce },
  },
  {
    onAvailable: (isAvailable) => chat.onModelAvailable(isAvailable),
    onChange: (name) => chat.onModelChange(name),
  },
);
const autoscroll = new Autoscroll(
  { list: $('#messages'), room: $('#room'), composer: $('#composer'), button: $('#latest') },
  () => messages.focus(),
);
const list = new ConversationList($('#conversations'), status);
const { ownerKnown } = list;
const chat = new Chat({ announcer, attachments, autoscroll, composer, messages, model, ownerKnown, pageLinks, status });

const suggestions = new Suggestions($('#suggestions'), composer);

/** Moves the focus into the conversation: not to the field on touch screens, where the keyboard covers half of the page. */
function focusConversation() {
  if (matchMedia('(hover: hover)').matches) composer.focus();
  else messages.focus();
}

function onLanguageChange() {
  say($('#language'), 'page-other-language').lang = otherLanguage();
  if (chat.personality) showIntroduction(chat.personality);
}

/** Makes the text in the field a file, because the model reads of a file what matters, and leaves room for a question. */
function attachLongText() {
  attachments.add([new File([composer.draft], text('page-length-file', language()), { type: 'text/plain' })]);
  composer.replace('');
  status.show('page-length-attached');
}

async function showSettings() {
  const { openSettings } = await import('./interface/settings_dialog.js');
  openSettings();
}

async function showShortcuts() {
  const { openShortcutList } = await import('./interface/shortcut_list.js');
  openShortcutList();
}

function connectShortcuts() {
  onShortcut('write', () => composer.focus());
  onShortcut('new', () => $('#new').click());
  onShortcut('previous', () => stepThroughMessages($('#messages'), -1));
  onShortcut('next', () => stepThroughMessages($('#messages'), 1));
  onShortcut('latest', () => $('#latest').click());
  onShortcut('search', () => list.search());
  onShortcut('copy', () => [...document.querySelectorAll('.actions-row [data-text="page-copy"]')].at(-1)?.click());
  onShortcut('aloud', () => [...document.querySelectorAll('[data-aloud]:not([hidden])')].at(-1)?.click());
  onShortcut('list', showShortcuts);
  $('#shortcuts').addEventListener('click', showShortcuts);
  listenForShortcuts();
}

document.addEventListener('languagechange', onLanguageChange);
connectExportMenu($('#export'), () => ({ personality: chat.personality.title, messages: messages.all }));
$('#messages').addEventListener('outcome', ({ detail: { key, values } }) => announce(key, values));
$('#messages').addEventListener('revise', (event) => chat.revise(event.detail.text) || event.preventDefault());
acceptDropsAndPastes($('#composer'), (files) => attachments.add(files));
showPreferences();
offerDictation($('#dictate'), {
  line: $('#dictation'),
  insert: (words) => composer.insert(words),
  languageOf: () => chat.personality?.language ?? language(),
  notify: (key) => status.show(key),
});
setLanguage(preferredLanguage());
connectShortcuts();
$('#trouble').hidden = !$('#trouble').dataset.reported;
$('#language').addEventListener('click', () => chooseLanguage(otherLanguage()));
$('#settings').addEventListener('click', showSettings);
status.show('page-connection-connecting');
const personalities = await fetchDescriptions(() => status.show('page-starting'));
status.clear();
const navigation = new Navigation(chat, personalities);
const chooser = new Chooser($('#personality'), personalities, (name) => {
  navigation.open(name);
  focusConversation();
});
chat.addEventListener('opened', () => {
  chooser.show(chat.personality);
  suggestions.show(chat.personality);
});
$('#new').addEventListener('click', () => {
  navigation.openNew();
  composer.focus();
});
$('#personality').hidden = $('#new').hidden = false;
navigation.start();
if (matchMedia('(hover: hover)').matches) composer.focus();
list.start({ chat, navigation, focusConversation });
showRetention($('#retention'), ownerKnown);
