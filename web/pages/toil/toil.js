/** The playground for answers as JSON: connects its parts. */

import { serviceUrl } from '../browser/service.js';
import { load, store } from '../browser/storage.js';
import { chooseLanguage, language, otherLanguage, preferredLanguage, say, setLanguage } from '../interface/language.js';
import { text } from '../interface/texts.js';
import { fetchDescriptions } from '../personality/chooser.js';
import { Batch } from './batch.js';
import { copyOnClick } from './copying.js';
import { History } from './history.js';
import { fillPersonalities } from './personality_select.js';
import { asCurl, asPython } from './request_code.js';
import { toilUrl } from './requests.js';
import { TaskRun } from './run.js';
import { SchemaReport } from './schema_report.js';

const DRAFT = 'toil-draft'; // of this tab, so that a reload loses nothing
const FIELDS = ['prompt', 'text', 'schema'];

const $ = (id) => document.getElementById(id);
const named = (...ids) => Object.fromEntries(ids.map((id) => [id, $(id)]));

let personality = 'whisper';
let examples = [];

const draft = JSON.parse(load('sessionStorage', DRAFT) || 'null');
const readTask = () => Object.fromEntries(FIELDS.map((id) => [id, $(id).value]));
const report = new SchemaReport($('schema'), () => personality, named('verdict', 'place', 'keywords'));
const history = new History({ box: $('history'), forget: $('forget') }, restore);
const run = new TaskRun(
  { section: $('result'), status: $('result-status'), detail: $('result-detail'), value: $('value'), copy: $('copy-value'), run: $('run'), stop: $('stop') },
  (task, value) => history.add({ ...task, value }),
);

function fill(task) {
  for (const id of FIELDS) $(id).value = task[id];
  onTaskChange();
  report.update();
}

/** A task of the history, with the value that it had. */
function restore(entry) {
  fill(entry);
  run.show(entry.value, 'page-toil-restored', { moment: entry.at });
  $('prompt').focus();
}

function onTaskChange() {
  store('sessionStorage', DRAFT, JSON.stringify(readTask()));
  if ($('program').open) showProgram();
}

function showProgram() {
  const url = toilUrl(personality).href;
  $('curl').textContent = asCurl(url, readTask());
  try {
    $('python').textContent = asPython(url, readTask());
  } catch {
    $('python').textContent = `# ${text('page-toil-not-json', language())}`;
  }
}

async function showExamples() {
  const response = await fetch(new URL(`./examples/${language()}.json`, import.meta.url));
  examples = await response.json();
  $('example').replaceChildren(...examples.map(({ title }, index) => new Option(title, index)));
  $('example').lang = language();
}

/** The chosen example. Its schema is written as a person would, with two spaces. */
function useExample() {
  const { prompt, text: example, schema } = examples[$('example').value || 0];
  fill({ prompt, text: example, schema: JSON.stringify(schema, null, 2) });
}

function onLanguageChange() {
  document.title = text('page-toil-title', language());
  say($('language'), 'page-other-language').lang = otherLanguage();
  history.translate();
  if ($('program').open) showProgram();
}

function submitOnKeys(event) {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !$('run').hidden) $('task').requestSubmit();
}

document.addEventListener('languagechange', onLanguageChange);
setLanguage(preferredLanguage());
$('language').addEventListener('click', () => {
  chooseLanguage(otherLanguage());
  showExamples();
});
$('use').addEventListener('click', useExample);
$('task').addEventListener('input', onTaskChange);
$('task').addEventListener('keydown', submitOnKeys);
$('task').addEventListener('submit', (event) => {
  event.preventDefault();
  run.start(personality, readTask());
});
$('program').addEventListener('toggle', showProgram);
copyOnClick($('copy-value'), $('copied'), () => $('value').textContent);
copyOnClick($('copy-curl'), $('copied'), () => $('curl').textContent);
copyOnClick($('copy-python'), $('copied'), () => $('python').textContent);
const batchParts = 'rows csv batch file column start cancel bar progress failures downloads as-csv as-ndjson batch-status';
new Batch(named(...batchParts.split(' ')), () => ($('prompt').value.trim() ? { personality, ...readTask() } : null));

await showExamples();
const personalities = await fetchDescriptions(() => say($('verdict'), 'page-starting'));
document.querySelector('.choice').hidden = false;
fillPersonalities($('personality'), personalities, (chosen) => {
  personality = chosen;
  $('chat').href = serviceUrl(`?personality=${encodeURIComponent(personality)}`);
  onTaskChange();
});
if (draft?.prompt) fill(draft);
else useExample();
