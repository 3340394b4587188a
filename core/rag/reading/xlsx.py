"""Reads Excel workbooks in Open XML (.xlsx, .xlsm, .xltx, and "strict" ones) into sheets. Pure.

Elements are found by their local names: the transitional and the strict standard differ in their namespaces only.
A sheet is read as a stream of rows, so that neither its claimed size nor a lone cell in its last corner costs memory.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import IO, Any
from urllib.parse import unquote

from lxml import etree

from core.errors import UnreadableDocument
from core.rag.reading.comments import Comment
from core.rag.reading.number_format import BUILT_IN, GENERAL, show_number
from core.rag.reading.raw_document import NO_LIMITS, ReadingLimits
from core.rag.reading.sheets import Sheet, SparseRow, Workbook
from core.rag.reading.table_layout import ROWS_LIMIT
from core.rag.reading.zip_package import PARTS_LIMIT

UNPACKED_LIMIT_BYTES = 128 * 1024 * 1024  # of all parts that are read
CELLS_LIMIT = 250_000  # of all sheets
CELL_BORDER_CHARS = 4  # and a part of the header, which passages repeat
COLUMNS_END = 16_384  # Excel's own limit
CELL_LIMIT_CHARS = 32_767
CELL_NAME = re.compile(r"([A-Z]{1,3})(\d{1,7})")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
XML_OPTIONS: Mapping[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False}


def read_xlsx(body: bytes, limits: ReadingLimits = NO_LIMITS) -> Workbook:
    """Raises UnreadableDocument; BadZipFile, KeyError, ValueError and lxml's errors for damaged files."""
    return WorkbookReader(OpenPackage(body), limits).read()


class OpenPackage:
    """The parts of an Open XML file, with a limit on what is unpacked."""

    def __init__(self, body: bytes) -> None:
        self._zip = zipfile.ZipFile(BytesIO(body))
        if len(self._zip.infolist()) > PARTS_LIMIT:
            raise UnreadableDocument("this file has too many parts", "large")
        self._names = {name.lower(): name for name in self._zip.namelist()}
        self.left_bytes = UNPACKED_LIMIT_BYTES

    def open(self, part: str) -> BoundedPart:
        """Raises KeyError."""
        return BoundedPart(self, self._zip.open(self._names[part.lower()]))

    def xml(self, part: str) -> etree._Element | None:
        """Returns the root; None for a part that does not exist."""
        if part.lower() not in self._names:
            return None
        with self.open(part) as opened:
            return etree.parse(opened, etree.XMLParser(**XML_OPTIONS)).getroot()

    def relations(self, part: str) -> list[Relation]:
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        return [] if root is None else [build_relation(each, folder) for each in root if each.get("Target")]

    def related(self, part: str, kind: str) -> list[str]:
        """Returns the parts of this kind, such as "worksheet", that the part names."""
        return [each.target for each in self.relations(part) if each.kind == kind]


class BoundedPart:
    """A part as a file. Raises UnreadableDocument where the package has unpacked too much."""

    def __init__(self, package: OpenPackage, file: IO[bytes]) -> None:
        self._package = package
        self._file = file

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._package.left_bytes -= len(piece)
        if self._package.left_bytes < 0:
            raise UnreadableDocument("this workbook is too large when unpacked: attach the sheets that matter", "large")
        return piece

    def __enter__(self) -> BoundedPart:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@dataclass(frozen=True, slots=True)
class Relation:
    id: str
    kind: str  # the last part of its type: "worksheet"
    target: str


def build_relation(element: etree._Element, folder: str) -> Relation:
    target = unquote(element.get("Target") or "")
    path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    return Relation(element.get("Id") or "", (element.get("Type") or "").rpartition("/")[2], path)


class WorkbookReader:
    """Reads the sheets one after another, within the limits that they share."""

    def __init__(self, package: OpenPackage, limits: ReadingLimits) -> None:
        self._package = package
        self._limits = limits
        self._chars = 0
        self._part = next(iter(package.related("", "officeDocument")), "xl/workbook.xml")
        self._rows_left, self._cells_left = ROWS_LIMIT, CELLS_LIMIT
        self._strings: list[str] = []
        self._formats: list[str] = []
        self._from_1904 = False

    def read(self) -> Workbook:
        root = self._package.xml(self._part)
        if root is None:
            raise KeyError(self._part)
        properties = root.find("{*}workbookPr")
        self._from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        relations = {each.id: each for each in self._package.relations(self._part)}
        by_kind = {each.kind: each.target for each in relations.values()}
        self._strings = read_strings(self._package, by_kind.get("sharedStrings", ""))
        self._formats = read_formats(self._package.xml(by_kind.get("styles", "")))
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
            if self._is_full():
                sheet.is_cut = True
                break
            if cells:
                sheet.rows.append((number, cells))
                self._count(cells)
        for kind, target in [(each.kind, each.target) for each in self._package.relations(part)]:
            if kind == "threadedComment":
                sheet.comments += read_threads(self._package.xml(target), name, people)
            elif kind == "comments":
                sheet.comments += read_notes(self._package.xml(target), name)
            elif kind == "drawing":
                sheet.drawn_texts += read_drawing(self._package.xml(target))
        return sheet

    def _is_full(self) -> bool:
        return self._rows_left <= 0 or self._cells_left <= 0 or self._limits.reached(self._chars)

    def _count(self, cells: Mapping[int, str]) -> None:
        self._rows_left -= 1
        self._cells_left -= len(cells)
        self._chars += sum(map(len, cells.values())) + CELL_BORDER_CHARS * len(cells)

    def _rows(self, part: str, sheet: Sheet) -> Iterator[SparseRow]:
        """Yields rows as the part is read, and learns from it how many rows the sheet claims to have."""
        number = -1
        with self._package.open(part) as opened:
            for _, element in etree.iterparse(opened, events=("end",), tag=("{*}row", "{*}dimension"), **XML_OPTIONS):
                if element.tag.endswith("dimension"):
                    last = CELL_NAME.fullmatch((element.get("ref") or "").rpartition(":")[2])
                    sheet.total_rows = int(last[2]) if last else 0
                    continue
                given = element.get("r") or ""
                number = int(given) - 1 if given.isdigit() else number + 1
                yield number, self._cells(element)
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]

    def _cells(self, row: etree._Element) -> dict[int, str]:
        cells: dict[int, str] = {}
        column = -1
        for element in row:
            letters = (element.get("r") or "").rstrip("0123456789")
            column = column_number(letters) if letters else column + 1
            text = self._cell(element).strip()
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
                return plain_text(child)
        if value is None:
            return f"={formula}" if formula else ""  # written by a program that computes nothing
        if kind == "s":
            return self._strings[int(value)] if value.isdigit() and int(value) < len(self._strings) else ""
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "d":
            return value.removesuffix("T00:00:00").replace("T", " ")
        return self._number(value, element.get("s") or "") if kind == "n" else unescape(value)

    def _number(self, value: str, style: str) -> str:
        try:
            code = self._formats[int(style)] if style.isdigit() else GENERAL
            return show_number(float(value), code, from_1904=self._from_1904)
        except (ValueError, IndexError, ArithmeticError):
            return value


def read_strings(package: OpenPackage, part: str) -> list[str]:
    """Returns the texts that cells name by their number."""
    strings = []
    try:
        opened = package.open(part)
    except KeyError:
        return []
    with opened:
        for _, element in etree.iterparse(opened, events=("end",), tag="{*}si", **XML_OPTIONS):
            strings.append(plain_text(element))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return strings


def plain_text(element: etree._Element) -> str:
    """Returns the text of all runs, without the readings of Japanese signs."""
    texts = [
        child.text or "" if local_name(child) == "t" else "".join(part.text or "" for part in child.iterfind("{*}t"))
        for child in element
        if local_name(child) in ("t", "r")
    ]
    return unescape("".join(texts))[:CELL_LIMIT_CHARS]


def unescape(text: str) -> str:
    """Replaces the standard's escapes of control characters: "_x000D_"."""
    return ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text) if "_x" in text else text


def local_name(element: etree._Element) -> str:
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


@lru_cache(maxsize=COLUMNS_END)
def column_number(letters: str) -> int:
    """Returns 0 for "A", 26 for "AA"."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def read_formats(root: etree._Element | None) -> list[str]:
    """Returns the format code of each cell style."""
    if root is None:
        return []
    codes = {each.get("numFmtId"): each.get("formatCode") or "" for each in root.iterfind("{*}numFmts/{*}numFmt")}
    numbers = [each.get("numFmtId") or "0" for each in root.iterfind("{*}cellXfs/{*}xf")]
    return [
        codes.get(number) or (BUILT_IN.get(int(number), GENERAL) if number.isdigit() else GENERAL) for number in numbers
    ]


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
            remark = plain_text(text).strip()
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
