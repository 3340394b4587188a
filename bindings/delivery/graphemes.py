"""Where one visible character ends and the next begins: Unicode's rules (UAX #29), as far as a cut needs them."""

from __future__ import annotations

import unicodedata

JOINER = "\u200d"
MARKS = {"Mn", "Me", "Mc"}  # accents, enclosing signs, vowel signs, variation selectors
HANGUL_VOWELS_AND_ENDS = range(0x1160, 0x1200)


def before(text: str, least: int, at: int) -> int:
    """The last place above `least` and up to `at` that is inside no character; `at` itself if there is none."""
    return next((each for each in range(at, least, -1) if is_border(text, each)), at)


def is_border(text: str, at: int) -> bool:
    """Whether a cut before text[at] leaves every visible character whole."""
    if not 0 < at < len(text):
        return True
    left, right = text[at - 1], text[at]
    if extends(right) or left == JOINER or (left == "\r" and right == "\n"):
        return False
    return not (is_flag_half(right) and halves_before(text, at) % 2)


def extends(char: str) -> bool:
    """Whether it belongs to what stands before it."""
    code = ord(char)
    if code < 0x300:
        return False
    return (
        unicodedata.category(char) in MARKS
        or char in (JOINER, "\u200c")
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0xE0020 <= code <= 0xE007F  # tags, as in the flag of Scotland
        or code in HANGUL_VOWELS_AND_ENDS
    )


def is_flag_half(char: str) -> bool:
    """Two regional indicators make one flag."""
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def halves_before(text: str, at: int) -> int:
    start = at
    while start and is_flag_half(text[start - 1]):
        start -= 1
    return at - start
