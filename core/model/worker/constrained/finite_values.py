"""Finds all values that a grammar allows at a place, if they are few: an enumeration, a constant, a small integer.

Walks the grammar byte by byte, so that it needs no schema and no tokenization. Knows no logits and no model.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.model.worker.constrained.closing_tokens import ClosingTokens, GrammarMatcher
from core.model.worker.constrained.json_tracker import BACKSLASH, NUMBER_BYTES, NUMBER_START, QUOTE

VALUES_LIMIT = 64
VALUE_BYTES = 128  # a longer value is drawn token by token
# What none of these sequences of characters may follow allows few values; any text, number or code allows one.
OPEN_PROBES = (b"7777", b"qq", b"QQ", b" ~")
LITERALS = (b"true", b"false", b"null")
NO_BYTE = 0  # the first byte of control tokens, which have no text


@dataclass(frozen=True, slots=True)
class FiniteValue:
    """The bytes of a value from here on: without the closing quote, and perhaps with a blank before it.

    `open`: a longer value begins with these bytes, so that the grammar does not force this one to end.
    """

    text: bytes
    open: bool = False


class FiniteValues:
    """Enumerates values over one vocabulary. Built once per model."""

    def __init__(self, closing: ClosingTokens, tokenize: Callable[[bytes], list[int]]) -> None:
        self._pieces = closing.pieces
        self.tokenize = tokenize
        self._by_byte: dict[int, int] = {}
        for token, piece in enumerate(closing.pieces):
            if len(piece) == 1:
                self._by_byte.setdefault(piece[0], token)
        self.first_bytes = np.array([piece[0] if piece else 0 for piece in closing.pieces], np.uint8)
        self._probes = [[self._by_byte[b] for b in probe if b in self._by_byte] for probe in OPEN_PROBES]

    def find(
        self, document: GrammarMatcher, inside: bool, likely: Callable[[NDArray[np.bool_]], Container[int]]
    ) -> list[FiniteValue] | None:
        """Returns the values that may stand here; None if they are too many, or not only scalars.

        `inside`: a string has just begun. `likely`: of the first tokens that may follow, the first bytes that are
        worth looking at.
        """
        texts: list[bytes] = []
        # Breadth first: too many values are noticed early.
        waiting = deque([ValueWalk(document.copy(), self._by_byte, b"", inside)])
        while waiting:
            walk = waiting.popleft()
            if not walk.follow_forced():
                return None
            if walk.ended:
                texts.append(walk.text)
                continue
            if self._is_open(walk.document):
                return None
            allowed = walk.document.allowed()
            first = set(np.flatnonzero(np.bincount(self.first_bytes[allowed], minlength=256)).tolist())
            following = walk.going_on(first)
            if walk.at_start:
                kept = likely(allowed)
                following = [byte for byte in following if byte in kept]
            if walk.may_end(first):
                texts.append(walk.text)
            for byte in following:
                if (branch := walk.branch(byte)) is None:
                    return None
                waiting.append(branch)
            if len(texts) + len(waiting) > VALUES_LIMIT:
                return None
        return mark_open(texts)

    def _is_open(self, document: GrammarMatcher) -> bool:
        """Tells whether many values are allowed here. Takes some microseconds; a mask takes a hundred times as long."""
        return any(document.count_allowed(probe) == len(probe) for probe in self._probes)


class ValueWalk:
    """One way into the values of a grammar."""

    def __init__(
        self,
        document: GrammarMatcher,
        by_byte: dict[int, int],
        text: bytes,
        inside: bool,
        escaped: bool = False,
    ) -> None:
        self.document = document
        self.text = text
        self.ended = False
        self.at_start = text == b""
        self._by_byte = by_byte
        self._inside = inside
        self._escaped = escaped

    @property
    def _bare(self) -> bytes:
        return self.text.lstrip()

    @property
    def _is_number(self) -> bool:
        return not self._inside and self._bare != b"" and self._bare[0] in NUMBER_START

    def follow_forced(self) -> bool:
        """Goes on as far as the grammar leaves no choice. False: this is no scalar, or it is too long."""
        for byte in self.document.forced_bytes():
            if self._ends_before(byte):
                self.ended = True
                return True
            if not self._consume(byte):
                return False
        if not self._inside and self._bare in LITERALS:
            self.ended = True
        return True

    def going_on(self, following: set[int]) -> list[int]:
        """Returns those of the bytes that may follow with which the value goes on."""
        return sorted(byte for byte in following if byte != NO_BYTE and not self._ends_before(byte))

    def may_end(self, following: set[int]) -> bool:
        """Tells whether the value may end where others go on."""
        if self._inside:
            return not self._escaped and QUOTE in following
        return self._is_number and any(byte not in NUMBER_BYTES for byte in following)

    def branch(self, byte: int) -> ValueWalk | None:
        twin = ValueWalk(self.document.copy(), self._by_byte, self.text, self._inside, self._escaped)
        return twin if twin._consume(byte) else None

    def _ends_before(self, byte: int) -> bool:
        """Tells whether the value is over if this byte follows."""
        if self._inside:
            return byte == QUOTE and not self._escaped
        if self._is_number:
            return byte not in NUMBER_BYTES
        return self._bare in LITERALS

    def _consume(self, byte: int) -> bool:
        begins = not self._inside and not self._bare
        if byte not in self._by_byte or len(self.text) >= VALUE_BYTES or (begins and byte in b"[{]}"):
            return False
        if not self.document.consume([self._by_byte[byte]]):
            return False
        self._escaped = self._inside and not self._escaped and byte == BACKSLASH
        self._inside = self._inside or byte == QUOTE
        self.text += bytes([byte])
        self.at_start = False
        return True


def mark_open(texts: Sequence[bytes]) -> list[FiniteValue]:
    return [
        FiniteValue(text, any(other != text and other.startswith(text) for other in texts)) for text in sorted(texts)
    ]
