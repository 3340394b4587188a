"""Writes small raised and lowered text as plain text. Shared by pages and word processors' formats. Pure.

Without its position, an exponent reads as a digit of the number before it: 10<sup>6</sup> as 106.
"""

from __future__ import annotations

import re

RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
NUMERIC = re.compile(r"(?=.*\d)[\d+\-−=()]+|n")
SHORT_LIMIT_CHARS = 12  # longer text is small print, not notation


def raised(text: str, before: str) -> str:
    """Returns superscript text as it follows `before`: "²", "ᵉʳ" as "er", other short text as "^(…)"."""
    return positioned(text, before, RAISED, "^")


def lowered(text: str, before: str) -> str:
    """Returns subscript text as it follows `before`: "₂", other short text as "_x"."""
    return positioned(text, before, LOWERED, "_")


def positioned(text: str, before: str, small: dict[int, int], sign: str) -> str:
    if len(text) > SHORT_LIMIT_CHARS or not before[-1:].strip():
        return text
    if NUMERIC.fullmatch(text):
        return text.translate(small)
    if text.isalpha():
        # Ordinals, abbreviations and trade marks end a word; a variable's index does not.
        return f"_{text}" if sign == "_" else text
    return f"{sign}({text})" if any(map(str.isalnum, text)) else text
