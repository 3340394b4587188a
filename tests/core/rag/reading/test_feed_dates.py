"""Dates of feeds keep the offset of their publisher."""

from __future__ import annotations

import pytest

from core.rag.reading.feeds.dates import parse_feed_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue, 05 May 2026 21:30:00 -0500", "2026-05-05T21:30:00-05:00"),
        ("2026-05-05T21:30:00-05:00", "2026-05-05T21:30:00-05:00"),
        ("2026-05-05T21:30:00.123Z", "2026-05-05T21:30:00+00:00"),
        ("2026-05-05 21:30:00 America/Toronto", "2026-05-05T21:30:00-04:00"),
        ("Tue, 13 Jan 2026 21:30:00 Canada/Newfoundland", "2026-01-13T21:30:00-03:30"),
        ("2026-05-05 21:30:00 EDT", "2026-05-05T21:30:00-04:00"),
        ("Tue, 05 May 2026 21:30:00 GMT-0500", "2026-05-05T21:30:00-05:00"),
        ("Tue, 5 May 26 21:30 GMT", "2026-05-05T21:30:00+00:00"),
        ("Tue May  5 21:30:00 EDT 2026", "2026-05-05T21:30:00-04:00"),
        ("mar., 05 mai 2026 21:30:00 -0500", "2026-05-05T21:30:00-05:00"),
        ("mardi 5 mai 2026 à 21 h 30", "2026-05-05T21:30:00+00:00"),
        ("le 1er août 2026, 9h05 HAE", "2026-08-01T09:05:00-04:00"),
        ("05 févr. 2026 10:00:00 +0100", "2026-02-05T10:00:00+01:00"),
        ("Di, 05 Mai 2026 21:30:00 +0200", "2026-05-05T21:30:00+02:00"),
        ("Dienstag, 5. März 2026, 21.30 Uhr MEZ", "2026-03-05T21:30:00+01:00"),
        ("05.06.2026 10:00", "2026-06-05T10:00:00+00:00"),
        ("Tue, 05 May 2026 9:30 PM EST", "2026-05-05T21:30:00-05:00"),
        ("12:30 am, May 5, 2026", "2026-05-05T00:30:00+00:00"),
        ("5/13/2026 9:30:00 PM", "2026-05-13T21:30:00+00:00"),
        ("13/5/2026", "2026-05-13T00:00:00+00:00"),
        ("May 5, 2026", "2026-05-05T00:00:00+00:00"),
        ("2026-05-05", "2026-05-05T00:00:00+00:00"),
        ("20260505", "2026-05-05T00:00:00+00:00"),
        ("1777000000", "2026-04-24T03:06:40+00:00"),
        ("1777000000000", "2026-04-24T03:06:40+00:00"),
    ],
)
def test_dates_are_read_in_their_own_offset(text: str, expected: str) -> None:
    """A date without a zone is taken as UTC, one without a time as midnight."""
    moment = parse_feed_date(text)

    assert moment is not None
    assert moment.isoformat() == expected


def test_the_language_decides_which_number_is_the_day() -> None:
    """It does so where both could be."""
    assert [str(parse_feed_date("5/6/2026", day_first=first))[:10] for first in (True, False)] == [
        "2026-06-05",
        "2026-05-06",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "soon, 5 May 2026",
        "Tue, 99 May 2026 10:00",
        "2026-13-01",
        "9" * 500,
        "5 mai " * 50,
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    """An entry is better without a date than with a wrong one."""
    assert parse_feed_date(text) is None
