"""Bounds the digits of numbers that a model writes: weak models go on as in 12.500000000001.

The prompt decides: a number may have as many digits as those that the model read, and in any case DIGITS before the
point and DECIMALS after it. Knows no grammar: where a schema wants more digits, its grammar outweighs these limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = 15  # all that a double holds
DECIMALS = 4
NUMBER = re.compile(rb"\d[\d,'\xa0 ]{0,30}\d|\d")
DECIMAL_PART = re.compile(rb"\d[.,](\d{1,30})(?!\d)")
EXPONENT = re.compile(rb"\d[eE][+-]?\d")
WRITTEN = re.compile(rb"-?(\d*)(?:\.(\d*))?([eE].*)?")


@dataclass(frozen=True, slots=True)
class NumberLimits:
    """`digits` before the point, `decimals` after it."""

    digits: int = DIGITS
    decimals: int = DECIMALS
    exponents: bool = False

    @classmethod
    def of(cls, prompt: bytes) -> NumberLimits:
        """Returns the limits for an answer to this text."""
        digits = max((sum(byte in b"0123456789" for byte in each) for each in NUMBER.findall(prompt)), default=0)
        decimals = max(map(len, DECIMAL_PART.findall(prompt)), default=0)
        return cls(max(DIGITS, digits), max(DECIMALS, decimals), EXPONENT.search(prompt) is not None)

    def exceeds(self, number: bytes) -> bool:
        """Tells whether the beginning of a number is too long already."""
        match = WRITTEN.match(number)
        assert match is not None
        whole, decimals, exponent = match.groups(default=b"")
        return len(whole) > self.digits or len(decimals) > self.decimals or (bool(exponent) and not self.exponents)
