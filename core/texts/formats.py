"""Numbers, sizes, durations and dates in Canadian English and French, by Babel's copy of the CLDR.

Browsers format by the same data (`Intl`), so the page and the bots write a value the same way.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Literal

from babel import Locale
from babel.core import get_global
from babel.dates import format_date as babel_date
from babel.dates import format_time
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

from core.contract import Language

LOCALES: Mapping[Language, Locale] = {"en": Locale("en", "CA"), "fr": Locale("fr", "CA")}
SIZE_UNITS = ("byte", "kilobyte", "megabyte", "gigabyte")
SIZE_STEP = 1000  # as the hub, makers of disks and the SI count: a kB has 1,000 bytes
DURATION_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

AT_TIME: Mapping[Language, str] = {"en": "at", "fr": "à"}  # the CLDR's pattern "atTime", which Babel lacks

UnitStyle = Literal["long", "short"]


def format_number(value: float, language: Language, decimals: int = 3) -> str:
    """Formats `value` with at most `decimals` decimals: "1,234.5", "1 234,5"."""
    return format_decimal(value, "#,##0." + "#" * decimals, locale=LOCALES[language])


def format_size(size_bytes: float, language: Language) -> str:
    """Formats a size in the largest unit that it fills, with at most one decimal: "500 bytes", "1.5 MB", "1,5 Mo"."""
    unit = 0
    while size_bytes >= SIZE_STEP and unit < len(SIZE_UNITS) - 1:
        size_bytes, unit = size_bytes / SIZE_STEP, unit + 1
    style: UnitStyle = "short" if unit else "long"
    return format_unit(size_bytes, f"digital-{SIZE_UNITS[unit]}", style, format="#,##0.#", locale=LOCALES[language])


def format_duration(seconds: float, language: Language, style: UnitStyle = "long") -> str:
    """Formats a duration in at most two units: "1 hour, 2 minutes", "1 heure et 2 minutes"."""
    locale = LOCALES[language]
    parts = [format_unit(count, f"duration-{unit}", style, locale=locale) for unit, count in split_duration(seconds)]
    return format_list(parts, "unit", locale=locale)


def split_duration(seconds: float) -> list[tuple[str, int]]:
    """Splits into the largest unit and the next one, rounded to the smaller of them. Units of zero are left out."""
    largest = next((i for i, (_, size) in enumerate(DURATION_UNITS) if round(seconds) >= size), len(DURATION_UNITS) - 1)
    units = DURATION_UNITS[largest : largest + 2]
    rest = math.floor(seconds / units[-1][1] + 0.5) * units[-1][1]  # half up, as the page does
    if largest and rest >= DURATION_UNITS[largest - 1][1]:  # 3,599.9 s rounds up to an hour
        return split_duration(rest)
    counts = []
    for unit, size in units:
        counts.append((unit, rest // size))
        rest %= size
    return [part for part in counts if part[1]] or [(units[-1][0], 0)]


def format_date(day: datetime.date, language: Language, *, weekday: bool = False) -> str:
    """Formats a day: "July 1, 2026", "1er juillet 2026"; with its weekday "Wednesday, July 1, 2026"."""
    formatted = babel_date(day, "full" if weekday else "long", locale=LOCALES[language])
    # The CLDR writes "1 juillet"; Le guide de rédaction wants "1er".
    return formatted.replace("1", "1er", 1) if language == "fr" and day.day == 1 else formatted


def format_day_and_time(moment: datetime.datetime, language: Language) -> str:
    """Formats a moment with its weekday: "Wednesday, July 1, 2026 at 2:05 p.m."."""
    return f"{format_date(moment, language, weekday=True)} {AT_TIME[language]} {format_clock(moment, language)}"


def format_zone(zone: datetime.tzinfo, language: Language) -> str:
    """Names a time zone: "Eastern Time", "heure de l’Est". One that the CLDR does not name keeps its key."""
    locale, key = LOCALES[language], str(zone)
    canonical = get_global("zone_aliases").get(key, key)
    shared = locale.meta_zones.get(get_global("meta_zones").get(canonical, ""), {})  # the name of all zones of one time
    names = locale.time_zones.get(canonical, {}).get("long") or shared.get("long", {})
    return str(names.get("generic") or names.get("standard") or key)


def format_moment(moment: datetime.datetime, language: Language) -> str:
    """Formats a day and its time: "July 1, 2026 at 2:05 p.m.", "1er juillet 2026 à 14 h 05"."""
    return f"{format_date(moment, language)} {AT_TIME[language]} {format_clock(moment, language)}"


def format_clock(moment: datetime.datetime, language: Language) -> str:
    """Formats the time of day: "2:05 p.m.", "14 h 05"."""
    # The CLDR has U+202F before "p.m."; browsers write a space, because too many programs cannot show the sign.
    return format_time(moment, "short", locale=LOCALES[language], tzinfo=moment.tzinfo).replace("\u202f", " ")
