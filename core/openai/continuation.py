"""Joins a begun answer and its continuation, so that no text appears twice. Pure.

An engine that has no field for it is asked in words to continue, and to begin with the last words of the begun text:
they show where the continuation joins it, also within a word. Such models may as well repeat the whole text, or go on
without the last words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from core.openai.chat_protocol import StreamEvent, StreamFinished, TextDelta

LAST_WORDS = 6  # that the engine is asked to begin with
WHOLE_MIN_CHARS = 24  # a shorter text may truly occur twice
WORD_START = re.compile(r"(?<!\S)\S")
OPENINGS = "…. \t\n"  # models put an ellipsis in front of what they continue
NO_BLANK_AFTER = ("-", "'", "’", "(", "[", "«", "“", "/")


def last_words(text: str) -> str:
    """The end of the text from the start of a word: LAST_WORDS words, fewer if the text has fewer."""
    starts = [match.start() for match in WORD_START.finditer(text)]
    return text[starts[-LAST_WORDS] :] if len(starts) >= LAST_WORDS else text[starts[0] :] if starts else ""


class JoinFilter:
    """Takes the continuation of `begun` in any chunks, and returns what is new of it.

    `is_prompted`: the engine was asked in words to continue. Otherwise only a repetition of the whole text is dropped,
    since an answer may rightly repeat its last words.
    """

    def __init__(self, begun: str, *, is_prompted: bool) -> None:
        self._begun = begun
        self._is_prompted = is_prompted
        self._pending: str | None = ""  # None: decided

    def feed(self, text: str) -> str:
        if self._pending is None:
            return text
        self._pending += text
        return "" if self._is_undecided(self._pending) else self.end()

    def end(self) -> str:
        """Returns the text that waited for a decision."""
        pending, self._pending = self._pending or "", None
        return self._join(pending) if self._is_prompted else self._without_whole(pending)

    def _is_undecided(self, pending: str) -> bool:
        """True if more text may show that `pending` repeats the begun text."""
        if not self._is_prompted:
            return len(self._begun) >= WHOLE_MIN_CHARS and self._begun.startswith(pending) and pending != self._begun
        repeated = pending.lstrip(OPENINGS)
        return repeated in self._begun

    def _without_whole(self, pending: str) -> str:
        return pending.removeprefix(self._begun) if len(self._begun) >= WHOLE_MIN_CHARS else pending

    def _join(self, pending: str) -> str:
        repeated = pending.lstrip(OPENINGS)
        if overlap := self._overlap(repeated):
            return repeated[overlap:]
        if not repeated or pending[0].isspace() or not needs_blank(self._begun, pending):
            return pending
        return f" {pending}"

    def _overlap(self, repeated: str) -> int:
        """The characters at the start of `repeated` with which the begun text ends, from the start of a word."""
        required = min(len(last_words(self._begun).split()), 2)
        for start in (match.start() for match in WORD_START.finditer(self._begun)):
            end = self._begun[start:]
            if len(end.split()) >= required and repeated.startswith(end):
                return len(end)
        return 0


def needs_blank(begun: str, continuation: str) -> bool:
    """True if the two texts are words that would run together."""
    return begun[-1:].strip() != "" and not begun.endswith(NO_BLANK_AFTER) and continuation[:1].isalnum()


def join_events(join: JoinFilter | None, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
    """Yields the events with the texts that `join` lets through; all of them if it is None."""
    for event in events:
        if join is None:
            yield event
            continue
        if isinstance(event, TextDelta):
            if text := join.feed(event.text):
                yield TextDelta(text)
            continue
        if isinstance(event, StreamFinished) and (text := join.end()):
            yield TextDelta(text)
        yield event
