"""Quotations that are in no source are marked, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rag.quotes import NOT_FOUND, QuoteMarker

SOURCE = "Employees may take up to five days of leave.\nThe manager's approval is needed, in writing."
MARK = NOT_FOUND["en"]


def marked(answer: str, pieces: int = 3) -> str:
    marker = QuoteMarker([SOURCE], "en")
    parts = [answer[at : at + pieces] for at in range(0, len(answer), pieces)]
    return "".join(marker.feed(part) for part in parts) + marker.flush()


@pytest.mark.parametrize(
    "quotation",
    [
        '"may take up to five days of leave"',
        "“May take up to  five days of leave.”",
        "« may take up to five days of leave »",
        '"up to five days of leave. The manager\'s approval"',
        '"Employees may take … five days of leave"',
        '"Employees may take [...] approval is needed, in writing"',
    ],
)
def test_what_is_there_is_not_marked(quotation: str) -> None:
    """Whatever the quotes, the case, the blank space and what is left out."""
    assert marked(f"It says {quotation}. So there.") == f"It says {quotation}. So there."


@pytest.mark.parametrize(
    "quotation",
    ['"may take up to ten days of leave"', "« no approval is needed at all »", "“five days of leave per week or so”"],
)
def test_what_is_not_there_is_marked_on_the_spot(quotation: str) -> None:
    """Right behind its closing quote."""
    assert marked(f"It says {quotation}. So there.") == f"It says {quotation}{MARK}. So there."


@pytest.mark.parametrize(
    "text",
    [
        'The so-called "leave" is short.',
        '`print("this is code and no quotation")` is code',
        'An opening " that nobody closes\nand another line',
        'A board of 5" by 7" and nothing else here to see',
        "Nothing quoted at all",
    ],
)
def test_what_is_no_quotation_is_left_alone(text: str) -> None:
    """Titles and irony, code, inches, and marks that are never closed."""
    assert marked(text) == text


@given(text=st.text(), pieces=st.integers(1, 9))
def test_text_only_ever_gains_marks(text: str, pieces: int) -> None:
    """Whatever comes, in whatever pieces, nothing is lost; and pieces make no difference."""
    assert marked(text, pieces).replace(MARK, "") == text.replace(MARK, "")
    assert marked(text, pieces) == marked(text, 1)


def test_the_mark_is_in_the_personalitys_language() -> None:
    """French for Chuchotte."""
    marker = QuoteMarker([SOURCE], "fr")

    assert marker.feed("« il faut dix jours de congé »").endswith(NOT_FOUND["fr"])
