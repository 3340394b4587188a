"""The fields of a Word file: of a field its result is seen, never its code. Form fields show their own state. Pure.

ECMA-376, part 1, chapter 17.16. A field begins, separates code from result, and ends; it may hold other fields, and
may go on for several paragraphs.
"""

from __future__ import annotations

from core.rag.reading.office.zip_package import Element
from core.rag.reading.word.names import W, is_on, number_of, value_of

CHECKED, UNCHECKED = "☒", "☐"


class FieldStack:
    """The fields that are open at one place of the text."""

    def __init__(self) -> None:
        self._shows_result: list[bool] = []  # of each open field, outermost first

    @property
    def is_in_code(self) -> bool:
        return not all(self._shows_result)

    def mark(self, character: Element) -> str:
        """Follows a `w:fldChar`. Returns the text of a form field that has no result."""
        kind = character.get(f"{W}fldCharType")
        if kind == "begin":
            shown = "" if self.is_in_code else form_field_text(character)
            self._shows_result.append(False)
            return shown
        if kind == "separate" and self._shows_result:
            self._shows_result[-1] = True
        elif kind == "end" and self._shows_result:
            self._shows_result.pop()
        return ""

    def end_paragraph(self) -> None:
        """Closes codes that do not end, because the next paragraphs are text."""
        self._shows_result = [shows for shows in self._shows_result if shows]


def form_field_text(character: Element) -> str:
    """Returns a box, or the chosen entry of a list."""
    box, entries = character.find(f"{W}ffData/{W}checkBox"), character.find(f"{W}ffData/{W}ddList")
    if box is not None:
        state = box.find(f"{W}checked")
        return CHECKED if is_on(state if state is not None else box.find(f"{W}default")) else UNCHECKED
    if entries is not None:
        names = [each.get(f"{W}val", "") for each in entries.findall(f"{W}listEntry")]
        chosen = number_of(entries, "result", default=number_of(entries, "default"))
        return names[chosen] if 0 <= chosen < len(names) else value_of(entries, "listEntry")
    return ""
