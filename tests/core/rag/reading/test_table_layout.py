"""The header of a table is found among its rows, with the text above it."""

from __future__ import annotations

import pytest

from core.rag.reading.table_layout import find_header

DATA = [["Ottawa", "12", "3.50 $"], ["Gatineau", "7", "2.00 $"], ["Montréal", "31", "9.25 $"]]


def rows(*lines: str) -> list[list[str]]:
    return [line.split("|") for line in lines]


@pytest.mark.parametrize(
    "header",
    [
        "City|Visits|Fee",
        "|Visits|Fee",
        "City|2025|2026",
        "|2025|2026",
        "City|1|2",
        "City|2026-01-01|2026-02-01",
        "City|2025-26|Total",
        "City|0-14|65+",
        "City|Q1 2025|%",
        "City|Fee|Fee",
    ],
)
def test_the_first_row_names_the_columns(header: str) -> None:
    """Names are texts, or years, dates or numbers in a series. The corner may be empty, and names may repeat."""
    layout = find_header([header.split("|"), *DATA])

    assert ([], header.split("|"), DATA) == (layout.preamble, layout.header, layout.rows)


@pytest.mark.parametrize(
    "first",
    [
        "Laval|4|1.00 $",
        "Laval|2026-01-05|1.00 $",
        "2020|1985|12",
        "Laval|true|x",
        "Laval|613-555-0199|x",
        "Laval|8:30 a.m.|x",
        "4|5|6",
        "x" * 200 + "|b|c",
    ],
)
def test_a_table_may_have_no_header(first: str) -> None:
    """Amounts, dates and long texts are data, also in the first row."""
    assert find_header([first.split("|"), *DATA]).header is None


def test_years_that_repeat_below_are_data() -> None:
    """A column of years of birth has no year as its name."""
    assert find_header(rows("Alice|1985", "Bob|1990")).header is None


@pytest.mark.parametrize(
    "above",
    [
        ["Fees of 2026||"],
        ["Fees of 2026||", "Prepared by:|Finance|", "Amounts in dollars||"],
        ["Fees of 2026", "Source: registry"],
        ["|Fees of 2026|"],
    ],
)
def test_titles_above_the_header_are_its_preamble(above: list[str]) -> None:
    """Rows with fewer cells than the table are text above it."""
    layout = find_header([*rows(*above), ["City", "Visits", "Fee"], *DATA])

    assert (rows(*above), ["City", "Visits", "Fee"], DATA) == (layout.preamble, layout.header, layout.rows)


def test_groups_of_columns_become_a_part_of_their_names() -> None:
    """A merged cell above several columns stands in the first of them only."""
    grouped = rows("Budget|||||", "|2025||2026||", "Region|Plan|Actual|Plan|Actual|", "East|1|2|3|4|", "West|5|6|7|8|")
    layout = find_header(grouped)

    assert [["Budget", "", "", "", "", ""]] == layout.preamble
    assert layout.header is not None
    assert ["Region", "2025 Plan", "2025 Actual", "2026 Plan", "2026 Actual"] == layout.header[:5]
    assert ["East", "West"] == [cells[0] for cells in layout.rows]


def test_a_name_may_be_as_tall_as_the_groups_and_the_names_below() -> None:
    """Such a merged cell stands beside the groups, also behind them."""
    layout = find_header(rows("Region|2025||Total", "|Plan|Actual|", "East|1|2|3", "West|5|6|11"))

    assert ["Region", "2025 Plan", "2025 Actual", "Total"] == layout.header


def test_a_row_of_texts_below_a_name_with_gaps_is_data() -> None:
    """A column without a name makes no groups of the others."""
    layout = find_header(rows("Name||City|Note", "Ann|x||", "Bob|y|Hull|late"))

    assert (["Name", "", "City", "Note"], 2) == (layout.header, len(layout.rows))


@pytest.mark.parametrize(
    ("names", "units", "header"),
    [
        ("Station|Temp|Wind", "|°C|km/h", ["Station", "Temp (°C)", "Wind (km/h)"]),
        ("Program|Budget|Staff", "|($000)|[FTE]", ["Program", "Budget ($000)", "Staff [FTE]"]),
        ("Station|Count|Share", "(name)||%", ["Station (name)", "Count", "Share (%)"]),
    ],
)
def test_units_below_the_names_become_a_part_of_them(names: str, units: str, header: list[str]) -> None:
    """Each part of a table then shows them."""
    layout = find_header(rows(names, units, "Ottawa|12.5|20", "Laval|14|15"))

    assert (header, 2) == (layout.header, len(layout.rows))


@pytest.mark.parametrize("second", ["|A|B", "|5|%", "Laval|°C|%", "||"])
def test_other_rows_below_the_names_are_data(second: str) -> None:
    """Units stand above data, and have nothing beside them."""
    assert find_header(rows("Station|Temp|Wind", second, "Ottawa|12.5|x")).header == ["Station", "Temp", "Wind"]


def test_the_questions_of_a_survey_name_columns() -> None:
    """They are long, and their answers are short."""
    question = "How satisfied are you with the service that you received from the Pay Centre in the past year? " * 2
    layout = find_header([["ID", question, "Comments"], ["1", "4", "Good"], ["2", "5", "Slow"]])

    assert ["ID", question, "Comments"] == layout.header


def test_labels_with_their_values_name_no_columns() -> None:
    """A form is no table."""
    assert find_header(rows("Name:|A. Roy|Date:|2026-05-01", "Branch:|Finance|Phone:|613-555-0100")).header is None


def test_a_row_with_gaps_is_data_where_the_names_stand_above() -> None:
    """Only a row above the names can group them."""
    layout = find_header(rows("City|Visits|Fee", "Ottawa||", "Gatineau|7|2.00"))

    assert (["City", "Visits", "Fee"], 2) == (layout.header, len(layout.rows))


@pytest.mark.parametrize("table", [[], [["a", "b"]], [["only"], ["one"], ["column"]], [["", ""], ["", ""]]])
def test_small_tables_keep_their_rows(table: list[list[str]]) -> None:
    """No row is lost, whatever the table holds."""
    layout = find_header(table)

    assert table == [*layout.preamble, *([layout.header] if layout.header else []), *layout.rows]
