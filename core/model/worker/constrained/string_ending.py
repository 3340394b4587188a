"""Decides where a long string ends, so that neither a limit nor a loop cuts it in the middle of a word.

A string has two limits: the characters that its schema allows, and its share of the token budget. When one comes near,
the string ends after a sentence, if another one like those before would not fit; else after a word. A string that
repeats itself ends too. Strings that are short, or that a pattern describes, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.model.worker.constrained.closing_tokens import GrammarMatcher

PROSE_BYTES = 24  # a shorter string is a name or a code
WORD_CHARS = 6  # room for the rest of a word whose first token is being written
SENTENCE_SLACK = 1.25  # a further sentence needs this much room, of the mean length of those before
NEAR_TOKENS = 8
NEAR_CHARS = 32
GRACE_TOKENS = 8  # for the rest of a word beyond a string's share of the budget
LOOP_BYTES = 64  # a text that repeats itself is a loop from this length on,
LOOP_TIMES = 3  # and this often
LOOP_KEY_BYTES = 24
LOOP_REACH_BYTES = 1024
ASCII = 127
SENTENCE_END = re.compile(rb"[^\W\d]{2,}[.!?]+[)\"'\xbb]*(?=\s|$)")
FILLER = b"a"
FILLERS = 128  # characters that one question to the grammar covers
FILLERS_RENEWED = 64


class OpenString:
    """One string while it is written. `budget`: tokens left at its beginning. It leaves half of them to others."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self.reserve_for(budget // 2)

    def reserve_for(self, tokens: int) -> None:
        """Sets the number of tokens that it must leave."""
        self._reserve = tokens
        self._grace = min(GRACE_TOKENS, tokens // 2)

    def ends_before(self, piece: bytes, content: bytes, budget: int, room: int | None) -> bool:
        """Tells whether the string should end instead of going on with `piece`. `room`: characters; None: enough."""
        if budget <= self._reserve - self._grace:
            return True
        loop = looping_part(content)
        if not starts_word(piece):
            return bool(loop) and not any(chr(byte).isspace() for byte in loop)  # as in 0.22.22.22
        if loop or budget <= self._reserve:
            return True
        if room is not None and room < len(piece) + WORD_CHARS:
            return True
        return self._lacks_room_for_a_sentence(content, budget, room)

    def _lacks_room_for_a_sentence(self, content: bytes, budget: int, room: int | None) -> bool:
        if content[-1:] not in b".!?)\"'\xbb":
            return False
        ends = [match.end() for match in SENTENCE_END.finditer(content)]
        if not ends or ends[-1] < len(content):
            return False
        tokens_like_before = SENTENCE_SLACK * (self._budget - budget) / len(ends)
        chars_like_before = SENTENCE_SLACK * len(content) / len(ends)
        return budget - self._reserve < tokens_like_before or (room is not None and room < chars_like_before)

    def should_finish(self, piece: bytes, content: bytes, budget: int, room: int | None) -> bool:
        """Tells whether a sentence that could end here should, because the limit is near: before a word or a comma."""
        near = budget - self._reserve < NEAR_TOKENS or (room is not None and room < NEAR_CHARS)
        at_border = starts_word(piece) or piece[:1] in (b",", b";")
        return near and at_border and len(content) >= PROSE_BYTES and chr(content[-1]).isalnum()


class StringRoom:
    """Measures how many characters a string may still take. The grammar knows, and is asked once in 64 characters."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._filler = pieces.index(FILLER) if FILLER in pieces else None
        self.reset()

    def reset(self) -> None:
        """Begins a new string."""
        self._known: int | None = None  # characters, at `_asked_at` bytes
        self._asked_at = 0
        self._bounded = False  # `_known` is all there is
        self._fixed = self._filler is None  # no prose: a pattern decides

    def measure(self, document: GrammarMatcher, written: int) -> int | None:
        """Returns the characters that may follow `written` bytes; None if they are many, or not for any letter."""
        if written < PROSE_BYTES or self._fixed:
            return None
        left = -1 if self._known is None else self._known - (written - self._asked_at)
        if not self._bounded and left < FILLERS_RENEWED:
            left = self._ask(document, written)
        return left if self._bounded and not self._fixed else None

    def _ask(self, document: GrammarMatcher, written: int) -> int:
        assert self._filler is not None
        left = document.count_allowed([self._filler] * FILLERS)
        self._fixed = left == 0 and self._known is None
        self._known, self._asked_at, self._bounded = left, written, left < FILLERS
        return left


def starts_word(piece: bytes) -> bool:
    return piece[:1].isspace() or piece[:2] == b"\\n"


def looping_part(text: bytes, least: int = LOOP_BYTES) -> bytes:
    """Returns the phrase with which a text ends LOOP_TIMES or more times over, `least` bytes of it; b"" if none."""
    if len(text) < least:
        return b""
    text = text[-LOOP_REACH_BYTES:]
    before = text.rfind(text[-LOOP_KEY_BYTES:], 0, len(text) - 1)
    if before < 0:
        return b""
    period = len(text) - LOOP_KEY_BYTES - before
    repeated = max(LOOP_TIMES * period, least)
    loops = len(text) >= repeated and text[-repeated:-period] == text[-repeated + period :]
    phrase = text[-period:]
    return phrase if loops and any(byte > ASCII or chr(byte).isalnum() for byte in phrase) else b""  # no line of dashes
