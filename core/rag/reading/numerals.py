"""Writes the numbers of lists and notes as documents show them: decimal, letters, Roman. Pure."""

from __future__ import annotations

from typing import Literal

# "letter": a … z, aa, bb, as word processors write. "alphabet": a … z, aa, ab, as browsers do (CSS Counter Styles).
NumeralFormat = Literal[
    "decimal",
    "padded",
    "padded3",
    "padded4",
    "padded5",
    "letter",
    "LETTER",
    "alphabet",
    "ALPHABET",
    "roman",
    "ROMAN",
    "ordinal",
]
PADDED_DIGITS = {"padded": 2, "padded3": 3, "padded4": 4, "padded5": 5}
ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
LARGEST = 4000  # of a Roman number; hostile lists begin at larger ones


def format_numeral(number: int, numeral: NumeralFormat) -> str:
    if numeral in PADDED_DIGITS:
        return f"{number:0{PADDED_DIGITS[numeral]}}"
    if numeral == "ordinal":
        return f"{number}{ordinal_suffix(number)}"
    if numeral == "decimal" or not 0 < number < LARGEST:
        return str(number)
    write = {"letter": letters, "alphabet": alphabet, "roman": roman}[numeral.lower()]
    return write(number).upper() if numeral.isupper() else write(number)


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


def alphabet(number: int) -> str:
    """Returns a … z, then aa, ab: browsers count on."""
    written = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        written = chr(ord("a") + place) + written
    return written


def ordinal_suffix(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
