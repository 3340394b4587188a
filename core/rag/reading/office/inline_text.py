"""The text of a paragraph while it is read: struck text becomes "~~$20~~", a raised number "10⁶". Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core.rag.reading.raised_text import lowered, raised

STRUCK = "~~"
Position = Literal["", "raised", "lowered"]


@dataclass(frozen=True, slots=True)
class TextLook:
    """The formatting that a reader needs to know of."""

    is_hidden: bool = False
    is_struck: bool = False
    position: Position = ""
    font: str = ""


@dataclass(slots=True)
class InlineText:
    parts: list[str] = field(default_factory=list)
    is_struck: bool = False

    def add(self, text: str, look: TextLook) -> None:
        if look.is_struck != self.is_struck:
            self.parts.append(STRUCK)
            self.is_struck = look.is_struck
        if look.position:
            before = self.parts[-1] if self.parts else ""
            text = raised(text, before) if look.position == "raised" else lowered(text, before)
        self.parts.append(text)

    def end(self) -> str:
        if self.is_struck:
            self.parts.append(STRUCK)
        return "".join(self.parts)
