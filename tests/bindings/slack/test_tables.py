"""Tables as Slack's table blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.selftest.slack_rules import cell_text, find_block_error
from bindings.slack.tables import EMPTY_CELL, SplitTable, split_table


def split(markdown: str) -> SplitTable:
    found = split_table(markdown)
    assert found is not None
    assert find_block_error([found.block]) is None
    return found


def cells(markdown: str) -> list[list[str]]:
    return [[cell_text(cell) for cell in row] for row in split(markdown).block["rows"]]


def table(rows: int, columns: int, cell: str = "x") -> str:
    """A table of `rows` rows, the header included."""
    line = "|" + "|".join([cell] * columns) + "|"
    return "\n".join([line, "|" + "---|" * columns, *[line] * (rows - 1)])


def test_cells_lose_their_markdown() -> None:
    """Escaped bars and signs are text; bold words and code keep their style."""
    made = split("| Name | Value |\n|:--|:-:|\n| a\\|b \\* | **two** of `x` |")

    assert [["Name", "Value"], ["a|b *", "two of x"]] == [[cell_text(c) for c in row] for row in made.block["rows"]]
    [bold, _, code] = made.block["rows"][1][1]["elements"][0]["elements"]
    assert {"type": "text", "text": "two", "style": {"bold": True}} == bold
    assert {"type": "text", "text": "x", "style": {"code": True}} == code
    assert ["left", "center"] == [each["align"] for each in made.block["column_settings"]]


def test_rows_have_the_columns_of_the_header() -> None:
    """A missing cell is a blank, because Slack refuses an empty one; more cells are dropped, as in Markdown."""
    assert [["a", "b"], ["1", EMPTY_CELL], ["1", "2"]] == cells("a|b\n-|-\n|1|\n|1|2|3|")


@pytest.mark.parametrize(
    "markdown",
    [
        "No table.",
        "a | b, but no delimiter",
        f"{table(3, 2)}\n\n{table(3, 2)}",
        table(101, 2),
        table(2, 21),
        table(11, 10, "x" * 100),
        f"```\n{table(3, 2)}\n```",
        "> | a | b |\n> |---|---|\n> | 1 | 2 |",
        "| a | b |\n|---|",
    ],
    ids=["none", "no delimiter", "two", "rows", "columns", "chars", "code", "quote", "uneven"],
)
def test_other_tables_stay_markdown(markdown: str) -> None:
    """Slack allows one table in a message, of a limited size."""
    assert split_table(markdown) is None


def test_the_largest_table_is_a_block() -> None:
    """100 rows with the header, and 20 columns."""
    assert (100, 20) == (len(cells(table(100, 20))), len(cells(table(100, 20))[0]))


@given(st.text(alphabet="|-:\\ab`*_ \n>", max_size=80))
def test_any_text_is_accepted(markdown: str) -> None:
    """A table that is found is one that Slack accepts, and no other line is lost."""
    found = split_table(markdown)
    if found is not None:
        assert find_block_error([found.block]) is None
        assert found.before in markdown
        assert found.after in markdown
