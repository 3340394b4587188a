"""Reads the blocks of a Word file's body, headers, notes and comments: paragraphs, lists, tables, boxes. Pure."""

from __future__ import annotations

from collections.abc import Callable

from core.rag.documents import Block, collapse_blanks, one_line
from core.rag.passages import HEADING_LIMIT_CHARS
from core.rag.reading.office.grid import flat_text
from core.rag.reading.office.list_counting import BULLET
from core.rag.reading.office.zip_package import Element
from core.rag.reading.raw_document import NO_LIMITS, ReadingLimits, ReadingProgress
from core.rag.reading.word.names import W, is_on, visible_children
from core.rag.reading.word.numbering import Numbering
from core.rag.reading.word.runs import ParagraphText, RunReader
from core.rag.reading.word.styles import BODY_LEVEL, StyleSheet, WordStyle, direct_outline_level
from core.rag.reading.word.tables import read_table

PARAGRAPH, TABLE, CHUNK = f"{W}p", f"{W}tbl", f"{W}altChunk"
BLOCKS = frozenset((PARAGRAPH, TABLE, CHUNK))
ReadPart = Callable[[str], list[Block]]


class BodyReader:
    """Reads one container after another, in the document's order, because lists and notes are counted.

    `read_part` reads what another part of the file holds, by the id of its reference: a chart, another document.
    """

    def __init__(
        self,
        styles: StyleSheet,
        numbering: Numbering,
        runs: RunReader,
        read_part: ReadPart,
        limits: ReadingLimits = NO_LIMITS,
    ) -> None:
        self.progress = ReadingProgress(limits)
        self._styles = styles
        self._numbering = numbering
        self._runs = runs
        self._read_part = read_part
        self.title = ""  # the first paragraph that is formatted as one
        self._depth = 0
        self._carried = ""  # the text of a paragraph that goes on in the next one
        self._notes: list[tuple[str, Element]] = []  # marks and contents that are not read yet

    def read(self, container: Element) -> list[Block]:
        """Returns the blocks. Notes follow the paragraph or the table that refers to them."""
        outer, self._carried, blocks = self._carried, "", list[Block]()
        self._depth += 1
        for child in visible_children(container, BLOCKS):
            if child.tag != PARAGRAPH:
                blocks += self._take_carried()
            blocks += self._block(child)
            if self._depth == 1:
                blocks += self._take_notes()
        self._depth -= 1
        blocks += self._take_carried()
        self._carried = outer
        return blocks

    def _take_carried(self) -> list[Block]:
        carried, self._carried = collapse_blanks(self._carried), ""
        return [Block("paragraph", carried)] if carried else []

    def text(self, container: Element) -> str:
        """Returns the content on one line."""
        return one_line(flat_text(self.read(container)))

    def _block(self, element: Element) -> list[Block]:
        if element.tag == TABLE:
            return read_table(element, self.read)
        if element.tag == CHUNK:
            return self._part(next(iter(element.attrib.values()), ""))
        return self._paragraph(element)

    def _take_notes(self) -> list[Block]:
        notes, self._notes = self._notes, []
        texts = [(mark, self.text(content)) for mark, content in notes]
        return [Block("paragraph", f"({mark}) {text}") for mark, text in texts if text]

    def _paragraph(self, element: Element) -> list[Block]:
        if self.progress.is_over():
            return []
        properties = element.find(f"{W}pPr")
        style = self._styles.paragraph(properties)
        read = self._runs.read(element, is_hidden=bool(style.hidden))
        self.progress.chars += len(read.text)
        self._notes += read.notes
        text = self._carried + read.text
        self._carried = ""
        if goes_on(properties):
            self._carried = text
            return self._anchored(read)
        if style.is_title and not self.title:
            self.title = one_line(text)
        counted = None if is_mark_hidden(properties) else self._numbering.advance(properties, style.id)
        self.progress.chars += len(counted[1]) if counted else 0
        shown = collapse_blanks(text)
        if not shown and counted and counted[1] != BULLET and self._depth > 1:
            shown, counted = counted[1], None  # a column of a table that only numbers its rows
        return [*text_blocks(shown, properties, style, counted), *self._anchored(read)]

    def _anchored(self, read: ParagraphText) -> list[Block]:
        boxes = [block for box in read.boxes for block in self.read(box)]
        return boxes + [block for part in read.drawn for block in self._part(part)]

    def _part(self, reference_id: str) -> list[Block]:
        blocks = [] if self.progress.is_over() else self._read_part(reference_id)
        self.progress.chars += sum(len(block.text) for block in blocks)
        return blocks


def text_blocks(
    text: str, properties: Element | None, style: WordStyle, counted: tuple[int, str] | None
) -> list[Block]:
    """Returns a paragraph's block; none without text. `counted`: its level in a list, and its mark."""
    if not text:
        return []
    list_level, mark = counted or (0, BULLET if style.is_list else "")
    if level := heading_level(properties, style):
        heading = one_line(f"{mark} {text}" if mark != BULLET else text)
        # The headings above a passage are shortened. A long one is text too.
        whole = [Block("paragraph", heading)] if len(heading) > HEADING_LIMIT_CHARS else []
        return [Block("heading", heading, level), *whole]
    return [Block("item", text, list_level, mark)] if mark else [Block("paragraph", text)]


def heading_level(properties: Element | None, style: WordStyle) -> int:
    """Returns the level from 1; 0 for text."""
    outline = direct_outline_level(properties)
    if outline is None:
        return style.heading_level
    return outline + 1 if outline < BODY_LEVEL else 0


def goes_on(properties: Element | None) -> bool:
    """Tells whether the next paragraph continues this one: its end is deleted, or it is a large first letter."""
    if properties is None:
        return False
    ends = (properties.find(f"{W}rPr/{W}{name}") for name in ("del", "moveFrom"))
    frame = properties.find(f"{W}framePr")
    return any(end is not None for end in ends) or (
        frame is not None and frame.get(f"{W}dropCap") in ("drop", "margin")
    )


def is_mark_hidden(properties: Element | None) -> bool:
    return properties is not None and is_on(properties.find(f"{W}rPr/{W}vanish"))
