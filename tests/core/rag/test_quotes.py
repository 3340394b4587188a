"""Quotations that are missing in the sources are marked; other text stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.rag.quotes import QuoteMarker

SOURCE = "Employees may take up to five days of leave.\nThe manager's approval is needed, in writing."
MARK = " [not found in the sources]"


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
def test_a_quotation_from_a_source_is_not_marked(quotation: str) -> None:
    """Quotation marks, case, blanks and omissions make no difference."""
    assert marked(f"It says {quotation}. So there.") == f"It says {quotation}. So there."


@pytest.mark.parametrize(
    "quotation",
    ['"may take up to ten days of leave"', "« no approval is needed at all »", "“five days of leave per week or so”"],
)
def test_an_invented_quotation_is_marked(quotation: str) -> None:
    """The mark follows the closing quotation mark."""
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
def test_other_quoted_text_stays(text: str) -> None:
    """Titles, irony, code, inches and unclosed marks are no quotations."""
    assert marked(text) == text


@given(text=st.text(), pieces=st.integers(1, 9))
def test_text_only_gains_marks(text: str, pieces: int) -> None:
    """Nothing is lost, and the pieces in which text comes make no difference."""
    assert marked(text, pieces).replace(MARK, "") == text.replace(MARK, "")
    assert marked(text, pieces) == marked(text, 1)


def test_the_mark_is_in_the_personalitys_language() -> None:
    """Chuchotte's marks are French."""
    marker = QuoteMarker([SOURCE], "fr")

    assert marker.feed("« il faut dix jours de congé »").endswith(" [introuvable dans les sources]")
