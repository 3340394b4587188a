"""The styles of an OpenDocument text, as far as they decide how it is read: hidden and struck text, lists. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.rag.reading.numerals import NumeralFormat
from core.rag.reading.office.inline_text import Position, TextLook
from core.rag.reading.office.list_counting import ListLevel
from core.rag.reading.office.zip_package import Element
from core.rag.reading.open_document.names import OFFICE, STYLE, TEXT, whole_number

DEPTH_LIMIT = 20  # of styles based on styles
NUMERALS: dict[str, NumeralFormat] = {"1": "decimal", "a": "letter", "A": "LETTER", "i": "roman", "I": "ROMAN"}
LEVELS = {f"{TEXT}list-level-style-{kind}" for kind in ("number", "bullet", "image")}
OUTLINE = ""  # the name of the list that numbers headings


@dataclass(frozen=True, slots=True)
class OpenStyle:
    """A style with what it inherits. None: not said."""

    is_title: bool = False
    hidden: bool | None = None
    struck: bool | None = None
    position: Position | None = None

    def look(self, outer: TextLook) -> TextLook:
        """Returns the look of text of this style inside other text."""
        return TextLook(
            outer.is_hidden if self.hidden is None else self.hidden,
            outer.is_struck if self.struck is None else self.struck,
            outer.position if self.position is None else self.position,
        )


class OpenStyles:
    """All styles by name, and all styles of lists, from the roots of the document's parts."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self._elements: dict[str, Element] = {}
        self._resolved: dict[str, OpenStyle] = {}
        self.lists: dict[str, dict[int, ListLevel]] = {}
        for root in roots:
            for room in (*root.iter(f"{OFFICE}styles"), *root.iter(f"{OFFICE}automatic-styles")):
                self._elements |= {each.get(f"{STYLE}name", ""): each for each in room.findall(f"{STYLE}style")}
                self.lists |= {
                    each.get(f"{STYLE}name", ""): read_levels(each) for each in room.findall(f"{TEXT}list-style")
                }
                for outline in room.findall(f"{TEXT}outline-style"):
                    self.lists[OUTLINE] = read_levels(outline)

    def of(self, element: Element) -> OpenStyle:
        return self._get(element.get(f"{TEXT}style-name", ""), DEPTH_LIMIT)

    def _get(self, name: str, depth: int) -> OpenStyle:
        element = self._elements.get(name)
        if name not in self._resolved:
            if element is None:
                return OpenStyle(is_title=name == "Title")
            parent = element.get(f"{STYLE}parent-style-name", "")
            inherited = self._get(parent, depth - 1) if parent and depth else OpenStyle()
            self._resolved[name] = read_style(name, element, inherited)
        return self._resolved[name]


def read_style(name: str, element: Element, inherited: OpenStyle) -> OpenStyle:
    properties = element.find(f"{STYLE}text-properties")
    style = replace(inherited, is_title=inherited.is_title or name == "Title")
    if properties is None:
        return style
    display, position = properties.get(f"{TEXT}display"), properties.get(f"{STYLE}text-position", "")
    line = properties.get(f"{STYLE}text-line-through-style") or properties.get(f"{STYLE}text-line-through-type")
    return replace(
        style,
        hidden=style.hidden if display is None else display == "none",
        struck=style.struck if line is None else line != "none",
        position=read_position(position) if position else style.position,
    )


def read_position(value: str) -> Position:
    """Reads "super 58%", "-33% 58%" or "0% 100%"."""
    if value.startswith(("super", "sub")):
        return "raised" if value.startswith("super") else "lowered"
    if value.startswith("0%"):
        return ""
    return "lowered" if value.startswith("-") else "raised"


def read_levels(list_style: Element) -> dict[int, ListLevel]:
    """Returns the levels of a list, or of the outline, from 0."""
    levels = [each for each in list_style if each.tag in LEVELS or each.tag == f"{TEXT}outline-level-style"]
    return {whole_number(each, f"{TEXT}level") - 1: read_level(each) for each in levels}


def read_level(element: Element) -> ListLevel:
    numeral = NUMERALS.get(element.get(f"{STYLE}num-format", ""))
    level, shown = whole_number(element, f"{TEXT}level"), whole_number(element, f"{TEXT}display-levels")
    places = range(max(level - min(shown, level) + 1, 1), level + 1) if numeral else ()
    numbers = ".".join(f"%{place}" for place in places)
    return ListLevel(
        element.get(f"{STYLE}num-prefix", "") + numbers + element.get(f"{STYLE}num-suffix", ""),
        numeral,
        element.tag in (f"{TEXT}list-level-style-bullet", f"{TEXT}list-level-style-image"),
        whole_number(element, f"{TEXT}start-value"),
    )
