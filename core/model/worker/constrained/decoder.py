"""Draws the tokens of a JSON document under a grammar, so that it is complete before its budget ends, and says more.

A weak model writes strings, numbers and arrays without end, and half a document is useless. A string or an array may
take at most half of the remaining budget, unless nothing follows it. When the budget gets short, a token is rejected if
the document could not be completed after it. The document is then completed at once, along the shortest way that a
simple search finds. `string_ending`, `number_limits` and `value_choice` decide about single values.

Knows no llguidance: it uses the grammar through `GrammarMatcher`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.model.worker.constrained.closing_tokens import ClosingTokens, GrammarMatcher
from core.model.worker.constrained.finite_values import FiniteValues
from core.model.worker.constrained.joined_brackets import JoinedBrackets
from core.model.worker.constrained.json_tracker import JsonTracker
from core.model.worker.constrained.known_completion import KnownCompletion
from core.model.worker.constrained.number_limits import NumberLimits
from core.model.worker.constrained.string_ending import (
    LOOP_REACH_BYTES,
    PROSE_BYTES,
    OpenString,
    StringRoom,
    looping_part,
)
from core.model.worker.constrained.value_choice import ValueChoice
from core.model.worker.sequence import PickToken

LAST_RESERVE_TOKENS = 16  # that a string or array leaves if nothing follows it
PLAUSIBLE = 2.5  # nats below the drawn token: a sentence, or a number that stands in the prompt, may well end
LIKELY_SHARE = 1e-4  # of the likeliest first byte: values that begin otherwise are not looked at
LOOP_ITEMS_BYTES = 48  # an array whose items repeat themselves ends
COMMA = b","


class DrawingTokens:
    """Facts about a vocabulary's tokens that drawing needs. Built once per model."""

    def __init__(self, closing: ClosingTokens, tokenize: Callable[[bytes], list[int]]) -> None:
        self.closing = closing
        self.pieces = closing.pieces
        self.values = FiniteValues(closing, tokenize)
        self.period = closing.pieces.index(b".") if b"." in closing.pieces else None
        self.bracket = closing.pieces.index(b"]") if b"]" in closing.pieces else None
        first = self.values.first_bytes
        self.number = np.isin(first, np.frombuffer(b"-+.eE0123456789", np.uint8))
        self.quoted = first == ord('"')
        self.joined = JoinedBrackets(closing.pieces)


class ConstrainedDecoder:
    """Chooses the tokens of one document within its budget. `completion`: of the empty document, if it is known."""

    def __init__(
        self,
        document: GrammarMatcher,
        tokens: DrawingTokens,
        limits: NumberLimits | None = None,
        completion: list[int] | None = None,
    ) -> None:
        self._document = document
        self._tokens = tokens
        self._closing = tokens.closing
        self._limits = limits or NumberLimits()
        self._text = JsonTracker()
        self._written = bytearray()
        self._room = StringRoom(tokens.pieces)
        self._string: OpenString | None = None
        self._untouched = False  # the grammar alone wrote what stands in the open string
        self._ends_value = False  # the value that was chosen is complete, and the grammar would allow more
        self._string_is_prose = False
        self._array_limits: list[int] = []  # of the open containers: remaining budget at which an array should end
        self._choice: ValueChoice | None = None
        self._completion = KnownCompletion(tokens.closing, completion)
        self.complete = False

    def begin(self, budget: int) -> list[int]:
        """Writes the tokens with which every document begins, and returns them.

        No tokens if they would be a whole document, or end within a character, or if the budget is too small.
        """
        document = self._document.copy()
        tokens = document.accept()
        text = b"".join(self._tokens.pieces[token] for token in tokens)
        fits = len(tokens) < budget and not document.may_end and is_utf8(text)
        if not fits or not self._can_complete(document, tokens, budget - len(tokens)):
            return []
        self._document = document
        self._record(tokens, 0, budget)
        return tokens

    def choose(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> list[int]:
        """Returns a token with the forced ones, or all that complete the document. `budget`: tokens left, from 1.

        No tokens: a choice among values needs `continuations`; `settle` then returns the tokens.
        """
        if self._completion.is_due(budget):
            self._review(budget)
        self._choice = self._find_choice(logits)
        if self._choice is None:
            return self._advance([self._sample(pick, logits, budget)], budget)
        return [] if self._choice.continuations else self.settle(pick, budget)

    @property
    def continuations(self) -> list[list[int]]:
        """The token sequences whose logits the open choice needs."""
        return self._choice.continuations if self._choice else []

    def settle(self, pick: PickToken, budget: int, logits: list[list[NDArray[np.float32]]] | None = None) -> list[int]:
        """Chooses a value. `logits`: of `continuations`; None: they could not be computed."""
        assert self._choice is not None
        choice, self._choice = self._choice, None
        if logits is not None:
            choice.add(logits)
        tokens, open_ = choice.pick(pick)
        result = self._advance(tokens, budget)
        self._ends_value = open_ and not self.complete
        return result

    def _advance(self, tokens: list[int], budget: int) -> list[int]:
        """Returns the drawn tokens with the forced ones, or those that complete the document if these do not fit."""
        if tokens[-1] in self._closing.end:
            self.complete = True
            return tokens
        known = self._completion
        long = len(tokens) > 1 and budget <= known.short_below + 2 * len(tokens)  # it might skip the last review
        if long:
            self._review(budget)
        short = known.tokens is not None and (long or budget <= known.short_below)
        document = self._document.copy() if short else self._document
        drawn = len(tokens)
        tokens = [*tokens, *document.accept(*tokens)]
        if not short:
            known.count(len(tokens))
        elif not self._can_complete(document, tokens, budget - len(tokens)):
            return self._end()
        self._document = document
        self._record(tokens, drawn, budget)
        return tokens

    # --- one token ---------------------------------------------------------------------------------------------------

    def _sample(self, pick: PickToken, logits: NDArray[np.float32], budget: int) -> int:
        token = pick(logits)
        if (ending := self._ending(token, logits, budget)) is not None:
            return ending
        # Sample first and mask only after a rejection: the distribution is the same, and a mask costs 100 times more.
        if self._keeps_limits(token) and self._document.allows(token):
            return self._join_bracket(token, pick, logits)
        allowed = self._document.allowed()
        if not self._keeps_limits(token):
            shorter = allowed & ~self._tokens.number
            allowed = shorter if shorter.any() else allowed
        return self._join_bracket(pick(np.where(allowed, logits, np.float32(-np.inf))), pick, logits)

    def _join_bracket(self, token: int, pick: PickToken, logits: NDArray[np.float32]) -> int:
        """Returns a token that holds more than this opening bracket, if the tokenizer would write one."""
        joined = [] if self._text.inside else self._tokens.joined.find(self._document, token)
        if not joined:
            return token
        masked = np.full_like(logits, -np.inf)
        masked[joined] = logits[joined]
        return pick(masked)

    def _ending(self, token: int, logits: NDArray[np.float32], budget: int) -> int | None:
        """Returns the token that ends the open string, number or array instead of this one; None to go on."""
        piece = self._tokens.pieces[token]
        if self._text.inside:
            period = self._tokens.period
            plausible = period is not None and logits[period] > logits[token] - PLAUSIBLE
            return self._string_ending(piece, budget, period if plausible else None)
        if self._tokens.number[token] and self._limits.may_end(bytes(self._text.number)):
            return self._number_ending(token, logits)
        bracket = self._tokens.bracket
        ends = piece.lstrip()[:1] == COMMA and self._array_ends(budget)
        return bracket if ends and bracket is not None and self._document.allows(bracket) else None

    def _string_ending(self, piece: bytes, budget: int, period: int | None) -> int | None:
        """`period`: the token of a full stop, if the model might well write one here."""
        quote = self._closing.quote
        if quote is None or self._string is None:
            return None
        if piece[:1] == b'"':  # with a comma, it would open the next string of an array that should end
            ends = COMMA in piece and self._array_ends(budget)
        else:
            if not self._string_is_prose and len(self._text.content) >= PROSE_BYTES:
                self._string_is_prose = True
                if self._nothing_follows(quote):
                    self._string.reserve_for(min(LAST_RESERVE_TOKENS, budget // 2))
            room = self._room.measure(self._document, len(self._text.content))
            content = bytes(self._text.content)
            finishes = period is not None and self._string.should_finish(piece, content, budget, room)
            if period is not None and finishes and self._document.allows(period):
                return period
            ends = self._ends_value or self._string.ends_before(piece, content, budget, room)
        return quote if ends and self._document.allows(quote) else None

    def _number_ending(self, token: int, logits: NDArray[np.float32]) -> int | None:
        """Returns the likeliest token that ends the open number, if it is about as likely as `token`, a digit."""
        ends = np.where(self._document.allowed() & ~self._tokens.number, logits, np.float32(-np.inf))
        best = int(ends.argmax())
        return best if ends[best] > logits[token] - PLAUSIBLE else None

    def _array_ends(self, budget: int) -> bool:
        """Tells whether the innermost container is an array that should have no further item."""
        if self._text.containers[-1:] != b"[":
            return False
        if budget <= self._array_limits[-1] and self._nothing_follows(self._tokens.bracket):
            self._array_limits[-1] = min(LAST_RESERVE_TOKENS, budget // 2)
        loop = looping_part(bytes(self._written[-LOOP_REACH_BYTES:]), LOOP_ITEMS_BYTES)
        return bool(loop) or budget <= self._array_limits[-1]

    def _keeps_limits(self, token: int) -> bool:
        """Tells whether the open number may go on with this token, as far as its length is concerned."""
        number = self._text.number
        if not number or not self._tokens.number[token]:
            return True
        return not self._ends_value and not self._limits.exceeds(bytes(number) + self._tokens.pieces[token])

    # --- values as a whole -------------------------------------------------------------------------------------------

    def _find_choice(self, logits: NDArray[np.float32]) -> ValueChoice | None:
        """Returns the choice among the values that may stand here; None if they are many, or not of interest."""
        inside = self._text.inside and self._untouched and not self._text.key
        if not (inside or self._text.expects_value):
            return None
        found = self._tokens.values.find(self._document, inside, lambda allowed: self._likely(allowed, logits))
        if not found or not all(value.text for value in found):  # no token spells an empty string
            return None
        values = [(self._tokens.values.tokenize(value.text), value.open) for value in found]
        for (tokens, _open), value in zip(values, found, strict=True):
            spelled = b"".join(self._tokens.pieces[token] for token in tokens)
            if spelled != value.text or self._document.count_allowed(tokens) < len(tokens):
                return None
        in_strings = inside or b'"' in found[0].text
        return ValueChoice(values, logits, self._tokens.quoted if in_strings else ~self._tokens.number)

    def _likely(self, allowed: NDArray[np.bool_], logits: NDArray[np.float32]) -> list[int]:
        """Returns the first bytes that have a fair share of the probability."""
        first = self._tokens.values.first_bytes
        weights = np.exp(logits[allowed] - logits[allowed].max())
        shares = np.bincount(first[allowed], weights, minlength=256)
        return [int(byte) for byte in np.flatnonzero(shares >= LIKELY_SHARE * shares.max())]

    # --- the budget --------------------------------------------------------------------------------------------------

    def _review(self, budget: int) -> None:
        self._completion.check(self._document, lambda: self._text, budget)

    def _can_complete(self, document: GrammarMatcher, tokens: list[int], budget: int) -> bool:
        """Tells whether the document with these tokens can be completed."""
        if document.complete:
            return budget >= 0

        def text() -> JsonTracker:
            place = self._text.copy()
            for token in tokens:
                place.feed(self._closing.pieces[token])
            return place

        return self._completion.check(document, text, budget, len(tokens))

    def _end(self) -> list[int]:
        assert self._completion.tokens is not None
        self.complete = True
        return self._completion.tokens

    def _record(self, tokens: list[int], drawn: int, budget: int) -> None:
        self.complete = self._document.complete or (len(tokens) >= budget and self._document.may_end)
        self._ends_value = False
        for index, token in enumerate(tokens):
            before = self._text.strings
            piece = self._tokens.pieces[token]
            self._written += piece
            self._text.feed(piece)
            if self._text.strings > before:  # one token can close a string and open the next
                self._untouched = index >= drawn or not self._text.content
                self._room.reset()
                self._string, self._string_is_prose = OpenString(budget), False
            elif index < drawn:
                self._untouched = False
        self._note_containers(budget)

    def _note_containers(self, budget: int) -> None:
        depth = len(self._text.containers)
        del self._array_limits[depth:]
        while len(self._array_limits) < depth:
            self._array_limits.append(budget // 2)

    def _nothing_follows(self, closing: int | None) -> bool:
        """Tells whether the document is complete once this token closes the open string or array."""
        if closing is None or not self._document.allows(closing):
            return False
        document = self._document.copy()
        document.accept(closing)
        return document.complete


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
