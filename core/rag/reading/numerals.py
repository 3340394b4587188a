"""Writes the numbers of lists and notes as documents show them: decimal, letters, Roman. Pure."""

from __future__ import annotations

from typing import Literal

NumeralFormat = Literal["decimal", "padded", "letter", "LETTER", "roman", "ROMAN", "ordinal"]
ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
LARGEST = 4000  # of a Roman number; hostile lists begin at larger ones


def format_numeral(number: int, numeral: NumeralFormat) -> str:
    if numeral == "padded":
        return f"{number:02}"
    if numeral == "ordinal":
        return f"{number}{ordinal_suffix(number)}"
    if numeral == "decimal" or not 0 < number < LARGEST:
        return str(number)
    written = roman(number) if numeral.lower() == "roman" else letters(number)
    return written.upper() if numeral.isupper() else written


def roman(number: int) -> str:
    written = ""
    for value, sign in ROMAN:
        count, number = divmod(number, value)
        written += sign * count
    return written


def letters(number: int) -> str:
    """Returns a … z, then aa, bb: word processors repeat the letter."""
    count, place = divmod(number - 1, 26)
    return chr(ord("a") + place) * (count + 1)


def ordinal_suffix(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
