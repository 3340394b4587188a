"""The styles of a Word file, as far as they decide how its text is read: headings, lists, hidden text. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.rag.reading.office.zip_package import Element
from core.rag.reading.word.names import VAL, W, is_on, number_of, value_of

DEPTH_LIMIT = 20  # of styles based on styles
BODY_LEVEL = 9  # an outline level that is none
# Word's own styles have English names in every language; their ids are in the author's. The digit is the level.
HEADING_NAME = re.compile(
    r"(?:heading|titre|(?:ü|u|ue)?berschrift|t[ií]tulo|titolo|kop|rubrik|overskrift|otsikko|nag[lł][oó]wek) ?([1-9])",
    re.IGNORECASE,
)
TITLE_NAMES = {"title", "titre", "titel"}
LIST_NAME = re.compile(r"list (?:bullet|number)\b|list(?: \d)?$")


@dataclass(frozen=True, slots=True)
class WordStyle:
    """A style with what it inherits. None: not said."""

    id: str = ""
    name: str = ""  # in lower case
    outline_level: int | None = None  # from 0
    list_id: str | None = None
    list_level: int | None = None
    hidden: bool | None = None

    @property
    def is_title(self) -> bool:
        return self.name in TITLE_NAMES

    @property
    def is_list(self) -> bool:
        """Tells whether this is one of Word's own styles for items."""
        return LIST_NAME.match(self.name) is not None

    @property
    def heading_level(self) -> int:
        """The level from 1; 0 for other styles."""
        if self.outline_level is not None:
            return self.outline_level + 1 if self.outline_level < BODY_LEVEL else 0
        if self.is_title:
            return 1
        named = HEADING_NAME.fullmatch(self.name) or HEADING_NAME.fullmatch(self.id)
        return int(named[1]) if named else 0


class StyleSheet:
    """All styles by id. An id without a style counts as a name: programs leave out what Word knows by heart."""

    def __init__(self, root: Element | None) -> None:
        every = [] if root is None else root.findall(f"{W}style")
        self._elements = {each.get(f"{W}styleId", ""): each for each in every}
        self._resolved: dict[str, WordStyle] = {}
        self._default_id = next((each.get(f"{W}styleId", "") for each in every if is_default_paragraph(each)), "")

    def paragraph(self, properties: Element | None) -> WordStyle:
        """Returns the style of a paragraph with these properties."""
        return self.get(value_of(properties, "pStyle") or self._default_id)

    def get(self, style_id: str, depth: int = DEPTH_LIMIT) -> WordStyle:
        if style_id not in self._resolved:
            self._resolved[style_id] = self._resolve(style_id, depth)
        return self._resolved[style_id]

    def _resolve(self, style_id: str, depth: int) -> WordStyle:
        element = self._elements.get(style_id)
        if element is None:
            return WordStyle(style_id, style_id.lower())
        base = value_of(element, "basedOn")
        inherited = self.get(base, depth - 1) if base in self._elements and depth else WordStyle()
        own = read_style(style_id, element)
        kept = {
            field: value
            for field in ("outline_level", "list_id", "list_level", "hidden")
            if (value := getattr(own, field)) is not None
        }
        return replace(inherited, id=style_id, name=own.name or style_id.lower(), **kept)


def is_default_paragraph(style: Element) -> bool:
    return style.get(f"{W}type") == "paragraph" and style.get(f"{W}default") in ("1", "true", "on")


def read_style(style_id: str, element: Element) -> WordStyle:
    """Returns the style without what it inherits."""
    paragraph, run = element.find(f"{W}pPr"), element.find(f"{W}rPr")
    name = value_of(element, "name").lower()
    outline = number_of(paragraph, "outlineLvl", default=-1)
    if outline < 0:
        outline = WordStyle(style_id, name).heading_level - 1
    level = number_of(paragraph, "numPr", "ilvl", default=-1)
    vanish = None if run is None else run.find(f"{W}vanish")
    return WordStyle(
        style_id,
        name,
        outline if outline >= 0 else None,
        value_of(paragraph, "numPr", "numId") or None,
        level if level >= 0 else None,
        None if vanish is None else is_on(vanish),
    )


def direct_outline_level(properties: Element | None) -> int | None:
    """Returns the outline level that a paragraph sets itself, whatever its style."""
    outline = None if properties is None else properties.find(f"{W}outlineLvl")
    value = "" if outline is None else outline.get(VAL, "")
    return int(value) if value.isdecimal() and len(value) == 1 else None
