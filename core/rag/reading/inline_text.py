"""The text of a paragraph while it is read: struck text becomes "~~$20~~", a raised number "10⁶". Pure.

Without its position, an exponent reads as a digit of the number before it. Letters are raised for looks: "1st".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

STRUCK = "~~"
RAISED_NUMBER = re.compile(r"[+\-−]?\d+")
RAISED = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")


@dataclass(frozen=True, slots=True)
class TextLook:
    """The formatting that a reader needs to know of."""

    is_hidden: bool = False
    is_struck: bool = False
    is_raised: bool = False
    font: str = ""


@dataclass(slots=True)
class InlineText:
    parts: list[str] = field(default_factory=list)
    is_struck: bool = False

    def add(self, text: str, look: TextLook) -> None:
        if look.is_struck != self.is_struck:
            self.parts.append(STRUCK)
            self.is_struck = look.is_struck
        if look.is_raised and RAISED_NUMBER.fullmatch(text) and self.follows_word():
            text = text.translate(RAISED)
        self.parts.append(text)

    def follows_word(self) -> bool:
        return bool(self.parts) and (self.parts[-1][-1:].isalnum() or self.parts[-1][-1:] == ")")

    def end(self) -> str:
        if self.is_struck:
            self.parts.append(STRUCK)
        return "".join(self.parts)
