/** The conversation as a file of Markdown or JSON: questions, answers, sources with addresses, models and times. */

import { asMarkdown } from '../messages/actions/copied_answer.js';
import { language } from '../interface/language.js';
import { text } from '../interface/texts.js';

const TITLE_LIMIT_CHARS = 60;
const KINDS = {
  markdown: { make: toMarkdown, type: 'text/markdown', ending: 'md' },
  json: { make: toJson, type: 'application/json', ending: 'json' },
};

/** A File. `conversation`: {personality, messages}; `messages` are QuestionMessage and AnswerMessage objects. */
export function makeFile(kind, { personality, messages }) {
  const { make, type, ending } = KINDS[kind];
  const now = new Date();
  const title = titleOf(messages) || personality;
  const content = make({ title, personality, messages, now });
  return new File([content], `${fileName(title)} ${day(now)}.${ending}`, { type });
}

/** The first line of the first question. */
function titleOf(messages) {
  const question = messages.find((message) => message.isQuestion);
  const line = question?.text.trim().split('\n', 1)[0] ?? '';
  return line.length > TITLE_LIMIT_CHARS ? `${line.slice(0, TITLE_LIMIT_CHARS)}…` : line;
}

/** The title without the signs that a system forbids in the names of files. */
const fileName = (title) => title.replaceAll(/[\p{C}<>:"/\\|?*…]/gu, ' ').replaceAll(/\s+/g, ' ').trim() || 'conversation';

/** "2026-07-27", in the person's time zone. */
const day = (moment) => moment.toLocaleDateString('sv');

function toMarkdown({ title, personality, messages, now }) {
  const say = (key, values) => text(key, language(), values);
  const parts = [`# ${title}`, say('page-export-about', { title: personality, day: now })];
  for (const message of messages) {
    parts.push(...(message.isQuestion ? questionParts(message, say) : answerParts(message, say)));
  }
  return `${parts.join('\n\n')}\n`;
}

function questionParts({ text: asked, files, at }, say) {
  const facts = [at && say('page-details-asked', { day: at }), files.length && `${say('page-files')}: ${files.join(', ')}`];
  return [`## ${say('page-you')}`, asked, ...facts.filter(Boolean)];
}

function answerParts(answer, say) {
  const { title, model, reason } = answer;
  const facts = [
    model && say('page-details-model', { model }),
    reason === 'length' && say('page-done-length'),
    (reason === 'stopped' || reason === 'failed') && say(answer.isEmpty ? 'page-not-answered' : 'page-interrupted'),
  ];
  return [`## ${say('page-assistant', { title })}`, asMarkdown(answer), ...facts.filter(Boolean)];
}

function toJson({ title, personality, messages, now }) {
  const turns = messages.map((message) => (message.isQuestion ? questionValue(message) : answerValue(message)));
  return `${JSON.stringify({ title, personality, exported_at: now.toISOString(), turns }, null, 2)}\n`;
}

const questionValue = ({ text: asked, files, at }) => ({
  role: 'user',
  text: asked,
  ...(files.length && { attachments: files }),
  ...(at && { at: at.toISOString() }),
});

const answerValue = ({ text: written, sources, reason, model, at }) => ({
  role: 'assistant',
  text: written,
  ...(sources.length && { sources: sources.map(({ type: _type, ...source }) => source) }),
  ...(reason && { reason }),
  ...(model && { model }),
  ...(at && { at: at.toISOString() }),
});
