"""Shows numbers of a spreadsheet by their format code, as its reader sees them, and dates as ISO 8601. Pure.

The codes are those of ECMA-376, part 1, 18.8.31: "0.0%", '#,##0.00 "$"', "yyyy-mm-dd hh:mm".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne

GENERAL = "General"
# The codes that a workbook names by number only, ECMA-376, part 1, 18.8.30.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0", 6: "$#,##0", 7: "$#,##0.00", 8: "$#,##0.00",
    9: "0%", 10: "0.00%", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    41: "#,##0", 42: "$#,##0", 43: "#,##0.00", 44: "$#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
}  # fmt: skip
# A quoted text, an escaped sign, a space as wide as a sign, a fill, brackets, digits, or another sign.
TOKEN = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[([^\]]*)\]|([0#?][0#?,.]*|\.[0#?]+)|(.)', re.DOTALL)
CURRENCY = re.compile(r"\$([^-]*)")
CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)\]")
COMPARISONS = {"<=": le, ">=": ge, "<>": ne, "<": lt, ">": gt, "=": eq}
PLACES = re.compile("[0#?]+")
NO_PATTERN = re.compile("[/Ee@GgbB%.,]")  # fractions, exponents, texts, amounts
PLACES_LIMIT = 40
UNFILLED = "\0"
DURATION = re.compile(r"\[[hms]+\]", re.IGNORECASE)
HIDDEN_PARTS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general', re.IGNORECASE)
SAFE_INTEGER = 1e15  # larger floats are not exact
LAST_SERIAL = 2_958_466  # after the year 9999
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The first section of a code. `prefix` and `suffix` are its literal texts."""

    prefix: str = ""
    suffix: str = ""
    whole_digits: int = 0  # the least number of digits before the point: "00000" of postal and employee numbers
    decimals: int | None = None  # None: as many as the number has
    has_thousands: bool = False
    scale: int = 0  # the decimal places that the number is shifted: 2 for percent, -3 for "in thousands"


def show_number(value: float, code: str, *, from_1904: bool = False) -> str:
    """Returns the number, date, time or duration as text."""
    if is_temporal(code) and 0 <= value < LAST_SERIAL:
        return show_moment(value, code, from_1904=from_1904)
    section = choose_section(value, code)
    shown = parse_code(section)
    if shown is not None:
        return show_formatted(value, shown)
    return show_pattern(value, section) or show_plain(value)


def choose_section(value: float, code: str) -> str:
    """Returns the first section whose condition the number meets: "[<=9999999]###-####;(###) ###-####"."""
    if "[" not in code:
        return code
    sections = code.split(";")
    for section in sections:
        condition = CONDITION.search(section)
        if condition is None or COMPARISONS[condition[1]](value, float(condition[2])):
            return section
    return sections[0]


def show_plain(value: float) -> str:
    """Returns "3" for 3.0, and 0.3 for 0.1 + 0.2: spreadsheets show fifteen digits at most."""
    if value.is_integer() and abs(value) < SAFE_INTEGER:
        return str(int(value))
    return f"{value:.15g}"


def show_formatted(value: float, shown: NumberFormat) -> str:
    number = Decimal(f"{abs(value):.15g}").scaleb(shown.scale)
    if shown.decimals is not None:
        number = number.quantize(Decimal(1).scaleb(-shown.decimals), ROUND_HALF_UP)
    digits = f"{number:{',' if shown.has_thousands else ''}f}"
    whole, point, decimals = digits.partition(".")
    sign = "-" if value < 0 and number else ""
    return f"{sign}{shown.prefix}{whole.zfill(shown.whole_digits)}{point}{decimals}{shown.suffix}"


def show_pattern(value: float, section: str) -> str:
    """Puts the digits into groups, as those of telephone numbers: "(613) 555-0199". Returns "" for other sections."""
    tokens = [
        (PLACES.fullmatch(digits) is not None, quoted or escaped or digits or sign)
        for quoted, escaped, _, digits, sign in TOKEN.findall(section)
    ]
    places = "".join(text for is_group, text in tokens if is_group)
    is_other = any(NO_PATTERN.search(text) for is_group, text in tokens if not is_group)
    if is_other or not 0 < len(places) <= PLACES_LIMIT or not value.is_integer() or not 0 <= value < SAFE_INTEGER:
        return ""
    digits = str(int(value)).zfill(places.count("0")).rjust(len(places), UNFILLED)
    excess = len(digits) - len(places)  # digits that the first group takes
    written, start = "", 0
    for is_group, text in tokens:
        end = start + len(text) + (0 if start else excess)
        written += digits[start:end] if is_group else text
        start = end if is_group else start
    return written.replace(UNFILLED, "").strip()


@lru_cache(maxsize=256)
def parse_code(code: str) -> NumberFormat | None:
    """Returns None for the general format, and for those of fractions, exponents and texts."""
    section = code.split(";")[0]
    if section.strip().lower() in ("", "general", "@"):
        return None
    before, after, core, percent = "", "", "", 0
    for quoted, escaped, bracket, digits, sign in TOKEN.findall(section):
        if digits:
            if core:
                return None
            core = digits
            continue
        if sign and sign in "/Ee@GgbB":
            return None
        percent += sign == "%"
        currency = CURRENCY.match(bracket)
        literal = quoted or escaped or (currency[1] if currency else "") or sign
        before, after = (before, after + literal) if core else (before + literal, after)
    if not core or len(core) > PLACES_LIMIT:
        return None
    whole, _, decimals = core.rstrip(",").partition(".")
    scale = 2 * percent - 3 * (len(core) - len(core.rstrip(",")))
    places = sum(decimals.count(sign) for sign in "0#?")
    return NumberFormat(
        before.strip("() "), after.rstrip("() "), whole.count("0"), places, has_thousands="," in whole, scale=scale
    )


@lru_cache(maxsize=256)
def is_temporal(code: str) -> bool:
    """Tells whether the code shows dates, times or durations."""
    section = code.split(";")[0]
    return bool(DURATION.search(section)) or bool(re.search("[ydhms]", HIDDEN_PARTS.sub("", section), re.IGNORECASE))


def show_moment(value: float, code: str, *, from_1904: bool) -> str:
    section = code.split(";")[0].lower()
    if DURATION.search(section):
        return show_duration(timedelta(seconds=round(value * 86400)))
    letters = HIDDEN_PARTS.sub("", section)
    has_time, has_date = bool(re.search("[hs]", letters)), bool(re.search("[yd]", letters)) or "mmm" in letters
    days = value + (value < 60) * (1 <= value) if not from_1904 else value  # 1900 has a 29 February in Excel
    moment = (EPOCH_1904 if from_1904 else EPOCH) + timedelta(seconds=round(days * 86400))
    if has_time and not has_date:
        return show_duration(timedelta(seconds=round(value * 86400))) if value >= 1 else show_time(moment.time())
    if has_time:
        return show_date_time(moment)
    if "y" in letters and "d" not in letters:
        return f"{moment:%Y-%m}" if "m" in letters else f"{moment:%Y}"
    return moment.date().isoformat()


def show_duration(duration: timedelta) -> str:
    """Returns hours and minutes: "36:00"."""
    seconds = round(duration.total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{'-' if seconds < 0 else ''}{hours}:{minutes:02}" + (f":{left:02}" if left else "")


def show_time(moment: time) -> str:
    return moment.isoformat("seconds" if moment.second else "minutes")


def show_date_time(moment: datetime) -> str:
    """Returns the date, and its time if it has one."""
    if moment.time() == time():
        return moment.date().isoformat()
    return f"{moment.date().isoformat()} {show_time(moment.time().replace(microsecond=0))}"


def show_value(value: str | float | bool | date | time | timedelta) -> str:
    """Returns a value of Python, as libraries give it, as text."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return show_plain(float(value))
        case datetime():
            return show_date_time(value)
        case date():
            return value.isoformat()
        case time():
            return show_time(value)
        case timedelta():
            return show_duration(value)
    return str(value)
