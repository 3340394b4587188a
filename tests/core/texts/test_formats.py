"""Numbers, sizes, durations and dates as Canadian English and French write them."""

from __future__ import annotations

import datetime

import pytest

from core.contract import Language
from core.texts import LANGUAGES, format_date, format_duration, format_number, format_size


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [(3, "3", "3"), (2.5, "2.5", "2,5"), (1_234_567, "1,234,567", "1\u00a0234\u00a0567"), (0.12345, "0.123", "0,123")],
)
def test_numbers_are_grouped_and_have_the_decimal_sign_of_the_language(value: float, english: str, french: str) -> None:
    assert [english, french] == [format_number(value, language) for language in LANGUAGES]


def test_the_number_of_decimals_can_be_limited() -> None:
    assert ["2.3", "2"] == [format_number(2.34, "en", decimals=1), format_number(2.34, "en", decimals=0)]


@pytest.mark.parametrize(
    ("size_bytes", "english", "french"),
    [
        (1, "1 byte", "1\u00a0octet"),
        (999, "999 bytes", "999\u00a0octets"),
        (1500, "1.5 kB", "1,5\u00a0ko"),
        (8_388_608, "8.4 MB", "8,4\u00a0Mo"),
        (8_239_593_024, "8.2 GB", "8,2\u00a0Go"),  # as the hub shows it
        (5_000 * 10**9, "5,000 GB", "5\u00a0000\u00a0Go"),
    ],
)
def test_a_size_is_in_the_largest_unit_that_it_fills(size_bytes: int, english: str, french: str) -> None:
    assert [english, french] == [format_size(size_bytes, language) for language in LANGUAGES]


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (0.2, "0 seconds", "0 seconde"),
        (1, "1 second", "1 seconde"),
        (59.6, "1 minute", "1 minute"),
        (65, "1 minute, 5 seconds", "1 minute et 5 secondes"),
        (3599.9, "1 hour", "1 heure"),
        (3700, "1 hour, 2 minutes", "1 heure et 2 minutes"),
        (86_399, "1 day", "1 jour"),
        (200_000, "2 days, 8 hours", "2 jours et 8 heures"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, english: str, french: str) -> None:
    """The smaller unit is rounded, also when that completes the larger one."""
    written = [format_duration(seconds, language).replace("\u00a0", " ") for language in LANGUAGES]

    assert [english, french] == written


def test_a_short_duration_has_abbreviated_units() -> None:
    assert "1\u00a0h et 2\u00a0min" == format_duration(3700, "fr", "short")


@pytest.mark.parametrize(
    ("day", "language", "expected"),
    [
        (datetime.date(2026, 7, 1), "en", "July 1, 2026"),
        (datetime.date(2026, 7, 1), "fr", "1er juillet 2026"),
        (datetime.date(2026, 11, 11), "fr", "11 novembre 2026"),
        (datetime.datetime(2026, 1, 31, 12, 0), "fr", "31 janvier 2026"),
    ],
)
def test_a_date_is_written_in_full(day: datetime.date, language: Language, expected: str) -> None:
    assert expected == format_date(day, language)
