"""Reads the charts of Office files: their titles, and their values as a table. Pure. (ECMA-376, part 1, 21.2)"""

from __future__ import annotations

from core.rag.documents import Block, one_line, table_blocks
from core.rag.reading.number_format import show_number
from core.rag.reading.office.zip_package import Element

CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
POINTS_LIMIT = 1000


def chart_blocks(root: Element) -> list[Block]:
    """Returns the title, and a table: a row for each category, a column for each series.

    `root`: the root of the chart's part. Its values are those that were last drawn.
    """
    title = root.find(f"{CHART}chart/{CHART}title")
    words = one_line(" ".join(each.text or "" for each in title.iter(f"{DRAWING}t"))) if title is not None else ""
    series = list(root.iter(f"{CHART}ser"))
    names = [series_name(each) for each in series]
    columns = [read_points(each, "val", "yVal") for each in series]
    labels = read_points(series[0], "cat", "xVal") if series else {}
    places = sorted({place for column in [labels, *columns] for place in column})
    rows = [[labels.get(place, ""), *(column.get(place, "") for column in columns)] for place in places]
    head = ["", *names] if any(names) else None
    return [*([Block("paragraph", words)] if words else []), *table_blocks(rows, head)]


def series_name(series: Element) -> str:
    name = series.find(f"{CHART}tx")
    return one_line(" ".join(each.text or "" for each in name.iter(f"{CHART}v"))) if name is not None else ""


def read_points(series: Element, *kinds: str) -> dict[int, str]:
    """Returns the cached values by their place. Of categories of several levels, the words of all levels."""
    data = next((each for kind in kinds if (each := series.find(f"{CHART}{kind}")) is not None), None)
    found: dict[int, str] = {}
    if data is None:
        return found
    code = next((each.text or "" for each in data.iter(f"{CHART}formatCode")), "General")
    is_number = next(data.iter(f"{CHART}numCache", f"{CHART}numLit"), None) is not None
    for point in data.iter(f"{CHART}pt"):
        place, value = int(point.get("idx", "0")), point.findtext(f"{CHART}v") or ""
        shown = show_value(value, code) if is_number else value
        found[place] = f"{shown} {found[place]}" if place in found else shown
        if len(found) >= POINTS_LIMIT:
            break
    return found


def show_value(value: str, code: str) -> str:
    try:
        return show_number(float(value), code)
    except (ValueError, OverflowError):
        return value
