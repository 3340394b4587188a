"""The texts and styles of an Excel workbook's cells: runs that are struck or raised, codes of numbers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from core.rag.reading.number_format import BUILT_IN, GENERAL
from core.rag.reading.office.inline_text import STRUCK, InlineText, Position, TextLook
from core.rag.reading.office.zip_package import local_name

CELL_LIMIT_CHARS = 32_767
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
POSITIONS: dict[str, Position] = {"superscript": "raised", "subscript": "lowered"}


@dataclass(frozen=True, slots=True)
class CellStyles:
    """The format code of each style, by the number that cells name, and the styles that strike their text."""

    formats: list[str] = field(default_factory=list)
    struck: frozenset[str] = frozenset()

    def strike(self, text: str, style: str) -> str:
        return f"{STRUCK}{text}{STRUCK}" if text and style in self.struck else text


def read_styles(root: etree._Element | None) -> CellStyles:
    if root is None:
        return CellStyles()
    codes = {each.get("numFmtId"): each.get("formatCode") or "" for each in root.iterfind("{*}numFmts/{*}numFmt")}
    fonts = [read_look(each).is_struck for each in root.iterfind("{*}fonts/{*}font")]
    struck = {str(index) for index, is_struck in enumerate(fonts) if is_struck}
    cells = list(root.iterfind("{*}cellXfs/{*}xf"))
    numbers = [each.get("numFmtId") or "0" for each in cells]
    formats = [
        codes.get(number) or (BUILT_IN.get(int(number), GENERAL) if number.isdigit() else GENERAL) for number in numbers
    ]
    struck_cells = {str(index) for index, each in enumerate(cells) if each.get("fontId") in struck}
    return CellStyles(formats, frozenset(struck_cells))


def string_text(element: etree._Element) -> str:
    """Returns the text of all runs, without the readings of Japanese signs."""
    if len(element) == 1 and local_name(element[0]) == "t":
        return unescape(element[0].text or "")[:CELL_LIMIT_CHARS]
    line = InlineText()
    for child in element:
        if local_name(child) == "t":
            line.add(child.text or "", TextLook())
        elif local_name(child) == "r":
            line.add("".join(part.text or "" for part in child.iterfind("{*}t")), read_look(child.find("{*}rPr")))
    return unescape(line.end())[:CELL_LIMIT_CHARS]


def read_look(font: etree._Element | None) -> TextLook:
    """Reads the properties of a run, or a font."""
    if font is None:
        return TextLook()
    struck, position = font.find("{*}strike"), font.find("{*}vertAlign")
    return TextLook(
        is_struck=struck is not None and struck.get("val", "1") not in ("0", "false"),
        position="" if position is None else POSITIONS.get(position.get("val") or "", ""),
    )


def unescape(text: str) -> str:
    """Replaces the standard's escapes of control characters: "_x000D_"."""
    return ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "_x" in text else text
