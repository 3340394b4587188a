"""Tells the thinking that some models write in front of an answer from the answer itself. Pure.

Only at the very start, after nothing but blanks: from `<think>` up to the first `</think>`. Anywhere else these are
text like any other. The marks of other families of models are not known here.
"""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


class ThinkingFilter:
    """Feed it an answer's text as it comes, in any pieces; it gives what of it people are to see."""

    def __init__(self) -> None:
        self.begun = False  # something was thought; the empty block of a model that was told not to think is nothing
        self._step = self._before
        self._held = ""

    def feed(self, text: str) -> str:
        return self._step(text)

    def end(self) -> str:
        """What was held back and is an answer after all."""
        return self._held if self._step == self._before else ""

    def _before(self, text: str) -> str:
        self._held += text
        begun = self._held.lstrip()
        if begun.startswith(OPEN):
            self._step, self._held = self._inside, ""
            return self._inside(begun.removeprefix(OPEN))
        if OPEN.startswith(begun):
            return ""
        self._step = self._after
        return self._held

    def _inside(self, text: str) -> str:
        thought, closed, answer = (self._held + text).partition(CLOSE)
        kept = 0 if closed else overlap(thought, CLOSE)
        self.begun = self.begun or bool(thought[: len(thought) - kept].strip())
        self._held = thought[len(thought) - kept :]
        if not closed:
            return ""
        self._step = self._between
        return self._between(answer)

    def _between(self, text: str) -> str:
        """Blank lines divide the thinking from the answer."""
        text = text.lstrip()
        if text:
            self._step = self._after
        return text

    def _after(self, text: str) -> str:
        return text


def overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop` without completing it."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
