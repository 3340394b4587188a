"""The footnotes and endnotes of a Word file, counted as its reader sees them: "(note 1)", "(note ii)". Pure.

"Note" is the same word in English and French, so a mark needs no language.
"""

from __future__ import annotations

from core.rag.reading.numerals import NumeralFormat, format_numeral
from core.rag.reading.office.zip_package import Element
from core.rag.reading.word.names import W, number_of, value_of
from core.rag.reading.word.numbering import NUMERALS


class NoteSeries:
    """The notes of one kind, "footnote" or "endnote"."""

    def __init__(self, kind: str, root: Element | None, properties: Element | None) -> None:
        default: NumeralFormat = "decimal" if kind == "footnote" else "roman"
        named = value_of(properties, "numFmt")
        self._numeral = NUMERALS.get(named, "decimal") if named else default
        self._next = number_of(properties, "numStart", default=1)
        notes = [] if root is None else root.findall(f"{W}{kind}")
        self._notes = {each.get(f"{W}id", ""): each for each in notes}

    def take(self, note_id: str, own_mark: str) -> tuple[str, Element | None]:
        """Returns the mark of the next reference, and the note's content."""
        number, content = own_mark.strip(), self._notes.get(note_id)
        if not number:
            number = format_numeral(self._next, self._numeral)
            self._next += 1
        return f"note {number}", content


class NoteMarks:
    """Both kinds of notes."""

    def __init__(self, footnotes: NoteSeries, endnotes: NoteSeries) -> None:
        self._footnotes = footnotes
        self._endnotes = endnotes

    def take(self, reference: Element, own_mark: str) -> tuple[str, Element | None]:
        series = self._footnotes if reference.tag == f"{W}footnoteReference" else self._endnotes
        return series.take(reference.get(f"{W}id", ""), own_mark)
