"""Reads the charts of Office files: their titles, and their values as a table. Pure. (ECMA-376, part 1, 21.2)"""

from __future__ import annotations

from itertools import islice

from core.rag.documents import Block, one_line, table_blocks
from core.rag.reading.number_format import show_number
from core.rag.reading.office.zip_package import Element

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
POINTS_LIMIT = 1000


def chart_blocks(root: Element) -> list[Block]:
    """Returns the title, and a table: a row for each category, a column for each series.

    Series that have categories of their own, as clouds of points do, stand below each other.
    `root`: the root of the chart's part. Its values are those that were last drawn.
    """
    title = root.find(f"{CHART}chart/{CHART}title")
    words = one_line(" ".join(each.text or "" for each in title.iter(f"{DRAWING}t"))) if title is not None else ""
    series = list(root.iter(f"{CHART}ser"))
    names = [series_name(each) for each in series]
    columns = [read_points(each, "val", "yVal") for each in series]
    every_labels = [read_points(each, "cat", "xVal") for each in series]
    labels = every_labels[0] if series else {}
    heading = [Block("paragraph", words)] if words else []
    if any(each not in ({}, labels) for each in every_labels):
        return [*heading, *point_rows(names, every_labels, columns)]
    places = sorted({place for column in [labels, *columns] for place in column})
    rows = [[labels.get(place, ""), *(column.get(place, "") for column in columns)] for place in places]
    head = ["", *names] if any(names) else None
    return [*heading, *table_blocks(rows, head)]


def point_rows(names: list[str], labels: list[dict[int, str]], values: list[dict[int, str]]) -> list[Block]:
    """Returns a row for each value: its series, its category or x, and itself."""
    rows = [
        [name, own.get(place, ""), column[place]]
        for name, own, column in zip(names, labels, values, strict=True)
        for place in sorted(column)
    ]
    return table_blocks(rows, ["", "x", "y"])


def series_name(series: Element) -> str:
    name = series.find(f"{CHART}tx")
    return one_line(" ".join(each.text or "" for each in name.iter(f"{CHART}v"))) if name is not None else ""


def read_points(series: Element, *kinds: str) -> dict[int, str]:
    """Returns the cached values by their place. Of categories of several levels, the words of all levels."""
    data = next((each for kind in kinds if (each := series.find(f"{CHART}{kind}")) is not None), None)
    if data is None:
        return {}
    code = next((each.text or "" for each in data.iter(f"{CHART}formatCode")), "General")
    is_number = next(data.iter(f"{CHART}numCache", f"{CHART}numLit"), None) is not None
    levels = [cached_texts(each) for each in data.iter(f"{CHART}lvl")] or [cached_texts(data)]
    found = join_levels(levels)
    return {place: show_point(text, code) for place, text in found.items()} if is_number else found


def cached_texts(parent: Element) -> dict[int, str]:
    points = islice(parent.iter(f"{CHART}pt"), POINTS_LIMIT)
    return {int(each.get("idx", "0")): each.findtext(f"{CHART}v") or "" for each in points}


def join_levels(levels: list[dict[int, str]]) -> dict[int, str]:
    """`levels`: the innermost first. A word of an outer level counts until its next one: "2025", "", "2026"."""
    joined = levels[0]
    for level in levels[1:]:
        word = ""
        for place in sorted(joined):
            word = level.get(place, word)
            joined[place] = f"{word} {joined[place]}".strip()
    return joined


def show_point(value: str, code: str) -> str:
    try:
        return show_number(float(value), code)
    except (ValueError, OverflowError):
        return value
