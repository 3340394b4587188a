"""Reads the text inside a paragraph of a Word file: runs, links, fields, symbols, equations, marks of notes. Pure.

Hidden and deleted text is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from core.rag.reading.office.alternative_text import authored_description
from core.rag.reading.office.inline_text import InlineText, Position, TextLook
from core.rag.reading.office.zip_package import Element
from core.rag.reading.word.fields import FieldStack
from core.rag.reading.word.math import MATH, math_text
from core.rag.reading.word.names import (
    ALTERNATIVES,
    UNSEEN,
    R,
    W,
    chosen_alternative,
    is_on,
    is_placeholder,
    value_of,
    visible_children,
)
from core.rag.reading.word.notes import NoteMarks
from core.rag.reading.word.styles import StyleSheet
from core.rag.reading.word.symbols import symbol, without_private_letters

POSITIONS: dict[str, Position] = {"superscript": "raised", "subscript": "lowered"}
BOX_CONTENT = frozenset((f"{W}txbxContent",))
WORD_ART = "{urn:schemas-microsoft-com:vml}textpath"
PICTURE = "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic"
PICTURE_PROPERTIES = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
# References to parts of their own, and the attributes that name these.
DRAWN_PARTS = {
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds": f"{R}dm",
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart": f"{R}id",
}
SPACES = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}


@dataclass(frozen=True, slots=True)
class ParagraphText:
    """A paragraph's text, and what is anchored in it: notes, boxes, charts, diagrams."""

    text: str
    notes: tuple[tuple[str, Element], ...] = ()  # mark and content
    boxes: tuple[Element, ...] = ()
    drawn: tuple[str, ...] = ()  # charts and diagrams, by the ids of their parts


@dataclass(slots=True)
class PendingParagraph:
    """A paragraph that is being read."""

    is_hidden: bool  # by its style
    line: InlineText = field(default_factory=InlineText)
    coded: list[tuple[str, TextLook]] = field(default_factory=list)  # text inside the codes of fields
    notes: list[tuple[str, Element]] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)

    def end(self) -> ParagraphText:
        return ParagraphText(self.line.end(), tuple(self.notes), tuple(self.boxes), tuple(self.drawn))


class RunReader:
    """Reads one paragraph after another, in the document's order: a field may go on in the next one."""

    def __init__(self, styles: StyleSheet, notes: NoteMarks) -> None:
        self.quotes: dict[str, str] = {}  # by a comment's id: the words that it is attached to
        self._styles = styles
        self._notes = notes
        self._fields = FieldStack()
        self._pending = PendingParagraph(is_hidden=False)
        self._quote_starts: dict[str, int] = {}
        self._readers: dict[str, Callable[[Element, TextLook], None]] = {
            f"{W}r": self._run,
            f"{W}t": self._text,
            f"{W}sym": self._symbol,
            f"{W}fldChar": self._field_mark,
            f"{W}footnoteReference": self._note,
            f"{W}endnoteReference": self._note,
            f"{W}ruby": self._ruby,
            f"{W}drawing": self._drawing,
            f"{W}pict": self._drawing,
            f"{W}object": self._drawing,
            f"{W}commentRangeStart": self._open_quote,
            f"{W}commentRangeEnd": self._close_quote,
            MATH: self._math,
            ALTERNATIVES: self._alternatives,
        }

    def read(self, paragraph: Element, *, is_hidden: bool) -> ParagraphText:
        """`is_hidden`: its style hides text that does not say otherwise."""
        outer, self._pending = self._pending, PendingParagraph(is_hidden)
        self._quote_starts = dict.fromkeys(self._quote_starts, 0)
        self._children(paragraph, TextLook())
        if self._fields.is_in_code:  # a damaged field must not hide text
            for text, look in self._pending.coded:
                self._pending.line.add(text, look)
        self._fields.end_paragraph()
        read, self._pending = self._pending.end(), outer
        return read

    def _children(self, parent: Element, look: TextLook) -> None:
        for child in parent:
            reader = self._readers.get(child.tag)
            if reader:
                reader(child, look)
            elif spaces := SPACES.get(child.tag):
                self._add(spaces, look)
            elif child.tag not in UNSEEN and not is_placeholder(child):
                self._children(child, look)

    def _add(self, text: str, look: TextLook) -> None:
        if not text or look.is_hidden:
            return
        if self._fields.is_in_code:
            self._pending.coded.append((text, look))
        else:
            self._pending.line.add(text, look)

    def _run(self, run: Element, look: TextLook) -> None:
        self._children(run, self._look(run.find(f"{W}rPr")))

    def _look(self, properties: Element | None) -> TextLook:
        if properties is None:
            return TextLook(self._pending.is_hidden)
        vanish = properties.find(f"{W}vanish")
        styled = self._styles.get(value_of(properties, "rStyle")).hidden
        by_style = self._pending.is_hidden if styled is None else styled
        fonts = properties.find(f"{W}rFonts")
        return TextLook(
            by_style if vanish is None else is_on(vanish),
            is_on(properties.find(f"{W}strike")) or is_on(properties.find(f"{W}dstrike")),
            POSITIONS.get(value_of(properties, "vertAlign"), ""),
            "" if fonts is None else fonts.get(f"{W}ascii", ""),
        )

    def _text(self, element: Element, look: TextLook) -> None:
        self._add(without_private_letters(element.text or "", look.font), look)

    def _symbol(self, element: Element, look: TextLook) -> None:
        code = element.get(f"{W}char", "")
        if re.fullmatch(r"[0-9A-Fa-f]{1,5}", code):
            self._add(symbol(int(code, 16), element.get(f"{W}font", "")), look)

    def _field_mark(self, element: Element, look: TextLook) -> None:
        shown = self._fields.mark(element)
        if shown and not look.is_hidden:
            self._pending.line.add(shown, look)

    def _note(self, element: Element, look: TextLook) -> None:
        custom = element.get(f"{W}customMarkFollows") in ("1", "true", "on")
        own_mark = "".join(each.text or "" for each in element.itersiblings(f"{W}t")) if custom else ""
        mark, content = self._notes.take(element, own_mark)
        if look.is_hidden or self._fields.is_in_code:
            return
        if not custom:  # its own mark is the text that follows
            self._add(f" ({mark})", TextLook())
        if content is not None:
            self._pending.notes.append((mark, content))

    def _ruby(self, element: Element, look: TextLook) -> None:
        for name, opening, closing in (("rubyBase", "", ""), ("rt", "(", ")")):
            for part in element.findall(f"{W}{name}"):
                self._add(opening, look)
                self._children(part, look)
                self._add(closing, look)

    def _drawing(self, element: Element, look: TextLook) -> None:
        if look.is_hidden or self._fields.is_in_code:
            return
        for described in element.iter(PICTURE_PROPERTIES):
            if next(element.iter(PICTURE), None) is not None:
                self._add(f" {authored_description(described.get('descr', ''))} ", look)
        for letters in element.iter(WORD_ART):
            self._add(f" {letters.get('string', '')} ", look)
        self._pending.boxes += visible_children(element, BOX_CONTENT)
        self._pending.drawn += [each.get(DRAWN_PARTS[each.tag], "") for each in element.iter(*DRAWN_PARTS)]

    def _math(self, element: Element, look: TextLook) -> None:
        self._add(math_text(element), TextLook(look.is_hidden))

    def _alternatives(self, element: Element, look: TextLook) -> None:
        self._children(chosen_alternative(element), look)

    def _open_quote(self, element: Element, _: TextLook) -> None:
        self._quote_starts[element.get(f"{W}id", "")] = len(self._pending.line.parts)

    def _close_quote(self, element: Element, _: TextLook) -> None:
        start = self._quote_starts.pop(element.get(f"{W}id", ""), None)
        if start is not None:
            self.quotes[element.get(f"{W}id", "")] = "".join(self._pending.line.parts[start:])
