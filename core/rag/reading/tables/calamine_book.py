"""Reads the workbooks that are not XML: Excel 97 (.xls) and binary Excel (.xlsb). Pure."""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from core.errors import UnreadableDocument
from core.rag.reading.number_format import show_value
from core.rag.reading.table_layout import ROWS_LIMIT
from core.rag.reading.tables.sheets import Sheet, SparseRow, Workbook


def read_with_calamine(body: bytes) -> Workbook:
    """Raises UnreadableDocument."""
    try:
        book = CalamineWorkbook.from_filelike(BytesIO(body))
        visible = [
            each.name
            for each in book.sheets_metadata
            if each.typ is SheetTypeEnum.WorkSheet and each.visible is SheetVisibleEnum.Visible
        ]
        hidden = sum(each.visible is not SheetVisibleEnum.Visible for each in book.sheets_metadata)
        sheets: list[Sheet] = []
        for name in visible:
            sheets.append(read_sheet(book, name, ROWS_LIMIT - sum(len(sheet.rows) for sheet in sheets)))
    except PasswordError as exc:
        raise UnreadableDocument("this workbook is locked by a password: attach it without one", "locked") from exc
    except BaseException as exc:
        # A panic of the library is no Exception, and its class has no public name.
        if isinstance(exc, CalamineError) or type(exc).__name__ == "PanicException":
            raise UnreadableDocument(f"this workbook cannot be read: {type(exc).__name__}", "damaged") from exc
        raise
    return Workbook(sheets, hidden)


def read_sheet(book: CalamineWorkbook, name: str, limit: int) -> Sheet:
    sheet = book.get_sheet_by_name(name)
    first = sheet.start[0] if sheet.start else 0
    rows = [sparse_row(number, cells) for number, cells in enumerate(islice(sheet.iter_rows(), limit), first)]
    is_cut = sheet.total_height > limit
    return Sheet(name, [row for row in rows if row[1]], is_cut, sheet.total_height)


def sparse_row(number: int, cells: list[Any]) -> SparseRow:
    shown = ((column, show_value(cell).strip()) for column, cell in enumerate(cells) if cell != "")
    return number, {column: text for column, text in shown if text}
