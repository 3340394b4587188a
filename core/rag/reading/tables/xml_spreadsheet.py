"""Reads XML Spreadsheet 2003, which many programs export and name .xls. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from core.rag.reading.number_format import show_value
from core.rag.reading.office.comments import Comment
from core.rag.reading.office.zip_package import Element, parse_xml
from core.rag.reading.raw_document import ReadingLimits
from core.rag.reading.tables.sheets import RowBudget, Sheet, Workbook

SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
VISIBLE = "{urn:schemas-microsoft-com:office:excel}WorksheetOptions/{urn:schemas-microsoft-com:office:excel}Visible"
PLACE_LIMIT = 1_000_000


def read_xml_spreadsheet(body: bytes, limits: ReadingLimits) -> Workbook:
    """Raises XMLSyntaxError and ValueError for damaged XML."""
    root = parse_xml(body.lstrip())
    budget = RowBudget(limits)
    shown = [each for each in root.iterfind(f"{SS}Worksheet") if each.findtext(VISIBLE) is None]
    hidden = sum(1 for _ in root.iterfind(f"{SS}Worksheet")) - len(shown)
    return Workbook([read_sheet(each, budget) for each in shown], hidden)


def read_sheet(worksheet: Element, budget: RowBudget) -> Sheet:
    sheet = Sheet(worksheet.get(f"{SS}Name", ""), [])
    for number, row in placed(worksheet.iterfind(f"{SS}Table/{SS}Row")):
        if budget.is_spent():
            sheet.is_cut = True
            break
        cells = row_cells(row, sheet.comments)
        if cells:
            sheet.rows.append((number, cells))
            budget.take(cells)
    return sheet


def row_cells(row: Element, comments: list[Comment]) -> Mapping[int, str]:
    cells: dict[int, str] = {}
    for column, cell in placed(row.iterfind(f"{SS}Cell")):
        data = cell.find(f"{SS}Data")
        text = "" if data is None else shown_value(data.get(f"{SS}Type", ""), "".join(data.itertext()).strip())
        if text:
            cells[column] = text
        comment = cell.find(f"{SS}Comment")
        if comment is not None and (words := "".join(comment.itertext()).strip()):
            comments.append(Comment(comment.get(f"{SS}Author", ""), words, text))
    return cells


def placed(elements: Iterator[Element]) -> Iterator[tuple[int, Element]]:
    """Yields the place, from 0, of each row or cell. `ss:Index` counts from 1, and skips empty ones."""
    place = -1
    for element in elements:
        index = element.get(f"{SS}Index", "")
        place = min(int(index) - 1, PLACE_LIMIT) if index.isdecimal() else place + 1
        yield place, element
        across = element.get(f"{SS}MergeAcross", "")
        place += min(int(across), PLACE_LIMIT) if across.isdecimal() else 0


def shown_value(kind: str, text: str) -> str:
    try:
        if kind == "Number":
            return show_value(float(text))
        if kind == "DateTime":
            return show_value(datetime.fromisoformat(text))
    except ValueError:
        return text
    return show_value(text == "1") if kind == "Boolean" else text
