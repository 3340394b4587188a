"""Reads workbooks: each visible sheet is a section with its tables. Pure."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable
from io import BytesIO, StringIO

from core.contract import Omission
from core.errors import UnreadableDocument
from core.language import detect_language
from core.rag.documents import Block, Document
from core.rag.reading.office.comments import comment_blocks
from core.rag.reading.office.zip_package import refuse_damage, require_unpacked_size
from core.rag.reading.raw_document import LANGUAGE_SAMPLE_BLOCKS, RawDocument
from core.rag.reading.tables.calamine_book import read_with_calamine
from core.rag.reading.tables.ods import read_ods
from core.rag.reading.tables.records import sheet_records
from core.rag.reading.tables.sheets import Workbook, sheet_blocks
from core.rag.reading.tables.xlsx import read_xlsx
from core.rag.reading.tables.xml_spreadsheet import read_xml_spreadsheet

MANIFEST, ENCRYPTED = "META-INF/manifest.xml", b"manifest:encryption-data"  # of OpenDocument
MARKS_AND_BLANKS = b"\xef\xbb\xbf \t\r\n"
MANIFEST_LIMIT_BYTES = 1 << 20


def parse_workbook(raw: RawDocument) -> Document:
    """Reads the visible sheets; comments stand at the end. Raises UnreadableDocument."""
    workbook = read_workbook(raw)
    blocks: list[Block] = []
    omissions = [*omitted_sheets(workbook)]
    for sheet in workbook.sheets:
        tables, left_out = sheet_blocks(sheet)
        drawn = [Block("paragraph", text) for text in sheet.drawn_texts]
        if tables or drawn:
            blocks += [Block("heading", sheet.name, 2), *tables, *drawn]
        omissions += left_out
    comments = [comment for sheet in workbook.sheets for comment in sheet.comments]
    language = detect_language("\n".join(block.text for block in blocks[:LANGUAGE_SAMPLE_BLOCKS]))
    blocks += comment_blocks(comments, language)
    return raw.document(blocks, kind="table", omissions=tuple(omissions))


def read_workbook(raw: RawDocument) -> Workbook:
    """Raises UnreadableDocument."""
    with refuse_damage("this workbook cannot be read: it is damaged"):
        return read_parts(raw)


def read_parts(raw: RawDocument) -> Workbook:
    """Chooses the reader by the parts of the package. Excel 97 files are no packages."""
    body = raw.body
    if body.lstrip(MARKS_AND_BLANKS)[:1] == b"<":
        return read_xml_spreadsheet(body, raw.limits)
    if not body.startswith(b"PK"):
        return read_with_calamine(body)
    with zipfile.ZipFile(BytesIO(body)) as packed:
        names = set(packed.namelist())
        if MANIFEST in names and ENCRYPTED in packed.open(MANIFEST).read(MANIFEST_LIMIT_BYTES):
            raise UnreadableDocument("this workbook is locked by a password: attach it without one", "locked")
    if "content.xml" in names:
        return read_ods(body, raw.limits)
    if "xl/workbook.bin" not in names:
        return read_xlsx(body, raw.limits)
    require_unpacked_size(body)
    return read_with_calamine(body)


def workbook_rows(raw: RawDocument) -> tuple[str, tuple[Omission, ...]]:
    """Returns the first table of the first sheet that has any, as CSV with the columns' names; "" without rows.

    Titles above the names are left out, and other tables below it, which count as omitted rows. Raises
    UnreadableDocument.
    """
    workbook = read_workbook(raw)
    filled = [sheet for sheet in workbook.sheets if sheet.rows]
    if not filled:
        return "", ()
    rows, left_out = sheet_records(filled[0])
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    omissions = [*omitted_sheets(Workbook(filled[:1]))]
    if left_out:
        omissions.append(Omission("rows", len(rows) - 1, len(rows) - 1 + left_out))  # without the header
    if len(filled) > 1:
        omissions.append(Omission("sheets", 1, len(filled)))
    return written.getvalue(), tuple(omissions)


def omitted_sheets(workbook: Workbook) -> Iterable[Omission]:
    """Tells which sheets are hidden, and how many rows were read if a limit was reached."""
    if workbook.hidden_sheets:
        shown = len(workbook.sheets)
        yield Omission("hidden", shown, shown + workbook.hidden_sheets)
    if any(sheet.is_cut for sheet in workbook.sheets):
        read = sum(len(sheet.rows) for sheet in workbook.sheets)
        total = sum(max(sheet.total_rows, len(sheet.rows)) for sheet in workbook.sheets)
        yield Omission("rows", read, total if total > read else 0)
