"""Brings a JSON document to a valid end before its token budget is gone.

A weak model rambles: in a string without a bound, in an array without an end. Left alone it would use up its budget in
the middle, and half a document is worth nothing. So two rules hold while it writes. A string may take at most half of
what is left of the budget. And once the budget gets short, no token is taken after which the document could not be
ended any more; when the model wants such a token, the document is ended at once, as briefly as is easily found.

Knows the grammar by three questions (what is allowed, what is forced, is it whole) and no llguidance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.model.sequence import PickToken

REVIEW_TOKENS = 64  # how often the way to the end is looked at while there is budget
SEARCH_STEPS = 256  # 0.1 ms each; a document that takes more to end is left to the model and its budget
MARGIN_TOKENS = 64  # one token rarely adds more than this to the way to the end
FILLER_CHARS = 8  # of a string that has to be longer than what is said; words, not the longest token there is
NEVER = np.int32(2**30)


class GrammarMatcher(Protocol):
    """What was written so far, as its grammar sees it (`core.model.grammar`)."""

    def copy(self) -> GrammarMatcher: ...
    def allows(self, token: int) -> bool: ...
    def allowed(self) -> NDArray[np.bool_]: ...
    def accept(self, token: int) -> list[int]: ...
    def ends_by(self, tokens: Sequence[int]) -> bool: ...
    @property
    def whole(self) -> bool: ...
    @property
    def may_end(self) -> bool: ...


class StringTracker:
    """Whether a JSON text, fed in pieces, is inside a string now, and of how many it was."""

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
    """A vocabulary's tokens in the order in which they are tried to end a document; made once a model."""

    def __init__(self, pieces: Sequence[bytes], end: frozenset[int]) -> None:
        self.pieces = pieces
        self.end = end
        self.quote = pieces.index(b'"') if b'"' in pieces else None
        self._outside = np.array([outside_rank(piece) for piece in pieces], np.int32)
        self._inside = np.array([inside_rank(piece) for piece in pieces], np.int32)

    def next(self, allowed: NDArray[np.bool_], inside: bool) -> int | None:
        """The allowed token that comes nearest to an end."""
        ranks = np.where(allowed, self._inside if inside else self._outside, NEVER)
        token = int(ranks.argmin())
        return token if ranks[token] < NEVER else None

    def find(self, document: GrammarMatcher, lexer: StringTracker, limit: int) -> list[int] | None:
        """At most `limit` tokens that make the document whole; None if this simple search finds none."""
        document, lexer = document.copy(), lexer.copy()
        path: list[int] = []
        for _step in range(SEARCH_STEPS):
            if document.may_end or len(path) > limit:
                break
            token = self.next(document.allowed(), lexer.inside)
            if token is None:
                return None
            for taken in (token, *document.accept(token)):
                path.append(taken)
                lexer.feed(self.pieces[taken])
        return path if document.may_end and len(path) <= limit else None


def outside_rank(piece: bytes) -> int:
    """Outside of strings: close what is open, else the shortest values, else what leads on."""
    if not piece:
        return int(NEVER)
    if all(byte in b"]}" for byte in piece):
        return 20 - min(len(piece), 19)
    if piece in (b'""', b"[]", b"{}", b"0", b"1", b"true", b"false", b"null"):
        return 30
    return {b",": 40, b":": 41, b'"': 50}.get(piece, 60 if piece.isdigit() else 100)


def inside_rank(piece: bytes) -> int:
    """Inside of a string: close it, else letters, as many as there are in one token."""
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

    def __init__(self, document: GrammarMatcher, endings: ClosingTokens) -> None:
        self._document = document
        self._endings = endings
        self._lexer = StringTracker()
        self._string_limit: int | None = None  # the budget at which the string under way has had its share
        self._ending: list[int] | None = None  # a known way to the end, from here
        self._short_below = 0  # the budget under which every token is looked at
        self._since_review = REVIEW_TOKENS
        self.complete = False

    def choose(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> list[int]:
        """The next tokens: one that is drawn and those that follow from it, or all that end the document.

        `budget`: how many may still be written, at least 1.
        """
        if budget <= self._short_below or self._since_review >= REVIEW_TOKENS:
            self._review(budget)
        token = self._draw(pick, logits, budget)
        if token in self._endings.end:
            self.complete = True
            return [token]
        steered = self._ending is not None and budget <= self._short_below
        document = self._document.copy() if steered else self._document
        tokens = [token, *document.accept(token)]
        if steered and not self._can_end(document, tokens, budget - len(tokens)):
            return self._end()
        self._document = document
        self._written(tokens, budget)
        return tokens

    def _draw(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> int:
        quote = self._endings.quote
        over = self._string_limit is not None and budget <= self._string_limit
        if over and quote is not None and self._document.allows(quote):
            return quote
        token = pick(logits)
        # Try first, mask on refusal: the result is distributed as if masked from the start, and a mask is dear.
        if self._document.allows(token):
            return token
        return pick(np.where(self._document.allowed(), logits, np.float32(-np.inf)))

    def _review(self, budget: int) -> None:
        """Look for a way to the end, unless the one that is known still leads there."""
        self._since_review = 0
        if self._ending is None or len(self._ending) > budget or not self._document.ends_by(self._ending):
            self._ending = self._endings.find(self._document, self._lexer, budget)
        self._short_below = 2 * len(self._ending) + MARGIN_TOKENS if self._ending is not None else 0

    def _can_end(self, document: GrammarMatcher, tokens: list[int], budget: int) -> bool:
        """Whether the document, with these tokens taken, can still be ended; the way is kept for the next step."""
        if document.whole:
            return budget >= 0
        if self._ending is not None and len(self._ending) <= budget and document.ends_by(self._ending):
            return True
        lexer = self._lexer.copy()
        for token in tokens:
            lexer.feed(self._endings.pieces[token])
        found = self._endings.find(document, lexer, budget)
        if found is not None:
            self._ending = found
        return found is not None

    def _end(self) -> list[int]:
        assert self._ending is not None
        self.complete = True
        return self._ending

    def _written(self, tokens: list[int], budget: int) -> None:
        self.complete = self._document.whole or (len(tokens) >= budget and self._document.may_end)
        self._since_review += len(tokens)
        for token in tokens:
            before = self._lexer.strings
            self._lexer.feed(self._endings.pieces[token])
            if not self._lexer.inside:
                self._string_limit = None
            elif self._lexer.strings > before:  # one token may also end one string and begin the next
                self._string_limit = budget // 2
