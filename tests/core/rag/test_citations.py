"""Citations of documents that do not exist are dropped; other brackets stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rag.citations import CitationFilter, cited_numbers


def filtered(answer: str, chars: int = 3) -> str:
    """The answer as it comes out of a filter for three documents, fed in pieces."""
    citations = CitationFilter({1, 2, 3})
    parts = [answer[at : at + chars] for at in range(0, len(answer), chars)]
    return "".join(citations.feed(part) for part in parts) + citations.flush()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("It is green [1].", "It is green [1]."),
        ("It is green [7].", "It is green."),
        ("It is green.[7] It is cold [2].", "It is green. It is cold [2]."),
        ("It is green [1, 7].", "It is green [1]."),
        ("It is green [1][7][3].", "It is green [1][3]."),
        ("It is green [1] [12].", "It is green [1]."),
        ("It is green [1-3], cold [2–9].", "It is green [1-3], cold."),
        ("It is green [ 7 ] [ 2 ].", "It is green [ 2 ]."),
        ("It says [9]: all is green.", "It says: all is green."),
        ("[9] says so", " says so"),
        ("It is green ([7]).", "It is green ()."),
        ("Sources: [1], [7]", "Sources: [1],"),
        ("The end [7]", "The end"),
    ],
)
def test_only_existing_numbers_are_cited(answer: str, shown: str) -> None:
    """The blank before a dropped citation goes with it."""
    assert filtered(answer) == shown


@pytest.mark.parametrize(
    "answer",
    [
        "Take x[0], y[7] and matrix[4][9] or f()[8].",
        "`list[9]` and `[9]` are code",
        "``a ` [9]``, then",
        "```\nrow = [9]\nprint([8])\n```\n",
        "~~Old~~ [9](https://a.example/) is a link, and so is\n[8]: https://b.example/",
        "See [1999] 1 SCR 688, [x], [ ] and [note 9].",
        "The interval [0, 9] and [0] stay.",
        '{"rows": [4, 9], "columns": [7]}',
        "x = [1, 9]\ny=[7]",
        "Call f([7]) and list.append([8, 9])",
        "An open [9",
        "An open [9\nbracket",
    ],
)
def test_other_brackets_stay(answer: str) -> None:
    """Indexes, code, links, years, intervals and unclosed brackets are no citations."""
    assert filtered(answer) == answer


def test_a_stray_backtick_ends_with_its_line() -> None:
    """Inline code spans no lines, so a single backtick does not switch the filter off."""
    assert filtered("It`s open\nand green [9].") == "It`s open\nand green."


@given(text=st.text(alphabet="a[]1,9 `\n(-", max_size=60), chars=st.integers(1, 9))
def test_the_pieces_make_no_difference(text: str, chars: int) -> None:
    """An answer is filtered alike however it arrives, and nothing but citations is lost."""
    assert filtered(text, chars) == filtered(text, 1)
    assert set(text.replace("[9]", "").replace("[", "")) <= set(text)


@given(text=st.text(alphabet="abc .,()`\n#*123[]", max_size=80))
def test_text_that_cites_existing_documents_is_unchanged(text: str) -> None:
    """This holds for any text without other numbers in brackets."""
    if cited_numbers(text) <= {1, 2, 3}:
        assert filtered(text) == text
