/** Moves the focus from message to message. Screen readers then read on from the message's heading. */

/** Moves `offset` messages on. Without the focus in a message, a step back begins at the last one. */
export function stepThroughMessages(list, offset) {
  const messages = [...list.children];
  const current = messages.findIndex((each) => each.contains(document.activeElement));
  const start = current < 0 && offset > 0 ? firstInView(messages) - 1 : current;
  const from = start < 0 && offset < 0 ? messages.length : start;
  const message = messages[Math.min(messages.length - 1, Math.max(0, from + offset))];
  if (message) focusOn(message);
}

function firstInView(messages) {
  const found = messages.findIndex((each) => each.getBoundingClientRect().bottom > 0);
  return found < 0 ? messages.length - 1 : found;
}

function focusOn(message) {
  const heading = message.querySelector('h3') ?? message;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  message.scrollIntoView({ block: 'start', behavior: 'instant' });
}
