"""The time zone of dates: the setting, or the machine's."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core.configuration.settings import load
from core.errors import ConfigError
from core.local_time import find_zone, local_clock
from core.texts import format_zone


def test_the_clock_tells_the_time_of_its_zone() -> None:
    """It is the present moment, in the zone of that name."""
    before = datetime.now(UTC)
    now = local_clock("America/St_Johns")()

    assert now.tzinfo == ZoneInfo("America/St_Johns")
    assert before <= now <= datetime.now(UTC)


def test_without_a_setting_the_zone_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """TZ names it, as for any program."""
    monkeypatch.setenv("TZ", "America/Vancouver")

    assert str(local_clock()().tzinfo) == "America/Vancouver"


def test_a_zone_that_cannot_be_found_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The present offset replaces it."""
    monkeypatch.setenv("TZ", "Nowhere/At_All")

    assert local_clock()().utcoffset() is not None


@pytest.mark.parametrize("name", ["Ottawa", "America", "../etc/passwd", "EST5EDT4", "/usr/share/zoneinfo/UTC"])
def test_other_names_are_refused(name: str) -> None:
    """The error of the setting names its variable and gives an example."""
    with pytest.raises(ValueError, match="there is no time zone"):
        find_zone(name)
    with pytest.raises(ConfigError, match=r"TIME_ZONE.*America/Toronto"):
        load({"TIME_ZONE": name})


def test_the_setting_is_optional() -> None:
    """An empty one is the machine's zone."""
    assert load({"TIME_ZONE": ""}).time.zone is None
    assert load({"TIME_ZONE": "America/Toronto"}).time.zone == "America/Toronto"


@pytest.mark.parametrize(
    ("zone", "english", "french"),
    [
        ("America/Whitehorse", "Yukon Time", "heure normale du Yukon"),
        ("Asia/Kolkata", "India Standard Time", "heure de l’Inde"),
        ("America/Toronto", "Eastern Time", "heure de l’Est"),
        ("America/St_Johns", "Newfoundland Time", "heure de Terre-Neuve"),
        ("UTC", "Coordinated Universal Time", "temps universel coordonné"),
        ("Etc/GMT+5", "Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_zones_have_names_that_people_use(zone: str, english: str, french: str) -> None:
    """One without a name keeps its key."""
    assert (format_zone(find_zone(zone), "en"), format_zone(find_zone(zone), "fr")) == (english, french)
