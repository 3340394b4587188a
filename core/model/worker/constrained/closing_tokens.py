"""Ranks a vocabulary's tokens by how fast they complete a JSON document, and searches for a short way to its end.

Knows no llguidance: it uses the grammar through `GrammarMatcher`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.model.worker.constrained.json_tracker import JsonTracker

SEARCH_STEPS = 256  # 0.1 ms each; a document that needs more is not completed early
FILLER_CHARS = 8  # preferred length of filler in a string with a minimum length: words, not the longest token
COMMON_TOKENS = 256  # of the best rank: mostly one of them is allowed
NEVER = 2**30


class GrammarMatcher(Protocol):
    """A document's position in its grammar (`core.model.worker.constrained.grammar.JsonMatcher`)."""

    def copy(self) -> GrammarMatcher: ...
    def allows(self, token: int) -> bool: ...
    def count_allowed(self, tokens: Sequence[int]) -> int: ...
    def allowed(self) -> NDArray[np.bool_]: ...
    def accept(self, *tokens: int) -> list[int]: ...
    def forced_bytes(self) -> bytes: ...
    def consume(self, tokens: Sequence[int]) -> bool: ...
    def ends_by(self, tokens: Sequence[int]) -> bool: ...
    @property
    def complete(self) -> bool: ...
    @property
    def may_end(self) -> bool: ...


class ClosingTokens:
    """The ranks of one vocabulary. Built once per model."""

    def __init__(self, pieces: Sequence[bytes], end: frozenset[int]) -> None:
        self.pieces = pieces
        self.end = end
        self.quote = pieces.index(b'"') if b'"' in pieces else None
        self._outside = in_order([outside_rank(piece) for piece in pieces])
        self._inside = in_order([inside_rank(piece) for piece in pieces])

    def best(self, allowed: NDArray[np.bool_], inside: bool) -> int | None:
        """Returns the allowed token with the best rank; None if no token is allowed."""
        order = self._inside if inside else self._outside
        for tokens in (order[:COMMON_TOKENS], order):
            found = np.flatnonzero(allowed[tokens])
            if len(found):
                return int(tokens[found[0]])
        return None

    def find_completion(self, document: GrammarMatcher, text: JsonTracker, limit: int) -> list[int] | None:
        """Returns at most `limit` tokens that complete the document; None if this greedy search finds none."""
        document, text = document.copy(), text.copy()
        path: list[int] = []
        for _step in range(SEARCH_STEPS):
            if document.may_end or len(path) > limit:
                break
            token = self.best(document.allowed(), text.inside)
            if token is None:
                return None
            for consumed in (token, *document.accept(token)):
                path.append(consumed)
                text.feed(self.pieces[consumed])
        return path if document.may_end and len(path) <= limit else None


def in_order(ranks: Sequence[int]) -> NDArray[np.intp]:
    """Returns the tokens with a rank, the best first."""
    order = np.argsort(ranks, kind="stable")
    return order[: sum(rank < NEVER for rank in ranks)]


def outside_rank(piece: bytes) -> int:
    """Ranks a token outside of strings: closing brackets, then the shortest values, then the rest."""
    if not piece:
        return NEVER
    if all(byte in b"]}" for byte in piece):
        return 20 - min(len(piece), 19)
    if piece in (b'""', b"[]", b"{}", b"0", b"1", b"true", b"false", b"null"):
        return 30
    return {b",": 40, b":": 41, b'"': 50}.get(piece, 60 if piece.isdigit() else 100)


def inside_rank(piece: bytes) -> int:
    """Ranks a token inside of a string: closing quotes, then letters up to FILLER_CHARS."""
    if not piece:
        return NEVER
    if piece[:1] == b'"':
        rest = piece[1:]
        return 20 - min(len(piece), 19) if all(byte in b"]}" for byte in rest) else 40 + len(piece)
    if piece.isalnum():
        return 200 - min(len(piece), FILLER_CHARS)
    return 1000 + len(piece)
