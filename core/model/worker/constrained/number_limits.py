"""Bounds the digits of numbers that a model writes: weak models go on as in 12.500000000001, or 12400000 for 124.

The prompt decides: a number may have as many digits as those that the model read, and in any case DIGITS before the
point and DECIMALS after it; one that stands in the prompt may well end. Knows no grammar: where a schema wants more
digits, its grammar outweighs these limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

DIGITS = 15  # all that a double holds
DECIMALS = 4
NUMBER = re.compile(rb"\d[\d,'\xa0 ]{0,30}\d|\d")
DECIMAL_PART = re.compile(rb"\d[.,](\d{1,30})(?!\d)")
EXPONENT = re.compile(rb"\d[eE][+-]?\d")
GROUPED = re.compile(rb"(\d{1,3}(?:(?:[,.' ]|\xc2\xa0|\xe2\x80\xaf)\d{3})+)(?:[.,](\d{1,30}))?(?!\d)")  # 1 234,50
PLAIN = re.compile(rb"(\d+)(?:[.,](\d{1,30}))?")
NON_DIGITS = re.compile(rb"\D+")
WRITTEN = re.compile(rb"-?(\d*)(?:\.(\d*))?([eE].*)?")


@dataclass(frozen=True, slots=True)
class NumberLimits:
    """`digits` before the point, `decimals` after it. `whole`: the prompt's numbers that no other one begins with."""

    digits: int = DIGITS
    decimals: int = DECIMALS
    exponents: bool = False
    whole: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, prompt: bytes) -> NumberLimits:
        """Returns the limits for an answer to this text."""
        digits = max((sum(byte in b"0123456789" for byte in each) for each in NUMBER.findall(prompt)), default=0)
        decimals = max(map(len, DECIMAL_PART.findall(prompt)), default=0)
        exponents = EXPONENT.search(prompt) is not None
        return cls(max(DIGITS, digits), max(DECIMALS, decimals), exponents, find_whole_numbers(prompt))

    def may_end(self, number: bytes) -> bool:
        """Tells whether a number is one of the prompt's, and not the beginning of another one."""
        return number.removeprefix(b"-") in self.whole

    def exceeds(self, number: bytes) -> bool:
        """Tells whether the beginning of a number is too long already."""
        match = WRITTEN.match(number)
        assert match is not None
        whole, decimals, exponent = match.groups(default=b"")
        return len(whole) > self.digits or len(decimals) > self.decimals or (bool(exponent) and not self.exponents)


def find_whole_numbers(prompt: bytes) -> frozenset[bytes]:
    """Returns the prompt's numbers as JSON writes them, except those with which another one begins.

    In "1,234" the comma may separate thousands or decimals, so both readings count.
    """
    found = [*GROUPED.findall(prompt), *PLAIN.findall(prompt)]
    numbers = sorted({spell_number(whole, decimals) for whole, decimals in found})
    return frozenset(number for number, later in pairwise([*numbers, b""]) if not later.startswith(number))


def spell_number(whole: bytes, decimals: bytes) -> bytes:
    digits = NON_DIGITS.sub(b"", whole).lstrip(b"0") or b"0"
    decimals = decimals.rstrip(b"0")
    return digits + b"." + decimals if decimals else digits
