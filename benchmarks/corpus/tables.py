"""Workbooks, CSV and other tables, as public servants keep them."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from benchmarks.corpus import Sample
from tests.core.rag.reading.support_workbooks import sheet_of, strict, xls, xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
CSV, TSV = "text/csv", "text/tab-separated-values"
CITIES = ["Ottawa", "Gatineau", "Montréal", "Québec", "Iqaluit", "Whitehorse", "St. John’s", "Trois-Rivières"]
BRANCHES = ["Finance", "Human Resources", "Affaires juridiques", "Digital Services", "Policy and Research"]
NOTES = ["approved by the director", "en attente d’une signature", "to be reviewed in the spring", "refusé"]

Row = Sequence[Any]


def shown(rows: Sequence[Row]) -> str:
    return "\n".join(" ".join(str(cell) for cell in row if cell != "") for row in rows)


def table(count: int, seed: int) -> list[list[Any]]:
    """Makes rows of employees' travel, with their header."""
    chance = random.Random(seed)
    rows: list[list[Any]] = [["File", "City", "Branch", "Amount", "Note"]]
    for number in range(count):
        amount = chance.randrange(10, 9000)
        rows.append([f"TR-{number:04}", chance.choice(CITIES), chance.choice(BRANCHES), amount, chance.choice(NOTES)])
    return rows


def written(rows: Sequence[Row], delimiter: str = ",") -> str:
    text = StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def workbook(name: str, body: bytes, words: str) -> Sample:
    return Sample(f"{name}.xlsx", XLSX, body, words)


def formats() -> Sample:
    """Percentages, currencies, thousands, employee numbers, dates, times, durations."""
    codes = {1: "0.0%", 2: "$#,##0.00", 3: "#,##0", 4: "00000", 5: "yyyy-mm-dd", 6: "hh:mm", 7: "[h]:mm"}
    header = ["Project", "Share", "Cost", "People", "Code", "Start", "Opens", "Effort"]
    start, seen = datetime(2026, 4, 1), [header]

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Projects")
        styles = {column: book.add_format({"num_format": code}) for column, code in codes.items()}
        sheet.write_row(0, 0, header)
        for row in range(1, 40):
            day = start + timedelta(days=row)
            values = [f"Project {row}", row / 40, row * 1234.5, row * 1111, row, day, row / 96, row / 8]
            for column, value in enumerate(values):
                sheet.write(row, column, value, styles.get(column))
            hours, minutes = divmod(row * 15, 60)
            effort = divmod(row * 180, 60)
            when = [f"{day:%Y-%m-%d}", f"{hours:02}:{minutes:02}", f"{effort[0]}:{effort[1]:02}"]
            counts = [f"{row * 2.5:.1f}%", f"${row * 1234.5:,.2f}", f"{row * 1111:,}", f"{row:05}"]
            seen.append([values[0], *counts, *when])

    body = xlsx(build)
    return workbook("formats", body, "Projects\n" + shown(seen))


def report() -> Sample:
    """A title, notes, groups of columns, totals, a second table, a text box and a comment."""
    regions = [[city, *range(number, number + 4)] for number, city in enumerate(CITIES, 10)]

    def build(book: Any) -> None:
        sheet = book.add_worksheet("Budget")
        sheet.merge_range("B2:F2", "Budget of the branch, in thousands of dollars")
        sheet.write("B3", "Prepared by the Chief Financial Officer")
        sheet.merge_range("C5:D5", "Last year")
        sheet.merge_range("E5:F5", "This year")
        sheet.write_row("B6", ["Region", "Plan", "Actual", "Plan", "Actual"])
        for row, values in enumerate(regions, 6):
            sheet.write_row(row, 1, values)
        sheet.write(16, 1, "Total")
        sheet.write_formula(16, 2, "=SUM(C7:C14)", None, sum(row[1] for row in regions))
        sheet.write_row(19, 1, ["Code", "Meaning"])
        sheet.write_row(20, 1, ["AS", "Administrative Services"])
        sheet.write_row(21, 1, ["PM", "Programme Administration"])
        sheet.insert_textbox("H2", "Figures may change until May.")
        sheet.write_comment("C7", "Please check this amount.", {"author": "Ana"})

    words = (
        "Budget\nBudget of the branch, in thousands of dollars\nPrepared by the Chief Financial Officer\n"
        "Region Last year Plan Last year Actual This year Plan This year Actual\n"
        + shown(regions)
        + f"\nTotal {sum(row[1] for row in regions)}\nCode Meaning\nAS Administrative Services\n"
        "PM Programme Administration\nFigures may change until May.\nPlease check this amount."
    )
    return workbook("report", xlsx(build), words)


def several_sheets() -> Sample:
    every = {name: table(15, seed) for seed, name in enumerate(["Avril", "Mai", "Juin"], 40)}
    for name, rows in every.items():
        rows[0][3] = f"Amount in {name}"

    def build(book: Any) -> None:
        for name, rows in every.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        hidden = book.add_worksheet("Calculations")
        hidden.write(0, 0, "nobody sees this")
        hidden.hide()

    return workbook("several-sheets", xlsx(build), "\n".join(f"{name}\n{shown(rows)}" for name, rows in every.items()))


def errors_and_truths() -> Sample:
    def build(book: Any) -> None:
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["Item", "Valid", "Ratio"])
        for row in range(1, 20):
            sheet.write_row(row, 0, [f"item {row}", row % 2 == 0])
            sheet.write_formula(row, 2, f"=1/{row % 3}", None, "#DIV/0!" if row % 3 == 0 else row % 3)

    rows = [[f"item {n}", str(n % 2 == 0).upper(), "#DIV/0!" if n % 3 == 0 else n % 3] for n in range(1, 20)]
    return workbook("errors", xlsx(build), "Data\nItem Valid Ratio\n" + shown(rows))


def wide(columns: int, rows: int) -> list[list[Any]]:
    names = [f"Indicator {column} of programme" for column in range(columns)]
    return [
        ["Region", *names],
        *([f"Region {row}", *(row * 1000 + column for column in range(columns))] for row in range(rows)),
    ]


def samples() -> Iterator[Sample]:
    travel = table(60, 1)
    yield workbook("travel", sheet_of(travel), "Data\n" + shown(travel))
    yield workbook("strict", strict(sheet_of(table(20, 2))), "Data\n" + shown(table(20, 2)))
    yield formats()
    yield report()
    yield several_sheets()
    yield errors_and_truths()
    yield workbook("wide", sheet_of(wide(45, 40)), "Data\n" + shown(wide(45, 40)))
    floats = [["Measure", "Value"], *([f"measure {n}", 0.1 * n] for n in range(1, 30))]
    yield workbook(
        "floats",
        sheet_of(floats),
        "Data\n" + shown([[name, f"{value:.15g}" if n else value] for n, (name, value) in enumerate(floats)]),
    )
    old = [["City", "Branch", "Amount"], *([city, branch, 125.5] for city in CITIES for branch in BRANCHES)]
    yield Sample("old.xls", XLS, xls("Data", old), "Data\n" + shown(old))
    yield from csv_samples()


def csv_samples() -> Iterator[Sample]:
    rows = table(50, 7)
    yield Sample("comma.csv", CSV, written(rows).encode(), shown(rows))
    yield Sample("semicolon.csv", CSV, ("sep=;\r\n" + written(rows, ";")).encode("utf-8-sig"), shown(rows))
    yield Sample("western.csv", CSV, written(rows, ";").encode("cp1252"), shown(rows))
    yield Sample("mac.csv", CSV, written(rows, ";").encode("mac_roman"), shown(rows))
    yield Sample("utf16.csv", CSV, written(rows, "\t").encode("utf-16-le"), shown(rows))
    yield Sample("tabs.tsv", TSV, written(rows, "\t").encode(), shown(rows))
    faulty = written(rows).encode() + b"TR-9999,Montr\xe9al,Finance,1,ok\r\n"
    yield Sample("faulty.csv", CSV, faulty, shown([*rows, ["TR-9999", "Montréal", "Finance", 1, "ok"]]))
    title = [["Travel of the branch", "", "", "", ""], ["Period", "2026", "", "", ""], ["", "", "", "", ""]]
    yield Sample("preamble.csv", CSV, written([*title, *rows]).encode(), shown([*title, *rows]))
    decimals = [["Ville", "Prix", "Taxe"], *([city, f"{n},50", f"0,{n:02}"] for n, city in enumerate(CITIES * 3, 10))]
    yield Sample("decimals.csv", CSV, written(decimals, ";").encode(), shown(decimals))
    quoted = [["Id", "Text"], *([n, f'first line,\nsecond line; {note} "quoted"'] for n, note in enumerate(NOTES * 4))]
    yield Sample("quoted.csv", CSV, written(quoted).encode(), shown(quoted))
    broad = wide(30, 40)
    yield Sample("broad.csv", CSV, written(broad).encode(), shown(broad))
    records = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    yield Sample("records.json", "application/json", json.dumps(records).encode(), shown(rows))
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    yield Sample("records.jsonl", "application/x-ndjson", lines.encode(), shown(rows))
