"""Numbers the paragraphs of a Word file.

ECMA-376, part 1, chapter 17.9. A paragraph names a list (`w:num`) and a level. Lists that share a definition
(`w:abstractNum`) go on counting, unless one says where it begins. Pure.
"""

from __future__ import annotations

from core.rag.reading.numerals import NumeralFormat
from core.rag.reading.office.list_counting import ListLevel, NumberedList
from core.rag.reading.office.zip_package import Element
from core.rag.reading.word.names import VAL, W, is_on, number_of, value_of
from core.rag.reading.word.styles import StyleSheet

LAST_LEVEL = 8
LINKS_LIMIT = 10  # of lists that are defined by a style of lists
NUMERALS: dict[str, NumeralFormat] = {
    "decimalZero": "padded",
    "001": "padded3",
    "0001": "padded4",
    "00001": "padded5",
    "lowerLetter": "letter",
    "upperLetter": "LETTER",
    "lowerRoman": "roman",
    "upperRoman": "ROMAN",
    "ordinal": "ordinal",
}


class Numbering:
    """All lists by their ids."""

    def __init__(self, root: Element | None, styles: StyleSheet) -> None:
        definitions = [] if root is None else root.findall(f"{W}abstractNum")
        lists = [] if root is None else root.findall(f"{W}num")
        self._definitions = {each.get(f"{W}abstractNumId", ""): each for each in definitions}
        self._elements = {each.get(f"{W}numId", ""): each for each in lists}
        self._styles = styles
        self._counts: dict[str, dict[int, int]] = {}
        self._lists: dict[str, NumberedList | None] = {}

    def advance(self, properties: Element | None, style_id: str) -> tuple[int, str] | None:
        """Counts a paragraph. Returns its level from 0 and its mark; None if it is in no list."""
        style = self._styles.get(style_id)
        list_id = value_of(properties, "numPr", "numId") or style.list_id
        chosen = self._list(list_id) if list_id else None
        if chosen is None:
            return None
        level = number_of(properties, "numPr", "ilvl", default=-1)
        if level < 0:
            linked = (number for number, each in chosen.levels.items() if each.style_id and each.style_id == style_id)
            level = next(linked, style.list_level or 0)
        level = min(level, LAST_LEVEL)
        return level, chosen.advance(level)

    def _list(self, list_id: str) -> NumberedList | None:
        if list_id not in self._lists:
            element = self._elements.get(list_id)
            self._lists[list_id] = None if element is None else self._build(element)
        return self._lists[list_id]

    def _build(self, element: Element) -> NumberedList:
        definition_id, definition = self._definition(element)
        levels = {} if definition is None else read_levels(definition)
        starts: dict[int, int] = {}
        for override in element.findall(f"{W}lvlOverride"):
            levels |= read_levels(override)
            if override.find(f"{W}startOverride") is not None:
                starts[list_level(override)] = number_of(override, "startOverride", default=1)
        return NumberedList(levels, self._counts.setdefault(definition_id, {}), starts)

    def _definition(self, element: Element) -> tuple[str, Element | None]:
        """Follows a definition that names a style of lists, which names another list."""
        for _ in range(LINKS_LIMIT):
            definition_id = value_of(element, "abstractNumId")
            definition = self._definitions.get(definition_id)
            linked = value_of(definition, "numStyleLink")
            linked_list = self._styles.get(linked).list_id if linked else None
            if not linked_list or linked_list not in self._elements:
                return definition_id, definition
            element = self._elements[linked_list]
        return "", None


def read_levels(parent: Element) -> dict[int, ListLevel]:
    return {list_level(each): read_level(each) for each in parent.findall(f"{W}lvl")}


def list_level(element: Element) -> int:
    value = element.get(f"{W}ilvl", "")
    return int(value) if value.isdecimal() and len(value) == 1 else 0


def custom_format(element: Element) -> str:
    """Returns the first number of a format that Word writes as examples: "001, 002, 003, ..."."""
    examples = (each.get(f"{W}format", "") for each in element.iter(f"{W}numFmt"))
    return next(filter(None, examples), "").partition(",")[0]


def read_level(element: Element) -> ListLevel:
    # A format that only newer versions know stands in alternatives; the last one is what all know.
    formats = [each.get(VAL, "") for each in element.iter(f"{W}numFmt")] or ["decimal"]
    return ListLevel(
        value_of(element, "lvlText"),
        None if formats[-1] == "none" else NUMERALS.get(custom_format(element) or formats[-1], "decimal"),
        formats[-1] == "bullet",
        number_of(element, "start", default=1),
        number_of(element, "lvlRestart", default=LAST_LEVEL + 2),
        is_on(element.find(f"{W}isLgl")),
        value_of(element, "pStyle"),
    )
