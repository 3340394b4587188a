"""Chooses tokens under a JSON grammar so that the document is complete before its token budget ends.

A weak model writes strings and arrays without end, and half a document is useless. Two rules prevent that. A string may
take at most half of the remaining budget. When the budget gets short, a token is rejected if the document could not be
completed after it. The document is then completed at once, along the shortest way that a simple search finds.

Knows no llguidance: it uses the grammar through `GrammarMatcher`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.model.worker.sequence import PickToken

REVIEW_TOKENS = 64  # interval between searches for a completion while the budget is large
SEARCH_STEPS = 256  # 0.1 ms each; a document that needs more is not completed early
MARGIN_TOKENS = 64  # one token rarely lengthens the completion by more
FILLER_CHARS = 8  # preferred length of filler in a string with a minimum length: words, not the longest token
NEVER = np.int32(2**30)


class GrammarMatcher(Protocol):
    """A document's position in its grammar (`core.model.worker.grammar.JsonMatcher`)."""

    def copy(self) -> GrammarMatcher: ...
    def allows(self, token: int) -> bool: ...
    def allowed(self) -> NDArray[np.bool_]: ...
    def accept(self, token: int) -> list[int]: ...
    def ends_by(self, tokens: Sequence[int]) -> bool: ...
    @property
    def complete(self) -> bool: ...
    @property
    def may_end(self) -> bool: ...


class StringTracker:
    """Tracks whether a JSON text is inside a string, and counts the strings, piece by piece."""

    def __init__(self, inside: bool = False, escaped: bool = False) -> None:
        self.inside = inside
        self.strings = 0
        self._escaped = escaped

    def feed(self, data: bytes) -> None:
        for byte in data:
            if self._escaped:
                self._escaped = False
            elif byte == ord("\\"):
                self._escaped = self.inside
            elif byte == ord('"'):
                self.inside = not self.inside
                self.strings += self.inside

    def copy(self) -> StringTracker:
        return StringTracker(self.inside, self._escaped)


class ClosingTokens:
    """Ranks a vocabulary's tokens by how fast they complete a document. Built once per model."""

    def __init__(self, pieces: Sequence[bytes], end: frozenset[int]) -> None:
        self.pieces = pieces
        self.end = end
        self.quote = pieces.index(b'"') if b'"' in pieces else None
        self._outside = np.array([outside_rank(piece) for piece in pieces], np.int32)
        self._inside = np.array([inside_rank(piece) for piece in pieces], np.int32)

    def best(self, allowed: NDArray[np.bool_], inside: bool) -> int | None:
        """Returns the allowed token with the best rank; None if no token is allowed."""
        ranks = np.where(allowed, self._inside if inside else self._outside, NEVER)
        token = int(ranks.argmin())
        return token if ranks[token] < NEVER else None

    def find_completion(self, document: GrammarMatcher, strings: StringTracker, limit: int) -> list[int] | None:
        """Returns at most `limit` tokens that complete the document; None if this greedy search finds none."""
        document, strings = document.copy(), strings.copy()
        path: list[int] = []
        for _step in range(SEARCH_STEPS):
            if document.may_end or len(path) > limit:
                break
            token = self.best(document.allowed(), strings.inside)
            if token is None:
                return None
            for consumed in (token, *document.accept(token)):
                path.append(consumed)
                strings.feed(self.pieces[consumed])
        return path if document.may_end and len(path) <= limit else None


def outside_rank(piece: bytes) -> int:
    """Ranks a token outside of strings: closing brackets, then the shortest values, then the rest."""
    if not piece:
        return int(NEVER)
    if all(byte in b"]}" for byte in piece):
        return 20 - min(len(piece), 19)
    if piece in (b'""', b"[]", b"{}", b"0", b"1", b"true", b"false", b"null"):
        return 30
    return {b",": 40, b":": 41, b'"': 50}.get(piece, 60 if piece.isdigit() else 100)


def inside_rank(piece: bytes) -> int:
    """Ranks a token inside of a string: closing quotes, then letters up to FILLER_CHARS."""
    if not piece:
        return int(NEVER)
    if piece[:1] == b'"':
        rest = piece[1:]
        return 20 - min(len(piece), 19) if all(byte in b"]}" for byte in rest) else 40 + len(piece)
    if piece.isalnum():
        return 200 - min(len(piece), FILLER_CHARS)
    return 1000 + len(piece)


class ConstrainedDecoder:
    """Chooses the tokens of one document within its budget."""

    def __init__(self, document: GrammarMatcher, closing: ClosingTokens) -> None:
        self._document = document
        self._closing = closing
        self._strings = StringTracker()
        self._string_limit: int | None = None  # remaining budget at which the open string must close
        self._completion: list[int] | None = None  # tokens that complete the document from here
        self._short_below = 0  # remaining budget under which each token is checked
        self._since_review = REVIEW_TOKENS
        self.complete = False

    def choose(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> list[int]:
        """Returns a token with the forced ones, or all that complete the document. `budget`: tokens left, from 1."""
        if budget <= self._short_below or self._since_review >= REVIEW_TOKENS:
            self._review(budget)
        token = self._sample(pick, logits, budget)
        if token in self._closing.end:
            self.complete = True
            return [token]
        short = self._completion is not None and budget <= self._short_below
        document = self._document.copy() if short else self._document
        tokens = [token, *document.accept(token)]
        if short and not self._can_complete(document, tokens, budget - len(tokens)):
            return self._end()
        self._document = document
        self._record(tokens, budget)
        return tokens

    def _sample(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> int:
        quote = self._closing.quote
        over = self._string_limit is not None and budget <= self._string_limit
        if over and quote is not None and self._document.allows(quote):
            return quote
        token = pick(logits)
        # Sample first and mask only after a rejection: the distribution is the same, and a mask costs 100 times more.
        if self._document.allows(token):
            return token
        return pick(np.where(self._document.allowed(), logits, np.float32(-np.inf)))

    def _review(self, budget: int) -> None:
        """Searches for a completion unless the known one is still valid."""
        self._since_review = 0
        if self._completion is None or len(self._completion) > budget or not self._document.ends_by(self._completion):
            self._completion = self._closing.find_completion(self._document, self._strings, budget)
        self._short_below = 2 * len(self._completion) + MARGIN_TOKENS if self._completion is not None else 0

    def _can_complete(self, document: GrammarMatcher, tokens: list[int], budget: int) -> bool:
        """Tells whether the document with these tokens can be completed; remembers the completion."""
        if document.complete:
            return budget >= 0
        if self._completion is not None and len(self._completion) <= budget and document.ends_by(self._completion):
            return True
        strings = self._strings.copy()
        for token in tokens:
            strings.feed(self._closing.pieces[token])
        completion = self._closing.find_completion(document, strings, budget)
        if completion is not None:
            self._completion = completion
        return completion is not None

    def _end(self) -> list[int]:
        assert self._completion is not None
        self.complete = True
        return self._completion

    def _record(self, tokens: list[int], budget: int) -> None:
        self.complete = self._document.complete or (len(tokens) >= budget and self._document.may_end)
        self._since_review += len(tokens)
        for token in tokens:
            before = self._strings.strings
            self._strings.feed(self._closing.pieces[token])
            if not self._strings.inside:
                self._string_limit = None
            elif self._strings.strings > before:  # one token can close a string and open the next
                self._string_limit = budget // 2
