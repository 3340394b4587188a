"""Reads the blocks of an OpenDocument text: headings, paragraphs, lists, tables, boxes, notes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.rag.documents import Block, collapse_blanks, one_line
from core.rag.passages import HEADING_LIMIT_CHARS
from core.rag.reading.office.grid import COLUMNS_LIMIT, GridCell, GridRow, flat_text, grid_blocks
from core.rag.reading.office.list_counting import BULLET, LAST_LEVEL, NumberedList
from core.rag.reading.office.zip_package import Element
from core.rag.reading.open_document.inline import InlineReader
from core.rag.reading.open_document.names import DRAW, OFFICE, TABLE, TEXT, UNSEEN, XML_ID, is_hidden, whole_number
from core.rag.reading.open_document.styles import OUTLINE, OpenStyles
from core.rag.reading.raw_document import ReadingProgress

ROWS_LIMIT = 1000  # that one row stands for
CELLS = (f"{TABLE}table-cell", f"{TABLE}covered-table-cell")


@dataclass(slots=True)
class ListPlace:
    """A place in a list. `marker`: of the item that begins here, until its first paragraph takes it."""

    numbers: NumberedList = field(default_factory=lambda: NumberedList({}))
    style: str = ""
    level: int = -1
    opens_item: bool = False


class OpenBodyReader:
    """Reads one container after another, in the document's order, because lists are counted."""

    def __init__(self, styles: OpenStyles, inline: InlineReader, progress: ReadingProgress) -> None:
        self.progress = progress
        self.title = ""  # the first paragraph that is formatted as one
        self._styles = styles
        self._inline = inline
        self._outline = NumberedList(styles.lists.get(OUTLINE, {}))
        self._by_style: dict[str, NumberedList] = {}  # the last list of each style
        self._by_id: dict[str, NumberedList] = {}
        self._place = ListPlace()
        self._depth = 0  # of boxes, cells and notes
        self._notes: list[tuple[str, Element]] = []

    def read(self, container: Element) -> list[Block]:
        """Returns the blocks. Notes follow the paragraph or the table that refers to them."""
        outer, self._place = self._place, ListPlace()
        self._depth += 1
        blocks = list(self._children(container))
        self._depth -= 1
        self._place = outer
        return blocks

    def _children(self, parent: Element) -> Iterator[Block]:
        for child in parent:
            if child.tag not in UNSEEN and not is_hidden(child):
                yield from self._block(child)
                if self._depth == 1:
                    yield from self._take_notes()

    def _block(self, element: Element) -> Iterator[Block]:
        if element.tag in (f"{TEXT}p", f"{TEXT}h"):
            yield from self._paragraph(element)
        elif element.tag == f"{TEXT}list":
            yield from self._list(element)
        elif element.tag == f"{TABLE}table":
            yield from grid_blocks(list(self._rows(element)))
        elif element.tag == f"{OFFICE}annotation":
            return
        elif element.tag.startswith(DRAW) and element.find(f"{TEXT}p") is not None:
            yield from self.read(element)
        else:
            yield from self._children(element)

    def _take_notes(self) -> list[Block]:
        notes, self._notes = self._notes, []
        texts = [(mark, one_line(flat_text(self.read(body)))) for mark, body in notes]
        return [Block("paragraph", f"({mark}) {text}") for mark, text in texts if text]

    def _paragraph(self, element: Element) -> Iterator[Block]:
        if self.progress.is_over() or any(is_hidden(each) for each in element.iter(f"{TEXT}hidden-paragraph")):
            return
        read = self._inline.read(element)
        self._notes += read.notes
        if text := collapse_blanks(read.line.end()):
            self.progress.chars += len(text)
            yield from self._text_blocks(element, text)
        elif self._depth > 1 and self._place.opens_item and (marker := self._take_marker()) not in ("", BULLET):
            yield Block("paragraph", marker)  # a column of a table that only numbers its rows
        for box in read.boxes:
            yield from self.read(box)

    def _text_blocks(self, element: Element, text: str) -> Iterator[Block]:
        is_title = self._styles.of(element).is_title
        if is_title and not self.title:
            self.title = one_line(text)
        if element.tag == f"{TEXT}h" or is_title:
            heading = one_line(f"{self._heading_number(element)} {text}")
            yield Block("heading", heading, min(whole_number(element, f"{TEXT}outline-level"), LAST_LEVEL + 1))
            if len(heading) > HEADING_LIMIT_CHARS:
                # The headings above a passage are shortened. A long one is text too.
                yield Block("paragraph", heading)
        elif self._place.opens_item and (marker := self._take_marker()):
            yield Block("item", text, self._place.level, marker)
        else:
            yield Block("paragraph", text)

    def _take_marker(self) -> str:
        self._place.opens_item = False
        return self._place.numbers.advance(self._place.level)

    def _heading_number(self, element: Element) -> str:
        """Returns the number that a heading's list or the outline gives it."""
        if element.tag == f"{TEXT}p" or element.get(f"{TEXT}is-list-header") == "true":
            return ""
        if self._place.opens_item:
            marker = self._take_marker()
            return "" if marker == "-" else marker
        level = min(whole_number(element, f"{TEXT}outline-level") - 1, LAST_LEVEL)
        if f"{TEXT}start-value" in element.attrib:
            self._outline.starts[level] = whole_number(element, f"{TEXT}start-value")
        return self._outline.advance(level) if level in self._outline.levels else ""

    def _list(self, element: Element) -> Iterator[Block]:
        outer, style = self._place, element.get(f"{TEXT}style-name") or self._place.style
        is_nested = outer.level >= 0
        numbers = outer.numbers if is_nested and style == outer.style else self._numbers(element, style)
        self._place = ListPlace(numbers, style, min(outer.level + 1, LAST_LEVEL))
        for item in element:
            self._place.opens_item = item.tag == f"{TEXT}list-item"
            if f"{TEXT}start-value" in item.attrib:
                numbers.starts[self._place.level] = whole_number(item, f"{TEXT}start-value")
            yield from self._children(item)
        self._place = outer

    def _numbers(self, element: Element, style: str) -> NumberedList:
        """Returns the counts of a list: its own, or those of the list that it continues."""
        continued = self._by_id.get(element.get(f"{TEXT}continue-list", ""))
        if continued is None and element.get(f"{TEXT}continue-numbering") == "true":
            continued = self._by_style.get(style)
        numbers = continued or NumberedList(self._styles.lists.get(style, {}))
        self._by_style[style] = numbers
        if list_id := element.get(XML_ID):
            self._by_id[list_id] = numbers
        return numbers

    def _rows(self, parent: Element, *, is_header: bool = False) -> Iterator[GridRow]:
        for child in parent:
            if child.tag == f"{TABLE}table-row":
                if child.get(f"{TABLE}visibility", "visible") == "visible":
                    yield from self._row(child, is_header=is_header)
            elif child.tag not in UNSEEN:
                yield from self._rows(child, is_header=is_header or child.tag == f"{TABLE}table-header-rows")

    def _row(self, element: Element, *, is_header: bool) -> list[GridRow]:
        cells: list[GridCell] = []
        covered = 0  # columns that the last cell spans and that stand here too
        for cell in (each for each in element if each.tag in CELLS):
            count = min(whole_number(cell, f"{TABLE}number-columns-repeated"), COLUMNS_LIMIT)
            if cell.tag == CELLS[1]:
                shown = max(count - covered, 0)
                covered = max(covered - count, 0)
                cells += [GridCell()] * shown
                continue
            columns = min(whole_number(cell, f"{TABLE}number-columns-spanned"), COLUMNS_LIMIT)
            covered = columns - 1
            cells += [GridCell(self.read(cell), columns)] * count
        row = GridRow(cells, is_header)
        chars = sum(map(len, row.texts))
        count = min(whole_number(element, f"{TABLE}number-rows-repeated"), ROWS_LIMIT) if chars else 1
        self.progress.chars += chars * (count - 1)
        return [row] * count
