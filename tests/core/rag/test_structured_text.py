"""Headings, tables and code survive the way of a file through text; other text is not changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rag.documents import Block, Passage, table_blocks
from core.rag.passages import cut_blocks, cut_text
from core.rag.structured_text import read_structured, write_structured

HANDBOOK = [
    Block("heading", "Leave", 1),
    Block("paragraph", "Ask early."),
    Block("heading", "Parental leave", 2),
    Block("paragraph", "Up to 35 weeks. " * 120),
    Block("item", "Write to your manager.", marker="1."),
    Block("item", "Wait.", marker="2."),
    Block("heading", "p. 12", 1),
    *table_blocks([[str(number), "dollars " * 9] for number in range(40)], ["Day", "Fee"]),
    Block("heading", "Script", 2),
    Block("code", "# not a heading\n\nif day > 3:\n    leave()\n"),
]


def test_a_file_keeps_its_structure_as_text() -> None:
    """Its passages have the same headings, and each passage of a table its header."""
    passages = cut_blocks(HANDBOOK)
    again = tuple(cut_text(write_structured(passages)))

    assert [each.heading for each in again] == [each.heading for each in passages]
    assert {each.heading for each in again} == {"Leave", "Leave › Parental leave", "p. 12", "p. 12 › Script"}
    assert [each.text for each in again] == [each.text for each in passages]
    assert all(each.text.startswith("| Day | Fee |\n| --- | --- |\n") for each in again if each.heading == "p. 12")


def test_each_heading_is_written_once_at_its_level() -> None:
    """Passages of one section follow each other without it."""
    passages = [Passage("A.", "Leave › Parental"), Passage("B.", "Leave › Parental"), Passage("C.", "Leave › Sick")]

    assert write_structured(passages) == "# Leave\n\n## Parental\n\nA.\n\nB.\n\n## Sick\n\nC."


@pytest.mark.parametrize(
    "text",
    [
        "# the port\nport = 80\n\n# the host\nhost = 1.2.3.4",
        "#!/bin/sh\n\necho '# no heading'\n\n    indented\n\ttab",
        "#hashtag\n\n#1 is first",
        "1. One\n2. Two\n\n3) Three",
        "| a | b |\n\n| --- |",
        "| a | b |\n| --- | --- |\nno row",
        "Title\n=====\n\nText with `code` and ``` inside",
    ],
)
def test_plain_text_is_not_changed(text: str) -> None:
    """Comments, hashtags, numbered lines and indentation stay in the text, as they are."""
    passages = list(cut_text(text))

    assert "\n\n".join(each.text for each in passages) == text
    assert {each.heading for each in passages} == {""}


def test_a_comment_that_looks_like_a_heading_is_not_lost() -> None:
    """It stands above the text that follows it, as the heading of its passage."""
    [passage] = cut_text("# Section of the script\n\nrun --fast\n  now")

    assert passage == Passage("run --fast\n  now", "Section of the script")


def test_text_below_a_table_stays_below_it() -> None:
    """A note without an empty line before it is a paragraph of its own."""
    [passage] = cut_text("| Day | Fee |\n| --- | --- |\n| 1 | 9 |\n* with tax")

    assert passage.text == "| Day | Fee |\n| --- | --- |\n| 1 | 9 |\n\n* with tax"


def test_headings_without_text_are_text() -> None:
    """A list of headings alone loses none of them."""
    shown = "\n".join(f"{each.heading}\n{each.text}" for each in cut_text("# One\n\n## Two\n\n## Three\n\n# Four"))

    assert all(name in shown for name in ("One", "Two", "Three", "Four"))


@given(st.text(alphabet="a# |-`\n~.", max_size=200))
def test_no_letter_is_lost(text: str) -> None:
    """Whatever the markers are, all words reach a passage."""
    shown = "".join(f"{each.heading}{each.text}" for each in cut_text(text))

    assert shown.count("a") >= text.count("a")


@given(st.text(alphabet="ab `\n", max_size=200))
def test_any_text_ends_in_blocks(text: str) -> None:
    """Unclosed code ends with the text, and no block is empty."""
    assert all(block.text.strip() or block.kind == "code" for block in read_structured(text))
