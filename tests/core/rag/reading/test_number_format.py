"""Numbers of spreadsheets are shown as their reader sees them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from core.rag.reading.number_format import show_number, show_value


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567.891, "General", "1234567.891"),
        (1e21, "General", "1e+21"),
        (-4.5, "General", "-4.5"),
        (0.125, "0%", "13%"),
        (0.125, "0.0%", "12.5%"),
        (1234.5, "$#,##0.00", "$1,234.50"),
        (1234.5, '#,##0.00\\ "$"', "1,234.50 $"),
        (1234.5, "#,##0.00 [$€-40C]", "1,234.50 €"),
        (-1234.5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)', "-$1,234.50"),
        (1234567, "#,##0,", "1,235"),
        (12, "00000", "00012"),
        (2.5, '0.0" km"', "2.5 km"),
        (0.5, "# ?/?", "0.5"),
        (12000, "0.00E+00", "12000"),
        (-0.001, "0.00", "0.00"),
        (7, "[Red]0;[Blue]-0", "7"),
        (7, "no core", "7"),
        (6135550199, "[<=9999999]###-####;(###) ###-####", "(613) 555-0199"),
        (5550199, "[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "555-0199"),
        (46454286, "000 000 000", "046 454 286"),
        (20260502, '0000"-"00"-"00', "2026-05-02"),
        (16135550199, "000-0000", "1613555-0199"),
        (12.5, "000 000", "12.5"),
        (2500, '[>=1000000]0.0,,"M";[>=1000]0.0,"k";0', "2.5k"),
        (5, '[>=1000000]0.0,,"M";[>=1000]0.0,"k";0', "5"),
        (7, "", "7"),
        (7, "@", "7"),
    ],
)
def test_a_number_follows_its_code(value: float, code: str, shown: str) -> None:
    """Percent, currencies, thousands, units, groups of digits; a code that is not understood changes nothing."""
    assert shown == show_number(float(value), code)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (46113, "yyyy-mm-dd", "2026-04-01"),
        (46113, "d/m/yy", "2026-04-01"),
        (46113, "mmm yyyy", "2026-04"),
        (46113, "yyyy", "2026"),
        (46113, "[$-40C]d mmmm yyyy;@", "2026-04-01"),
        (46113.354166667, "yyyy-mm-dd hh:mm", "2026-04-01 08:30"),
        (0.354166667, "h:mm AM/PM", "08:30"),
        (0.354173, "h:mm:ss", "08:30:01"),
        (1.5, "[h]:mm", "36:00"),
        (1.5, "h:mm", "36:00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (-1, "yyyy-mm-dd", "-1"),
        (1e12, "yyyy-mm-dd", "1000000000000"),
        (5, '0 "days"', "5 days"),
    ],
)
def test_dates_and_times_are_iso(value: float, code: str, shown: str) -> None:
    """A date is a date, a time a time, and a duration counts hours."""
    assert shown == show_number(float(value), code)


def test_some_workbooks_count_from_1904() -> None:
    """Those of old Macs."""
    assert "2026-04-01" == show_number(46113.0 - 1462, "yyyy-mm-dd", from_1904=True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "TRUE"),
        (3.0, "3"),
        ("x", "x"),
        (date(2026, 4, 1), "2026-04-01"),
        (datetime(2026, 4, 1), "2026-04-01"),
        (datetime(2026, 4, 1, 8, 30), "2026-04-01 08:30"),
        (time(8, 30), "08:30"),
        (timedelta(hours=36, seconds=5), "36:00:05"),
    ],
)
def test_values_of_libraries_are_shown_alike(value: Any, shown: str) -> None:
    """The same rules hold for formats that a library reads."""
    assert shown == show_value(value)
