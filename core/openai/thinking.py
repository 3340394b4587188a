"""Separates the thinking that some models write before an answer from the answer. Pure.

Thinking starts at the beginning of the text, after blanks only, and lasts from `<think>` to the first `</think>`.
Elsewhere these marks are ordinary text. Marks of other model families are not supported.
"""

from __future__ import annotations

OPEN, CLOSE = "<think>", "</think>"


class ThinkingFilter:
    """Takes an answer's text in any chunks and returns the text without its thinking."""

    def __init__(self) -> None:
        self.begun = False  # the model thought; an empty block, which switches thinking off, does not count
        self._step = self._before
        self._pending = ""

    def feed(self, text: str) -> str:
        return self._step(text)

    def end(self) -> str:
        """Return pending text that turned out to belong to the answer."""
        return self._pending if self._step == self._before else ""

    def _before(self, text: str) -> str:
        self._pending += text
        start = self._pending.lstrip()
        if start.startswith(OPEN):
            self._step, self._pending = self._inside, ""
            return self._inside(start.removeprefix(OPEN))
        if OPEN.startswith(start):
            return ""
        self._step = self._after
        return self._pending

    def _inside(self, text: str) -> str:
        thought, closed, answer = (self._pending + text).partition(CLOSE)
        keep = 0 if closed else overlap(thought, CLOSE)
        self.begun = self.begun or bool(thought[: len(thought) - keep].strip())
        self._pending = thought[len(thought) - keep :]
        if not closed:
            return ""
        self._step = self._between
        return self._between(answer)

    def _between(self, text: str) -> str:
        """Drop the blank lines between thinking and answer."""
        text = text.lstrip()
        if text:
            self._step = self._after
        return text

    def _after(self, text: str) -> str:
        return text


def overlap(text: str, stop: str) -> int:
    """Return how many characters at the end of `text` begin `stop` without completing it."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
