"""Charts: their scale, their shapes, and words that stay words."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from web.admin.plots import Scale, Series, bar_chart, line_chart, pieces


@pytest.mark.parametrize(("largest", "top"), [(0, 4), (3, 3), (7, 8), (10, 10), (99, 100), (0.07, 0.08), (101, 150)])
def test_the_axis_ends_at_a_round_number(largest: float, top: float) -> None:
    """No value is above it."""
    assert Scale.to(largest).top == pytest.approx(top)
    assert Scale.to(largest).top >= largest


def test_bars_stand_on_each_other() -> None:
    """An empty part has no bar."""
    chart = bar_chart(
        "Requests", "en", ["10:00", "11:00"], [Series("a", "first", [2.0, 0.0]), Series("b", "third", [1.0, 0.0])]
    )
    bars = [each.attrib for each in ElementTree.fromstring(chart).iter("rect")]

    assert [each["class"] for each in bars] == ["first", "third"]
    below, above = bars
    assert float(above["y"]) + float(above["height"]) == pytest.approx(float(below["y"]), abs=0.1)


def test_a_line_breaks_where_a_value_is_missing() -> None:
    assert pieces([None, 1.0, 2.0, None, 3.0]) == [[(1, 1.0), (2, 2.0)], [(4, 3.0)]]
    chart = ElementTree.fromstring(
        line_chart("Pace", "fr", list("abcde"), [Series("a", "first", [None, 1.0, 2.0, None, 3.0])])
    )
    assert (len(list(chart.iter("polyline"))), len(list(chart.iter("circle")))) == (1, 1)


def test_names_stay_text() -> None:
    """A chart with any name is well-formed, and has a name for screen readers."""
    chart = ElementTree.fromstring(bar_chart('"><script>', "en", ["<b>"], [Series("a", "first", [1.0])]))

    assert chart.attrib["aria-label"] == '"><script>'
    assert not list(chart.iter("script"))


def test_numbers_are_written_by_language() -> None:
    texts = [
        each.text
        for each in ElementTree.fromstring(line_chart("a", "fr", ["b"], [Series("a", "first", [1.5])])).iter("text")
    ]

    assert "0,5" in texts
