"""The fonts and styles that an RTF file defines before its text. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from core.rag.reading.rich_text.groups import Room
from core.rag.reading.rich_text.tokens import SYMBOL_CHARSET
from core.rag.reading.word.styles import WordStyle


@dataclass(frozen=True, slots=True)
class Font:
    name: str = ""
    charset: int = 0

    @property
    def is_symbol(self) -> bool:
        return self.charset == SYMBOL_CHARSET


NO_FONT, NO_STYLE = Font(), WordStyle()


class Definitions:
    """Each begins with its number, and ends with its name and a semicolon."""

    def __init__(self) -> None:
        self._fonts: dict[int, Font] = {}
        self._styles: dict[int, WordStyle] = {}
        self.begin(0)

    def begin(self, number: int) -> None:
        self._number, self._name, self.charset = number, "", 0

    def add(self, text: str, room: Room) -> None:
        """Adds to the name of the font or style that is being defined."""
        *ended, rest = text.split(";")
        for part in ended:
            name = (self._name + part).strip()
            if room == "fonts":
                self._fonts[self._number] = Font(name, self.charset)
            else:
                self._styles[self._number] = WordStyle(name=name.lower())
            self.begin(0)
        self._name += rest

    def font(self, number: int) -> Font:
        return self._fonts.get(number, NO_FONT)

    def style(self, number: int) -> WordStyle:
        return self._styles.get(number, NO_STYLE)
