"""Documents as the model reads them: headings, dates, links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from core.contract import Source
from core.rag.documents import Passage
from core.rag.rendering import NumberedDocument, PromptStyle, document_text, format_published, render
from core.rag.retrieved import RetrievedDocument

TORONTO = PromptStyle("en", ZoneInfo("America/Toronto"))


def test_each_link_is_written_once() -> None:
    """An entry of several passages has its link above the first; a page's own address is not repeated."""
    entry, page = "https://news.example/a", "https://news.example/"
    passages = (Passage("One.", "A", entry), Passage("Two.", "A", entry), Passage("Three.", "B", page))
    text = document_text(RetrievedDocument("News", passages, Source(0, "News", page)), TORONTO)

    assert text == f"## A\n{entry}\nOne.\n\nTwo.\n\n## B\nThree."


def test_entries_of_one_title_are_told_apart() -> None:
    """Each has its heading with its date."""
    days = [datetime(2026, 3, day, 15, 0, tzinfo=UTC) for day in (2, 3)]
    text = document_text(
        RetrievedDocument("Alerts", tuple(Passage("Snow.", "Warning", None, day) for day in days)), TORONTO
    )

    assert text.count("## Warning (") == 2


@pytest.mark.parametrize(
    ("moment", "english"),
    [
        (datetime(2026, 3, 4, 2, 30, tzinfo=UTC), "Tuesday, March 3, 2026 at 9:30 p.m."),
        (datetime(2026, 3, 3, 21, 30, tzinfo=timezone(timedelta(hours=-5))), "Tuesday, March 3, 2026 at 9:30 p.m."),
        (datetime(2026, 3, 4, 9, 0, tzinfo=timezone(timedelta(hours=1))), "Wednesday, March 4, 2026 at 9:00 a.m."),
        (datetime(2026, 3, 4, tzinfo=UTC), "Wednesday, March 4, 2026"),
    ],
)
def test_dates_are_those_of_the_reader(moment: datetime, english: str) -> None:
    """UTC becomes the reader's time; a publisher's own zone stays; a day without a time is no other day."""
    assert format_published(moment, TORONTO) == english


def test_a_fetched_source_says_when() -> None:
    """The time is in the reader's zone and language."""
    source = Source(0, "Météo", "https://meteo.example/", "fr", datetime(2026, 11, 30, 19, 5, tzinfo=UTC))
    document = RetrievedDocument("Météo", (Passage("Neige."),), source)
    text = render([NumberedDocument(3, document)], PromptStyle("fr", ZoneInfo("America/Toronto"))).text

    assert "«[3] Météo»" in text
    assert "(consulté le 30 novembre 2026 à 14 h 05)" in text


def test_files_are_sources_without_an_address() -> None:
    """They have a number and a name, so that they can be cited."""
    rendered = render([NumberedDocument(1, RetrievedDocument("a.txt", (), verbatim="Text."))], TORONTO)

    assert rendered.sources == (Source(1, "a.txt"),)
