/** The worker that reads the Markdown of all answers, so that no text can block the page.
 *
 * It gets {id, first, text, isNew, isComplete}: more text of the answer `id`, after `first` settled blocks if it is new.
 * It posts {patches} one or more times, in slices that take a bounded time to draw, and then {isLast, settled,
 * language}. `isLost`: it does not know the answer, because it has taken over from another worker.
 */

import { AnswerText } from './answer_text.js';
import { Blocks } from './blocks.js';
import { Colours } from './colours.js';
import { inSlices } from './diff.js';
import { GrowingDocument } from './document.js';
import { Inline } from './inline.js';

const marks = new URL(self.location.href).searchParams.getAll('mark');
const colours = new Colours();
const blocks = new Blocks(new Inline(new AnswerText(marks)), (code, language) => colours.parts(code, language));
const documents = new Map();

self.addEventListener('message', async ({ data }) => {
  const { id, first, text, isNew, isComplete } = data;
  if (isNew) documents.set(id, new GrowingDocument(blocks, first));
  const answer = documents.get(id);
  if (!answer) {
    self.postMessage({ isLast: true, isLost: true });
    return;
  }
  await colours.load(text);
  const patches = answer.add(text);
  if (isComplete) {
    patches.push(...answer.finish());
    documents.delete(id);
  }
  for (const slice of inSlices(patches)) self.postMessage({ patches: slice });
  self.postMessage({ isLast: true, settled: answer.settled, language: answer.language });
});

self.postMessage({ isReady: true });
