"""Passages end where sections, blocks and sentences end."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rag.documents import PASSAGE_LIMIT_CHARS, Block, Passage, table_blocks
from core.rag.passages import cut_blocks, cut_text

KINDS = st.sampled_from(["heading", "paragraph", "item", "row", "code"])
BLOCKS = st.builds(
    Block, KINDS, st.text(min_size=1, max_size=3000), st.integers(1, 6), st.sampled_from(["", "| a |\n| --- |"])
)


def sentence(words: int, word: str = "word") -> str:
    return " ".join([word.capitalize(), *[word] * (words - 1)]) + "."


@given(st.lists(BLOCKS, max_size=12))
def test_no_passage_is_too_long_or_empty(blocks: list[Block]) -> None:
    """This holds for any blocks."""
    for passage in cut_blocks(blocks):
        assert 0 < len(passage.text) <= PASSAGE_LIMIT_CHARS


@given(st.lists(st.text(alphabet="ab .\n", min_size=1, max_size=4000).filter(str.strip), max_size=6))
def test_only_blanks_are_lost_between_passages(texts: list[str]) -> None:
    """The passages together contain all other characters."""
    passages = "".join(passage.text for passage in cut_blocks(Block("paragraph", text) for text in texts))

    assert "".join(passages.split()) == "".join("".join(texts).split())


def test_blocks_of_a_section_share_a_passage() -> None:
    """Items and rows are separated by line breaks, other blocks by an empty line."""
    blocks = [
        Block("paragraph", "One:"),
        Block("item", "a"),
        Block("item", "b", 1),
        *table_blocks([["1", "2"]], ["x", "y"]),
    ]
    (passage,) = cut_blocks(blocks)

    assert passage.text == "One:\n\n- a\n  - b\n\n| x | y |\n| --- | --- |\n| 1 | 2 |"


def test_items_have_the_numbers_that_a_reader_sees() -> None:
    """A question about "step 2" finds it. The parts of a long item each have its number."""
    short = cut_blocks([Block("item", "Sign.", marker="1."), Block("item", "with ink", 1, "(a)")])
    long = cut_blocks([Block("item", "word " * 400, marker="12.")])

    assert [passage.text for passage in short] == ["1. Sign.\n  (a) with ink"]
    assert all(passage.text.startswith("12. word") for passage in long)


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    """A sentence that is too long is cut between words."""
    first, *rest = cut_blocks([Block("paragraph", " ".join(sentence(20) for _ in range(30)))])
    assert rest
    assert all(passage.text.endswith(".") for passage in (first, *rest))

    worded = cut_blocks([Block("paragraph", sentence(600))])
    assert all(set(passage.text.lower().rstrip(".").split()) == {"word"} for passage in worded)


def test_a_table_repeats_its_header_in_each_passage() -> None:
    """A row without its header means nothing."""
    rows = [[f"row {number}", "value " * 10] for number in range(60)]
    passages = cut_blocks(table_blocks(rows, ["Name", "Value"]))

    assert len(passages) > 3
    assert all(passage.text.startswith("| Name | Value |\n| --- | --- |\n| row ") for passage in passages)


def test_an_empty_line_separates_tables() -> None:
    """Otherwise the second header would be a row of the first table."""
    tables = table_blocks([["1", "2"]], ["a", "b"]) + table_blocks([["3", "4"]], ["c", "d"])

    assert [passage.text for passage in cut_blocks(tables)] == [
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n| c | d |\n| --- | --- |\n| 3 | 4 |"
    ]


def test_a_heading_with_nothing_under_it_is_text() -> None:
    """Several such headings share a passage."""
    blocks = [
        Block("heading", "News", 2),
        Block("heading", "One", 3),
        Block("heading", "Two", 3),
        Block("heading", "End", 2),
    ]
    first, last = cut_blocks(blocks)

    assert first == Passage("One\n\nTwo", "News")
    assert last == Passage("End")


@pytest.mark.parametrize("text", ["One.\n\nTwo.", "One.\n \n\n\nTwo.\n\n", "\n\n\n\nOne.\n\t\nTwo."])
def test_text_is_cut_at_empty_lines(text: str) -> None:
    """Any number of empty lines separates two paragraphs."""
    assert [passage.text.split() for passage in cut_text(text)] == [["One.", "Two."]]


def wide_table(columns: int) -> list[Block]:
    names = [f"Column number {number}" for number in range(columns)]
    return table_blocks([[f"v{row}.{column}" for column in range(columns)] for row in range(3)], names)


@pytest.mark.parametrize("columns", [19, 60, 400])
def test_a_wide_row_names_each_of_its_values(columns: int) -> None:
    """However many columns a table has, each value stands beside its column's name, with the row's first value."""
    passages = cut_blocks(wide_table(columns))
    every_line = [line for passage in passages for line in passage.text.splitlines() if line]

    for row, column in product(range(3), range(columns)):
        assert f"Column number {column}: v{row}.{column}" in every_line
    for passage in passages:
        assert passage.text.startswith("Column number 0: v")
    for record in "\n\n".join(passage.text for passage in passages).split("\n\n"):
        rows = {line.partition(": v")[2].partition(".")[0] for line in record.splitlines()}
        assert 1 == len(rows)


def test_a_long_row_of_a_narrow_table_names_its_values() -> None:
    """A row with long texts is a record, and the rows around it stay rows with their header."""
    long = "word " * 400
    rows = [["a", "1"], ["b", long.strip()], ["c", "3"]]
    first, *between, last = cut_blocks(table_blocks(rows, ["Name", "Note"]))

    assert "| Name | Note |\n| --- | --- |\n| a | 1 |" == first.text
    assert all(passage.text.startswith("Name: b\nNote: word") for passage in between)
    assert last.text.endswith("| Name | Note |\n| --- | --- |\n| c | 3 |")
    assert 400 == sum(passage.text.count("word") for passage in (first, *between, last))


def test_the_question_of_a_survey_stands_beside_each_answer() -> None:
    """A longer name is cut, and shows that it is."""
    question, endless = "How satisfied are you with this service? " * 5, "Why? " * 100
    (passage,) = cut_blocks(table_blocks([["4", "Slow"]], [question.strip(), endless]))

    assert passage.text.startswith(f"{question.strip()}: 4\nWhy? Why?")
    assert "…: Slow" in passage.text


def test_a_record_leaves_empty_cells_out() -> None:
    """A value in a column without a name stands alone, and escaped bars are bars."""
    names = ["", *[f"A long name of column {number}" for number in range(20)]]
    (passage,) = cut_blocks(table_blocks([["East | West", "", "1", *[""] * 18]], names))

    assert "East | West\nA long name of column 1: 1" == passage.text
