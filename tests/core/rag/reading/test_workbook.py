"""Workbooks: each visible sheet is a section with its tables, as their reader sees them."""

from __future__ import annotations

import random
import struct
from contextlib import suppress
from datetime import datetime
from functools import partialmethod
from typing import Any

import pytest

from core.contract import Omission
from core.errors import UnreadableDocument
from core.rag.documents import Document
from core.rag.reading.raw_document import RawDocument
from core.rag.reading.tables import bounded_package
from core.rag.reading.tables.sheets import RowBudget
from core.rag.reading.tables.workbook import parse_workbook, workbook_rows
from tests.core.rag.reading.support_workbooks import change_parts, sheet_of, strict, xls, xlsx, zipped

FEES: list[list[Any]] = [["City", "Fee"], ["Ottawa", 12], ["Gatineau", 7.5]]
FEES_TABLE = "| City | Fee |\n| --- | --- |\n| Ottawa | 12 |\n| Gatineau | 7.5 |"


def read(body: bytes) -> Document:
    return parse_workbook(RawDocument(body, name="Fees 2026.xlsx"))


def text_of(body: bytes) -> str:
    return "\n\n".join(passage.text for passage in read(body).passages)


def test_each_visible_sheet_is_a_section() -> None:
    """Hidden sheets are left out, and their number is said. Empty ones are no sections."""

    def build(book: Any) -> None:
        for name, word in (("Fees", "fee"), ("Rates", "rate"), ("Secret", "secret"), ("Empty", "")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, [word, word] if word else [])
        book.worksheets()[2].hide()

    document = read(xlsx(build))

    assert ("Fees 2026", "table") == (document.title, document.kind)
    assert [("Fees", "fee: fee"), ("Rates", "rate: rate")] == [
        (passage.heading, passage.text) for passage in document.passages
    ]
    assert (Omission("hidden", 3, 4),) == document.omissions


def test_values_are_shown_as_their_reader_sees_them() -> None:
    """Whole numbers, amounts, percentages, dates, times, truth values, errors, results of formulas, rich text."""

    def build(book: Any) -> None:
        def styled(code: str) -> Any:
            return book.add_format({"num_format": code})

        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["Name", "a", "b", "c", "d", "e", "f", "g", "h", "i"])
        sheet.write_row(1, 0, ["é", 3, 0.1 + 0.2])
        sheet.write(1, 3, 0.125, styled("0.0%"))
        sheet.write(1, 4, 1234.5, styled("$#,##0.00"))
        sheet.write_datetime(1, 5, datetime(2026, 4, 1, 8, 30), styled("yyyy-mm-dd hh:mm"))
        sheet.write(1, 6, True)
        sheet.write_formula(1, 7, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 8, "=B2*2", None, 6)
        sheet.write_rich_string(1, 9, "a ", book.add_format({"bold": True}), "bold", " word")

    row = "| é | 3 | 0.3 | 12.5% | $1,234.50 | 2026-04-01 08:30 | TRUE | #DIV/0! | 6 | a bold word |"
    assert row == text_of(xlsx(build)).splitlines()[2]


def test_a_formula_without_a_result_is_shown() -> None:
    """Programs that compute nothing write formulas alone."""

    def change(name: str, text: str) -> str:
        return text.replace("</f><v>0</v>", "</f>") if "sheet1" in name else text

    body = change_parts(sheet_of([["City", "Fee"], ["Ottawa", 12], ["Total", "=SUM(B2:B2)"]]), change)

    assert "| Total | =SUM(B2:B2) |" in text_of(body)


def test_a_zero_that_nobody_computed_is_shown_as_its_formula() -> None:
    """Programs that compute nothing write 0, and ask to have it computed when the file is opened."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Fees")
        sheet.write_row(0, 0, ["City", "Fee"])
        sheet.write_row(1, 0, ["Ottawa", 0])
        for row, (formula, value) in enumerate([("=SUM(B2:B2)", 0), ("=1+1", 2)], 2):
            sheet.write(row, 0, "Total")
            sheet.write_formula(row, 1, formula, None, value)

    assert "| Ottawa | 0 |\n| Total | =SUM(B2:B2) |\n| Total | 2 |" in text_of(xlsx(build))


def test_struck_and_raised_text_keeps_its_look() -> None:
    """A struck price is no price, and an exponent no digit. A style can strike a whole cell."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Fees")
        struck, raised = book.add_format({"font_strikeout": True}), book.add_format({"font_script": 1})
        sheet.write_row(0, 0, ["Item", "Fee"])
        sheet.write_rich_string(1, 0, "Area in km", raised, "2", " used")
        sheet.write_rich_string(1, 1, struck, "$20", " $25")
        sheet.write(2, 0, "Old", struck)

    assert "| Area in km² used | ~~$20~~ $25 |\n| ~~Old~~ |  |" in text_of(xlsx(build))


def test_tables_titles_and_notes_of_a_sheet_are_told_apart() -> None:
    """Empty rows separate them. A table goes on after an empty row where no new header stands."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Budget")
        sheet.merge_range(0, 1, 0, 5, "Budget of the branch")
        sheet.write_row(1, 1, ["Prepared by", "Finance"])
        sheet.merge_range(3, 2, 3, 3, "2025")
        sheet.merge_range(3, 4, 3, 5, "2026")
        sheet.write_row(4, 1, ["Region", "Plan", "Actual", "Plan", "Actual"])
        sheet.write_row(5, 1, ["East", 1, 2, 3, 4])
        sheet.write_row(7, 1, ["Total", 1, 2, 3, 4])
        sheet.write(9, 1, "Note: provisional figures.")
        sheet.write_row(11, 1, ["Code", "Meaning"])
        sheet.write_row(12, 1, ["A", "Approved"])
        sheet.insert_textbox(14, 1, "Ask Finance.")

    assert (
        "Budget of the branch\n\nPrepared by: Finance\n\n"
        "| Region | 2025 Plan | 2025 Actual | 2026 Plan | 2026 Actual |\n| --- | --- | --- | --- | --- |\n"
        "| East | 1 | 2 | 3 | 4 |\n| Total | 1 | 2 | 3 | 4 |\n\n"
        "Note: provisional figures.\n\n"
        "| Code | Meaning |\n| --- | --- |\n| A | Approved |\n\n"
        "Ask Finance."
    ) == text_of(xlsx(build))


def test_comments_stand_at_the_end() -> None:
    """They are named as such, with their cell and author."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Fees")
        sheet.write_row(0, 0, ["City", "Fee"])
        sheet.write_comment("B1", "Ana:\nPlease check.", {"author": "Ana"})

    last = read(xlsx(build)).passages[-1]

    assert "Comments" == last.heading
    assert "- Ana, on “Fees!B1”: Please check." == last.text


def test_strict_workbooks_are_read() -> None:
    """Strict Open XML has other namespaces."""
    assert FEES_TABLE == text_of(strict(sheet_of(FEES)))


def test_excel_97_is_read() -> None:
    """A library reads the older formats."""
    assert FEES_TABLE == text_of(xls("Fees", [["City", "Fee"], ["Ottawa", 12.0], ["Gatineau", 7.5]]))


def ods(tables: str) -> bytes:
    names = ("table", "office", "style", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    hidden = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    content = f"<office:document {spaces}>{hidden}<office:spreadsheet>{tables}</office:spreadsheet></office:document>"
    return zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


def ods_row(*cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


def ods_cell(text: str, attributes: str = "", inside: str = "") -> str:
    return f"<table:table-cell {attributes}>{inside}<text:p>{text}</text:p></table:table-cell>"


def test_open_document_is_read() -> None:
    """Texts as shown, dates as ISO dates, repeated cells, comments; no hidden sheets, and no empty millions of rows."""
    note = '<office:annotation xmlns:dc="d"><dc:creator>Ana</dc:creator><text:p>Check.</text:p></office:annotation>'
    rows = [
        ods_row(
            ods_cell("City"), ods_cell("Share"), ods_cell("Since"), ods_cell("x", 'table:number-columns-repeated="2"')
        ),
        ods_row(
            ods_cell("<text:span>Ottawa</text:span><text:s/>East", inside=note),
            ods_cell("12.5 %", 'office:value-type="percentage" office:value="0.125"'),
            ods_cell("1 avril", 'office:value-type="date" office:date-value="2026-04-01"'),
            '<table:table-cell table:number-columns-repeated="16000"/>',
        ),
        ods_row("<table:table-cell/>", repeated=1_048_000),
        ods_row(ods_cell("Note.")),
    ]
    hidden = f'<table:table table:name="Secret" table:style-name="h">{ods_row(ods_cell("secret"))}</table:table>'
    document = read(ods(f'<table:table table:name="Fees">{"".join(rows)}</table:table>{hidden}'))

    table = (
        "| City | Share | Since | x | x |\n| --- | --- | --- | --- | --- |\n| Ottawa East | 12.5 % | 2026-04-01 |  |  |"
    )
    assert [("Fees", f"{table}\n\nNote."), ("Comments", "- Ana, on “Fees!A2”: Check.")] == [
        (passage.heading, passage.text) for passage in document.passages
    ]
    assert (Omission("hidden", 1, 2),) == document.omissions


def test_a_wide_sheet_keeps_the_names_of_its_columns() -> None:
    """Each value stands beside its column's name."""
    names = [f"Column number {number}" for number in range(80)]
    passages = read(sheet_of([names, [f"v{number}" for number in range(80)]])).passages

    assert len(passages) > 1
    assert all("Column number 0: v0" in passage.text for passage in passages)
    assert {f"{name}: v{number}" for number, name in enumerate(names)} == {
        line for passage in passages for line in passage.text.splitlines()
    }


def test_rows_above_the_limit_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are read; the sheet itself says how many there are."""
    monkeypatch.setattr(RowBudget, "__init__", partialmethod(RowBudget.__init__, rows=3))
    document = read(sheet_of([["n", "m"], *([number, "x"] for number in range(8))]))

    assert (Omission("rows", 3, 9),) == document.omissions
    assert "| 1 | x |" in document.passages[0].text
    assert "| 2 | x |" not in document.passages[0].text


def test_a_lone_cell_in_the_last_corner_costs_nothing() -> None:
    """Sheets have 17 billion cells, and this is read like any other."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        for number, row in enumerate(FEES):
            sheet.write_row(number, 0, row)
        sheet.write(1_048_575, 16_383, "corner")

    assert f"{FEES_TABLE}\n\ncorner" == text_of(xlsx(build))


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts what is really unpacked."""
    monkeypatch.setattr(bounded_package, "UNPACKED_LIMIT_BYTES", 3000)
    with pytest.raises(UnreadableDocument) as refusal:
        read(sheet_of(FEES))

    assert "large" == refusal.value.reason


MANIFEST = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04 and no more", "damaged"),
        (zipped({"[Content_Types].xml": "", "xl/sharedStrings.xml": ""}), "damaged"),
        (zipped({"xl/workbook.xml": "<workbook>"}), "damaged"),
        (zipped({"content.xml": "", "META-INF/manifest.xml": MANIFEST}), "locked"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<"}), "damaged"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "damaged"),
        (xls("Fees", [["a"]])[:2000], "damaged"),
        (b"no workbook", "damaged"),
        (struct.pack("<HHHH", 0x809, 4, 0, 0), "damaged"),
    ],
)
def test_damaged_and_locked_workbooks_are_refused(body: bytes, reason: str) -> None:
    """The reason is one that a person can act on."""
    with pytest.raises(UnreadableDocument) as refusal:
        read(body)

    assert reason == refusal.value.reason


@pytest.mark.parametrize("seed", range(40))
def test_any_bytes_end_in_a_document_or_a_refusal(seed: int) -> None:
    """Changed bytes raise nothing else."""
    chance = random.Random(seed)
    body = bytearray(sheet_of(FEES))
    for _ in range(5):
        body[chance.randrange(len(body))] = chance.randrange(256)

    with suppress(UnreadableDocument):
        read(bytes(body))


def test_entities_are_not_expanded() -> None:
    """Billions of laughs stay one."""

    def change(name: str, text: str) -> str:
        head, mark, rest = text.partition("?>")
        is_strings = name == "xl/sharedStrings.xml"
        return f"{head}{mark}{LAUGHS}{rest.replace('Ottawa', '&b;')}" if is_strings else text

    assert "haha" not in text_of(change_parts(sheet_of(FEES), change))


def test_rows_for_a_job_are_those_of_the_first_table() -> None:
    """As CSV, without titles. What is left out of the sheet and the workbook is said."""

    def build(book: Any) -> None:
        book.add_worksheet("Empty")
        sheet = book.add_worksheet("Data")
        sheet.write(0, 0, "Requests of April")
        for number, row in enumerate([["City", "Note"], ["Ottawa", 'a, "b"'], ["Gatineau", ""]], 2):
            sheet.write_row(number, 0, row)
        sheet.write(7, 0, "Source: registry")
        book.add_worksheet("More").write_row(0, 0, ["City", "Note"])

    rows, omissions = workbook_rows(RawDocument(xlsx(build)))

    assert 'City,Note\nOttawa,"a, ""b"""\nGatineau,\n' == rows
    assert (Omission("rows", 2, 3), Omission("sheets", 1, 2)) == omissions


def test_lines_of_text_above_a_table_are_no_rows_for_a_job() -> None:
    """A list of one column is the table of a sheet that has nothing else."""
    above = [["Spending by province"], ["As of March 31, 2026"], [], ["Province", "Total"], ["Ontario", 3]]

    assert "Province,Total\nOntario,3\n" == workbook_rows(RawDocument(sheet_of(above)))[0]
    assert "City\nLaval\nHull\n" == workbook_rows(RawDocument(sheet_of([["City"], ["Laval"], ["Hull"]])))[0]


def test_each_row_for_a_job_has_the_merged_cell_that_it_shares() -> None:
    """It is read alone. A document shows merged cells once."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        sheet.merge_range(0, 0, 1, 0, "Region", None)
        sheet.merge_range(0, 1, 0, 2, "2026", None)
        sheet.write_row(1, 1, ["City", "Visits"])
        sheet.merge_range(2, 0, 4, 0, "Ontario", None)
        for row, city in enumerate(["Ottawa", "Toronto", "London"], 2):
            sheet.write_row(row, 1, [city, row])

    body = xlsx(build)

    assert workbook_rows(RawDocument(body))[0] == (
        "Region,2026 City,2026 Visits\nOntario,Ottawa,2\nOntario,Toronto,3\nOntario,London,4\n"
    )
    assert 1 == text_of(body).count("Ontario")


def test_columns_for_a_job_have_names_of_their_own() -> None:
    """An unnamed one has its letter, and names that occur twice have it too."""
    rows = [["", "Score", "Score", "Note"], ["Ann", 1, 2, "late"], ["Bob", 3, 4, ""]]

    assert workbook_rows(RawDocument(sheet_of(rows)))[0].startswith("A,Score (B),Score (C),Note\nAnn,1,2,late\n")


def test_a_form_of_labels_and_values_is_text() -> None:
    """Also with two pairs in a row, and above a table."""
    form = [["Name:", "A. Roy", "Date:", "May 1"], ["Branch:", "Finance"], [], ["Expense", "Fee"], ["Hotel", 200]]
    shown = text_of(sheet_of(form))

    assert "Name: A. Roy Date: May 1\n\nBranch: Finance\n\n| Expense | Fee |\n| --- | --- |\n| Hotel | 200 |" in shown
    assert "Expense,Fee\nHotel,200\n" == workbook_rows(RawDocument(sheet_of(form)))[0]


def test_a_workbook_without_rows_gives_none() -> None:
    """Its sheets are all empty."""
    assert ("", ()) == workbook_rows(RawDocument(sheet_of([])))
