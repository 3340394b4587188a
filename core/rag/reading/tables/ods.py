"""Reads OpenDocument workbooks (.ods) into sheets, as a stream of rows. Pure.

A cell holds its value and the text that its reader sees; the text is taken, except for dates. A row or cell that
repeats is written once with its count: empty ones repeat a million times.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from core.rag.reading.office.comments import Comment
from core.rag.reading.office.zip_package import local_name
from core.rag.reading.raw_document import NO_LIMITS, ReadingLimits
from core.rag.reading.tables.bounded_package import XML_OPTIONS, BoundedPackage
from core.rag.reading.tables.sheets import RowBudget, Sheet, Workbook, column_letters

BLANKS = frozenset(("s", "tab", "line-break"))
REPEATS_LIMIT = 1024  # of a row or cell with text
TABLE, OFFICE, STYLE, TEXT = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("table", "office", "style", "text")
)

TAGS = (f"{STYLE}style", f"{TABLE}table", f"{TABLE}table-row", f"{TABLE}shapes")


def read_ods(body: bytes, limits: ReadingLimits = NO_LIMITS) -> Workbook:
    """Raises UnreadableDocument; BadZipFile and lxml's errors for damaged files."""
    package = BoundedPackage(body)
    with package.open("content.xml") as part:
        return OdsReader(RowBudget(limits)).read(
            etree.iterparse(part, events=("start", "end"), tag=TAGS, **XML_OPTIONS)
        )


class OdsReader:
    def __init__(self, budget: RowBudget) -> None:
        self._budget = budget
        self._hidden_styles: set[str] = set()
        self._sheets: list[Sheet] = []
        self._hidden = 0
        self._sheet: Sheet | None = None  # the current one, if it is visible
        self._row = 0
        self._depth = 0  # of tables in tables

    def read(self, events: Iterator[tuple[str, etree._Element]]) -> Workbook:
        for event, element in events:
            name = local_name(element)
            if name == "table":
                self._table(element, opens=event == "start")
            elif event == "end" and name == "style":
                self._style(element)
            elif event == "end" and self._depth == 1:
                if name == "table-row":
                    self._add_row(element)
                elif self._sheet:
                    self._sheet.drawn_texts += [text for each in element.iter(f"{TEXT}p") if (text := shown_text(each))]
            if event == "end":
                element.clear()
        return Workbook(self._sheets, self._hidden)

    def _style(self, element: etree._Element) -> None:
        properties = element.find(f"{STYLE}table-properties")
        if properties is not None and properties.get(f"{TABLE}display") == "false":
            self._hidden_styles.add(element.get(f"{STYLE}name") or "")

    def _table(self, element: etree._Element, *, opens: bool) -> None:
        self._depth += 1 if opens else -1
        if not opens or self._depth != 1:
            return
        self._row = 0
        if element.get(f"{TABLE}style-name") in self._hidden_styles:
            self._sheet = None
            self._hidden += 1
        else:
            self._sheet = Sheet(element.get(f"{TABLE}name") or "", [])
            self._sheets.append(self._sheet)

    def _add_row(self, element: etree._Element) -> None:
        repeats = count_of(element, "number-rows-repeated")
        number, self._row = self._row, self._row + repeats
        if self._sheet is None or not (cells := self._cells(element, number)):
            return
        for row in range(number, number + min(repeats, REPEATS_LIMIT)):
            self._sheet.total_rows = row + 1
            if self._budget.is_spent():
                self._sheet.is_cut = True
            else:
                self._sheet.rows.append((row, cells))
                self._budget.take(cells)

    def _cells(self, row: etree._Element, number: int) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = 0
        for element in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            repeats = count_of(element, "number-columns-repeated")
            if text := cell_text(element):
                cells.update(dict.fromkeys(range(column, column + min(repeats, REPEATS_LIMIT)), text))
            rows = count_of(element, "number-rows-spanned")
            if rows > 1 and text and self._sheet is not None:
                self._sheet.add_tall((column, number, number + rows - 1))
            self._note(element, number, column)
            column += repeats
        return cells

    def _note(self, element: etree._Element, row: int, column: int) -> None:
        note = element.find(f"{OFFICE}annotation")
        if note is not None and self._sheet is not None:
            remark = " ".join(shown_text(each) for each in note.iter(f"{TEXT}p"))
            place = f"{self._sheet.name}!{column_letters(column)}{row + 1}"
            self._sheet.comments.append(Comment(note.findtext("{*}creator") or "", remark, place))


def cell_text(element: etree._Element) -> str:
    """Returns the text that the reader sees; of a date, ISO 8601."""
    if date := str(element.get(f"{OFFICE}date-value") or ""):
        return date.removesuffix("T00:00:00").replace("T", " ")
    text = " ".join(filter(None, (shown_text(each) for each in element.iterchildren(f"{TEXT}p"))))
    return text or str(element.get(f"{OFFICE}value") or "")


def shown_text(paragraph: etree._Element) -> str:
    """Returns the text of a paragraph. Blanks that repeat are elements of their own."""
    parts = [paragraph.text or ""]
    for child in paragraph.iterdescendants():
        parts += [" " if local_name(child) in BLANKS else child.text or "", child.tail or ""]
    return " ".join("".join(parts).split())


def count_of(element: etree._Element, attribute: str) -> int:
    value = element.get(f"{TABLE}{attribute}") or "1"
    return int(value) if value.isdigit() and len(value) < 8 else 1
