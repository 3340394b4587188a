"""Tables of Word files: merged cells, names of columns, tables in tables, and tables that only lay out."""

from __future__ import annotations

import pytest

from tests.core.rag.reading.support_word import read, text_of, texts
from tests.support import word_files as w


def test_merged_cells_are_read_once() -> None:
    """Over columns and over rows."""
    wide, top, rest = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    body = w.table(
        w.row("Group", "Level", "Rate"),
        w.row(w.cell("AS", top), "1", "50"),
        w.row(w.cell("", rest), "2", "60"),
        w.row(w.cell("Others", wide), "40"),
    )

    assert text_of(body).split("\n")[2:] == ["| AS | 1 | 50 |", "|  | 2 | 60 |", "| Others |  | 40 |"]


def test_the_names_of_columns_are_kept() -> None:
    """Rows that are marked as a header are one; a title that spans the table stands above it."""
    header = "<w:tblHeader/>"
    body = w.table(
        w.row(w.cell("Rates of 2026", '<w:gridSpan w:val="3"/>'), properties=header),
        w.row("", w.cell("Rate", '<w:gridSpan w:val="2"/>'), properties=header),
        w.row("Group", "Day", "Year", properties=header),
        w.row("AS", "50", "900"),
    )

    assert text_of(body) == (
        "Rates of 2026\n\n| Group | Rate Day | Rate Year |\n| --- | --- | --- |\n| AS | 50 | 900 |"
    )


@pytest.mark.parametrize("mark", ["", "<w:tblHeader/>"])
def test_names_may_stand_in_two_rows(mark: str) -> None:
    """A group of columns is a part of their names. A name may be as tall as both rows."""
    tall, below, wide = '<w:vMerge w:val="restart"/>', "<w:vMerge/>", '<w:gridSpan w:val="2"/>'
    body = w.table(
        w.row(w.cell("Place", tall), w.cell("Fees", wide), w.cell("Note", tall), properties=mark),
        w.row(w.cell("", below), "Adult", "Child", w.cell("", below)),
        w.row("Hull", "free", "free", "closed"),
    )

    assert "| Place | Fees Adult | Fees Child | Note |\n| --- | --- | --- | --- |\n| Hull | free | free | closed |" == (
        text_of(body)
    )


@pytest.mark.parametrize(
    ("groups", "header"),
    [
        (w.row("", w.cell("2025", '<w:gridSpan w:val="2"/>')), "| Place | 2025 Adult | 2025 Child |"),
        (w.row("Who", w.cell("Fees", '<w:gridSpan w:val="2"/>')), "| Who | Fees |  |"),
    ],
)
def test_a_cell_that_spans_columns_groups_the_names_below(groups: str, header: str) -> None:
    """A row that also fills the column of another name is data."""
    body = w.table(groups, w.row("Place", "Adult", "Child"), w.row("Hull", "free", "free"))

    assert text_of(body).startswith(f"{header}\n")


def test_labels_beside_their_values_are_no_names_of_columns() -> None:
    """No row of a form stands above the others."""
    assert "| Name: | A. Roy |\n| Date: | May 1 |" == text_of(
        w.table(w.row("Name:", "A. Roy"), w.row("Date:", "May 1"))
    )


def test_tables_in_tables_are_read_in_order() -> None:
    """A small one is a part of its cell, a larger one stands between the rows."""
    small, large = w.table(w.row("x", "y")), w.table(w.row("Level", "Rate"), w.row("1", "50"), w.row("2", "60"))
    end = w.paragraph("")
    body = w.table(
        w.row("Group", "Rates"),
        w.row("AS", w.cell(small + end)),
        w.row("PM", w.cell(w.paragraph("By level:") + large + end)),
        w.row("CR", "40"),
    )

    assert text_of(body) == (
        "| Group | Rates |\n| --- | --- |\n| AS | x, y |\n\nPM\n\nBy level:\n\n"
        "| Level | Rate |\n| --- | --- |\n| 1 | 50 |\n| 2 | 60 |\n\n| Group | Rates |\n| --- | --- |\n| CR | 40 |"
    )


def test_a_header_stands_above_what_its_table_lays_out() -> None:
    """Also if no row can be shown below it."""
    large = w.table(w.row("Level", "Rate"), w.row("1", "50"), w.row("2", "60"))
    body = w.table(w.row("Group", "Rates"), w.row("PM", w.cell(large + w.paragraph(""))))

    assert text_of(body).startswith("| Group | Rates |\n\nPM\n\n| Level | Rate |\n")


def test_a_frame_is_no_table() -> None:
    """A table of one column only lays out text: its headings and items stay what they are."""
    body = w.paragraph("Intro.") + w.table(w.row(w.cell(w.styled("Note", "Heading2") + w.paragraph("Text."))))

    assert texts(read(body)) == [("", "Intro."), ("Note", "Text.")]
