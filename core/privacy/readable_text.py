"""A text as a reader takes it: digits and signs of any width and script are plain ones, and what is invisible is gone.

People copy numbers from documents with no-break spaces, soft hyphens, full-width digits and zero-width characters. The
detectors search the plain text; `span` leads back to the text itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cached_property

# Characters that take no room of their own: soft hyphens, accents that follow their letter, joiners, marks of
# direction, variation selectors, keycaps, tags.
INVISIBLE = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
LINE_BREAKS = ("Zl", "Zp")
SIGNS = {"\u2212": "-", "\u2010": "-", "\u2022": "·", "\u2219": "·", "\u22c5": "·", "\u30fb": "·", "\u3002": "."}
CONTROLS = {"\r": " ", "\x0b": "\n", "\x0c": "\n", "\x85": "\n"}


class PlainCharacters(dict[int, str]):
    """The plain character for each one, computed when it is first met."""

    def __missing__(self, code: int) -> str:
        plain = self[code] = plain_character(chr(code))
        return plain


class FoldedCharacters(dict[int, str]):
    """The small letter for each one. "İ" has no single one and stays."""

    def __missing__(self, code: int) -> str:
        small = chr(code).lower()
        folded = self[code] = small if len(small) == 1 else chr(code)
        return folded


PLAIN = PlainCharacters()
FOLDED = FoldedCharacters()


def plain_character(char: str) -> str:
    """The ASCII character that looks the same to a reader, else `char` itself. Always one character."""
    category = unicodedata.category(char)
    if char in SIGNS or char in CONTROLS:
        return SIGNS.get(char) or CONTROLS[char]
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Zs", *LINE_BREAKS):
        return "\n" if category in LINE_BREAKS else " "
    if category == "Pd":
        return "-"
    compatible = unicodedata.normalize("NFKC", char)
    return compatible if len(compatible) == 1 and compatible.isascii() else char


class ReadableText:
    """`plain` and `folded` (in small letters) have the same length. Indexes of both go through `span` to the text."""

    def __init__(self, text: str) -> None:
        translated = text.translate(PLAIN)
        # The plain positions before which something invisible stood, once for each character.
        self._removed = [] if text.isascii() else removed_positions(translated)
        self.plain = INVISIBLE.sub("", translated) if self._removed else translated

    @cached_property
    def folded(self) -> str:
        return self.plain.lower() if self.plain.isascii() else self.plain.translate(FOLDED)

    @cached_property
    def has_digits(self) -> bool:
        return re.search("[0-9]", self.plain) is not None

    @property
    def is_unchanged(self) -> bool:
        """True if places in the plain text are those in the text itself."""
        return not self._removed

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text itself. Invisible characters inside belong to it."""
        return self._original(start), self._original(end - 1) + 1

    def _original(self, position: int) -> int:
        return position + bisect_right(self._removed, position)


def removed_positions(translated: str) -> list[int]:
    return [match.start() - number for number, match in enumerate(INVISIBLE.finditer(translated))]
