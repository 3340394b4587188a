"""Reads Excel workbooks in Open XML (.xlsx, .xlsm, .xltx, and "strict" ones) into sheets. Pure.

Elements are found by their local names: the transitional and the strict standard differ in their namespaces only.
A sheet is read as a stream of rows, so that neither its claimed size nor a lone cell in its last corner costs memory.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice

from lxml import etree

from core.rag.reading.number_format import GENERAL, show_number
from core.rag.reading.office.comments import Comment
from core.rag.reading.office.zip_package import local_name
from core.rag.reading.raw_document import NO_LIMITS, ReadingLimits
from core.rag.reading.tables.bounded_package import BoundedPackage, stream_elements
from core.rag.reading.tables.sheets import CELLS_LIMIT, RowBudget, Sheet, SparseRow, TallCell, Workbook
from core.rag.reading.tables.xlsx_texts import CellStyles, read_styles, string_text, unescape

COLUMNS_END = 16_384  # Excel's own limit
CELL_NAME = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def read_xlsx(body: bytes, limits: ReadingLimits = NO_LIMITS) -> Workbook:
    """Raises UnreadableDocument; BadZipFile, ValueError and lxml's errors for damaged files."""
    return WorkbookReader(BoundedPackage(body), limits).read()


class WorkbookReader:
    """Reads the sheets one after another, within the limits that they share."""

    def __init__(self, package: BoundedPackage, limits: ReadingLimits) -> None:
        self._package = package
        self._part = next(iter(package.related("", "officeDocument")), "xl/workbook.xml")
        self._budget = RowBudget(limits)
        self._strings: list[str] = []
        self._has_more_strings = self._lacks_string = False
        self._styles = CellStyles()
        self._from_1904 = self._is_computed_later = False

    def read(self) -> Workbook:
        root = self._package.xml(self._part)
        if root is None:
            raise zipfile.BadZipFile(f"there is no {self._part}")
        properties = root.find("{*}workbookPr")
        self._from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        computed = root.find("{*}calcPr")
        self._is_computed_later = computed is not None and computed.get("fullCalcOnLoad") in ("1", "true")
        relations = {each.id: each for each in self._package.relations(self._part)}
        by_kind = {each.kind: each.target for each in relations.values()}
        self._strings, self._has_more_strings = read_strings(self._package, by_kind.get("sharedStrings", ""))
        self._styles = read_styles(self._package.xml(by_kind.get("styles", "")))
        people = read_people(self._package.xml(by_kind.get("person", "")))
        sheets, hidden = [], 0
        for element in root.iterfind("{*}sheets/{*}sheet"):
            relation = relations.get(next((value for key, value in element.items() if key.endswith("}id")), ""))
            if element.get("state", "visible") != "visible":
                hidden += 1
            elif relation and relation.kind == "worksheet":
                sheets.append(self._sheet(element.get("name") or "", relation.target, people))
        return Workbook(sheets, hidden)

    def _sheet(self, name: str, part: str, people: Mapping[str, str]) -> Sheet:
        sheet = Sheet(name, [])
        for number, cells in self._rows(part, sheet):
            if self._budget.is_spent() or self._lacks_string:
                sheet.is_cut = True
                break
            if cells:
                sheet.rows.append((number, cells))
                self._budget.take(cells)
        for kind, target in [(each.kind, each.target) for each in self._package.relations(part)]:
            if kind == "threadedComment":
                sheet.comments += read_threads(self._package.xml(target), name, people)
            elif kind == "comments":
                sheet.comments += read_notes(self._package.xml(target), name)
            elif kind == "drawing":
                sheet.drawn_texts += read_drawing(self._package.xml(target))
        return sheet

    def _rows(self, part: str, sheet: Sheet) -> Iterator[SparseRow]:
        """Yields rows as the part is read. Learns from it the number of rows that it claims, and the tall cells."""
        number = -1
        with self._package.open(part) as opened:
            for element in stream_elements(opened, "{*}row", "{*}dimension", "{*}mergeCell"):
                if local_name(element) == "dimension":
                    last = CELL_NAME.fullmatch((element.get("ref") or "").rpartition(":")[2])
                    sheet.total_rows = int(last[2]) if last else 0
                    continue
                if local_name(element) == "mergeCell":
                    if tall := tall_cell(element.get("ref") or ""):
                        sheet.add_tall(tall)
                    continue
                given = element.get("r") or ""
                number = int(given) - 1 if given.isdigit() else number + 1
                yield number, self._cells(element)

    def _cells(self, row: etree._Element) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = -1
        for element in row:
            letters = (element.get("r") or "").rstrip("0123456789")
            column = column_number(letters) if letters else column + 1
            text = self._styles.strike(self._cell(element).strip(), element.get("s") or "")
            if text and 0 <= column < COLUMNS_END:
                cells[column] = text
        return cells

    def _cell(self, element: etree._Element) -> str:
        kind, value, formula = element.get("t", "n"), None, None
        for child in element:
            name = local_name(child)
            if name == "v":
                value = child.text or ""
            elif name == "f":
                formula = child.text
            elif name == "is":
                return string_text(child)
        if value is None or (formula and value == "0" and self._is_computed_later):
            return f"={formula}" if formula else ""  # written by a program that computes nothing
        if kind == "s":
            return self._string(value)
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "d":
            return value.removesuffix("T00:00:00").replace("T", " ")
        return self._number(value, element.get("s") or "") if kind == "n" else unescape(value)

    def _string(self, number: str) -> str:
        if number.isdigit() and int(number) < len(self._strings):
            return self._strings[int(number)]
        self._lacks_string = self._has_more_strings
        return ""

    def _number(self, value: str, style: str) -> str:
        try:
            code = self._styles.formats[int(style)] if style.isdigit() else GENERAL
            return show_number(float(value), code, from_1904=self._from_1904)
        except (ValueError, IndexError, ArithmeticError):
            return value


def read_strings(package: BoundedPackage, part: str) -> tuple[list[str], bool]:
    """Returns the texts that cells name by their number, and whether there are more.

    Writers number them as the cells need them, so cells within their own limit name none beyond the same limit.
    """
    if part not in package:
        return [], False
    with package.open(part) as opened:
        texts = (string_text(element) for element in stream_elements(opened, "{*}si"))
        strings = list(islice(texts, CELLS_LIMIT))
        return strings, next(texts, None) is not None


@lru_cache(maxsize=COLUMNS_END)
def column_number(letters: str) -> int:
    """Returns 0 for "A", 26 for "AA"."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def tall_cell(place: str) -> TallCell | None:
    """Returns merged cells such as "A2:A4"; None for cells of one row."""
    first, last = (CELL_NAME.fullmatch(name) for name in (place.partition(":")[0], place.rpartition(":")[2]))
    if first is None or last is None or int(first[2]) >= int(last[2]):
        return None
    return column_number(first[1]), int(first[2]) - 1, int(last[2]) - 1


def read_people(root: etree._Element | None) -> dict[str, str]:
    return {} if root is None else {each.get("id") or "": each.get("displayName") or "" for each in root}


def read_threads(root: etree._Element | None, sheet: str, people: Mapping[str, str]) -> list[Comment]:
    """Returns the comments and their replies."""
    return [
        Comment(people.get(each.get("personId") or "", ""), each.findtext("{*}text") or "", place_of(sheet, each))
        for each in (() if root is None else root)
    ]


def read_notes(root: etree._Element | None, sheet: str) -> list[Comment]:
    """Returns the notes, which older programs call comments, without the copies of threads that Excel makes for them.

    Excel begins the text of a note with its author's name.
    """
    if root is None:
        return []
    authors = [each.text or "" for each in root.iterfind("{*}authors/{*}author")]
    notes = []
    for each in root.iterfind("{*}commentList/{*}comment"):
        number, text = each.get("authorId") or "", each.find("{*}text")
        author = authors[int(number)] if number.isdigit() and int(number) < len(authors) else ""
        if text is not None and not author.startswith("tc="):
            remark = string_text(text).strip()
            notes.append(
                Comment(author, remark.removeprefix(f"{author}:") if author else remark, place_of(sheet, each))
            )
    return notes


def place_of(sheet: str, comment: etree._Element) -> str:
    return f"{sheet}!{comment.get('ref') or ''}"


def read_drawing(root: etree._Element | None) -> list[str]:
    """Returns the paragraphs of text boxes and shapes."""
    if root is None:
        return []
    paragraphs = ("".join(run.text or "" for run in each.iter("{*}t")) for each in root.iter("{*}p"))
    return [text for each in paragraphs if (text := each.strip())]
