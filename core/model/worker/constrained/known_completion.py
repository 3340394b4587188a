"""Knows a way to the end of one document, and tells whether the document may go on within its budget.

Searching for a way takes milliseconds, checking a known one takes microseconds. What a model writes is mostly what the
known way would have written, in other words: the rest of the way then still holds.
"""

from __future__ import annotations

from collections.abc import Callable

from core.model.worker.constrained.closing_tokens import ClosingTokens, GrammarMatcher
from core.model.worker.constrained.json_tracker import JsonTracker

REVIEW_TOKENS = 64  # interval between checks while the budget is large
MARGIN_TOKENS = 64  # one token rarely lengthens the completion by more
SHIFT_TOKENS = 16  # a value and the one in the known completion may differ in length by this many tokens


class KnownCompletion:
    """`tokens` complete the document that was checked last; None: no way was found.

    `first`: tokens that complete the empty document, if they are known.
    """

    def __init__(self, closing: ClosingTokens, first: list[int] | None = None) -> None:
        self._closing = closing
        self._written: int | None = None  # tokens since the last check; None: there was none
        self.short_below = 0  # remaining budget under which each token is checked
        self.tokens = first

    def is_due(self, budget: int) -> bool:
        """Tells whether the document must be checked before a token is drawn."""
        if self._written is None or self._written >= REVIEW_TOKENS:
            return True
        return self._written > 0 and budget <= self.short_below

    def check(self, document: GrammarMatcher, text: Callable[[], JsonTracker], budget: int, written: int = 0) -> bool:
        """Tells whether the document can be completed within the budget; searches for a way if the known one fails.

        `written`: tokens of the document that are new. `text`: the place in it, for a search.
        """
        tokens = self._rest(document, budget, written + (self._written or 0))
        if tokens is None:
            tokens = self._closing.find_completion(document, text(), budget)
        if tokens is not None or not written:  # what does not fit is not written, and the old way still holds
            self.tokens, self._written = tokens, 0
            self.short_below = 2 * len(tokens) + MARGIN_TOKENS if tokens is not None else 0
        return tokens is not None

    def count(self, tokens: int) -> None:
        """Counts tokens that were written without a check."""
        self._written = (self._written or 0) + tokens

    def _rest(self, document: GrammarMatcher, budget: int, written: int) -> list[int] | None:
        """Returns the known completion, or an end of it, that completes the document within the budget."""
        known = self.tokens
        if known is None:
            return None
        # The known way may have an empty string in one token, `""`, where the document has a quote and a text.
        quote = self._closing.quote
        beginnings = [[], [quote]] if quote is not None and document.allows(quote) else [[]]
        ends = range(min(len(known), written + SHIFT_TOKENS), max(0, written - SHIFT_TOKENS), -1) if written else ()
        for start in (0, *ends):
            for beginning in beginnings:
                rest = beginning + known[start:]
                if len(rest) <= budget and document.ends_by(rest):
                    return rest
        return None
