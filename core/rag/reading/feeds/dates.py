"""Parses the dates of feeds, with the offset that their publisher wrote. Pure.

Standards ask for RFC 822 and RFC 3339. Feeds also have French and German names, AM and PM, timestamps of Unix, and
zones by name. feedparser knows some of these, but moves all to UTC, where an evening becomes the next day, and reads
"9:30 PM EST" as half past nine in the morning.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DATE_LIMIT_CHARS = 100
# Without accents. The first letters are enough: "janv.", "Sept", "Dez".
MONTHS = {
    1: "january januar janvier janner janv jan",
    2: "february februar fevrier fevr fev feb",
    3: "march marz maerz mars mar mrz",
    4: "april avril apr avr",
    5: "may mai",
    6: "june juni juin jun",
    7: "july juli juillet juil jul",
    8: "august aout aug aou",
    9: "september septembre sept sep",
    10: "october oktober octobre oct okt",
    11: "november novembre nov",
    12: "december dezember decembre dec dez",
}
MONTH_NUMBERS = {name: number for number, names in MONTHS.items() for name in names.split()}
MONTH = rf"(?P<month>{'|'.join(sorted(MONTH_NUMBERS, key=len, reverse=True))})\b\.?"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er)?"
YEAR_FIRST = re.compile(r"\b(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?=$|[\st,])")
COMPACT = re.compile(r"^(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?=$|[\st])")
DAY_FIRST = re.compile(rf"\b{DAY}\.?[\s-]*(?:de |of )?{MONTH},?[\s-]*(?P<year>\d{{4}}|\d\d)\b")
MONTH_FIRST = re.compile(rf"\b{MONTH}\s+{DAY},?\s+(?P<year>\d{{4}})\b(?!:)")
YEAR_LAST = re.compile(rf"\b{MONTH}\s+{DAY}\s(?=.*\d:\d)(?P<rest>.*)\b(?P<year>\d{{4}})$")  # C's asctime
NUMBERS = re.compile(
    r"\b(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})[/.-](?P<year>\d{4}|(?<=[/.])\d\d)(?=$|[\s,])"
)
TIME = re.compile(
    r"(?:^|[\st,])(?P<hour>\d{1,2})"
    r"(?:(?:\s?h\s?|[:.])(?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d+)?)?|\s?h\b|(?=\s?[ap]\.?m))"
    r"\s?(?P<half>[ap])?(?(half)\.?m\b\.?)"
)
TIMESTAMP = re.compile(r"\d{9,10}(?:\.\d+)?|\d{13}")
OFFSET = re.compile(r"(?:\b(?:gmt|utc|z)\s?)?(?P<sign>[+-])(?P<hours>\d\d?):?(?P<minutes>\d\d)?\b")
ZONES = {
    **dict.fromkeys(("z", "ut", "utc", "gmt", "tu"), 0.0),
    **{"nst": -3.5, "ndt": -2.5, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5},
    **{"mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "et": -5, "akst": -9, "akdt": -8, "hst": -10},
    # The French names of Canada's zones.
    **{"hnt": -3.5, "hat": -2.5, "hna": -4, "haa": -3, "hne": -5, "hae": -4, "hnc": -6, "hac": -5},
    **{"hnr": -7, "har": -6, "hnp": -8, "hap": -7},
    **{"wet": 0, "west": 1, "bst": 1, "cet": 1, "mez": 1, "cest": 2, "mesz": 2, "eet": 2, "eest": 3, "msk": 3},
}
ZONE_NAME = re.compile(rf"\(?\b(?P<zone>{'|'.join(sorted(ZONES, key=len, reverse=True))})\b\)?")
PLACE_ZONE = re.compile(r"\b(?:america|canada|europe|atlantic|pacific)/[a-z_]{3,30}\b")
FILLERS = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so
    le a at um uhr on den der the t heure heures
    """.split()  # noqa: SIM905 - a list of a hundred strings is no clearer
)


def parse_feed_date(text: str, *, day_first: bool = False) -> datetime | None:
    """Returns the moment in the offset that the text names, else in UTC; midnight for a day without a time.

    `day_first`: reads 5/6/2026 as the fifth of June. Returns None for text of another form.
    """
    source = fold(text)
    if TIMESTAMP.fullmatch(source):
        return from_timestamp(float(source))
    day, rest = take_day(source, day_first=day_first or None)
    if day is None:
        return None
    time, rest = take_time(rest)
    zone, rest = take_zone(rest) if time is not None else (UTC, rest)
    if any(word not in FILLERS for word in re.findall(r"\w+", rest)):
        return None
    try:
        return datetime(*day, *(time or (0, 0, 0)), tzinfo=zone)
    except (ValueError, OverflowError):
        return None


def fold(text: str) -> str:
    """Returns the text in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text[:DATE_LIMIT_CHARS].lower())
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())


def from_timestamp(value: float) -> datetime | None:
    """Reads seconds since 1970, or milliseconds."""
    try:
        return datetime.fromtimestamp(value / 1000 if value >= 1e12 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def take_day(source: str, *, day_first: bool | None) -> tuple[tuple[int, int, int] | None, str]:
    """Returns year, month and day, and the text without them."""
    for form in (YEAR_FIRST, COMPACT, DAY_FIRST, MONTH_FIRST, YEAR_LAST):
        if found := form.search(source):
            month = found["month"]
            number = int(month) if month.isdigit() else MONTH_NUMBERS[month]
            between = found.groupdict().get("rest") or ""
            return (full_year(found["year"]), number, int(found["day"])), without(source, found, between)
    if found := NUMBERS.search(source):
        first, second = int(found["first"]), int(found["second"])
        comes_first = day_first or found["sign"] == "." or first > 12
        day, month_number = (first, second) if comes_first and second <= 12 else (second, first)
        return (full_year(found["year"]), month_number, day), without(source, found)
    return None, source


def full_year(year: str) -> int:
    number = int(year)
    return number if len(year) == 4 else number + (1900 if number >= 70 else 2000)


def take_time(source: str) -> tuple[tuple[int, int, int] | None, str]:
    found = TIME.search(source)
    if found is None:
        return None, source
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    return (hour, minute, min(second, 59)), without(source, found)


def take_zone(source: str) -> tuple[tzinfo, str]:
    """Returns the zone, UTC if there is none."""
    if found := OFFSET.search(source):
        minutes = int(found["hours"]) * 60 + int(found["minutes"] or 0)
        if minutes < 24 * 60:
            return to_zone(minutes if found["sign"] == "+" else -minutes), ZONE_NAME.sub(" ", without(source, found))
    if found := ZONE_NAME.search(source):
        return to_zone(ZONES[found["zone"]] * 60), without(source, found)
    if found := PLACE_ZONE.search(source):
        place = "/".join(part.title() for part in found[0].split("/"))
        with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(place), without(source, found)
    return UTC, source


def to_zone(minutes: float) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def without(source: str, found: re.Match[str], between: str = "") -> str:
    return f"{source[: found.start()]} {between} {source[found.end() :]}"
