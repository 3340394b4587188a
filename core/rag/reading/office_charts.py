"""Reads the charts of Office files: their titles, and their values as a table. Pure. (ECMA-376, part 1, 21.2)"""

from __future__ import annotations

from core.rag.documents import Block, one_line, table_blocks
from core.rag.reading.zip_package import Element

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
POINTS_LIMIT = 1000


def chart_blocks(root: Element) -> list[Block]:
    """`root`: the root of the chart's part. Its values are those that were last drawn."""
    title = one_line("".join(text for each in root.findall(f"{C}chart/{C}title") for text in each.itertext(f"{A}t")))
    series = [(one_line(" ".join(each.itertext(f"{C}v"))), each.getparent()) for each in root.iter(f"{C}tx")]
    drawn = [(name, points(parent, "val") or points(parent, "yVal")) for name, parent in series if is_series(parent)]
    names = next((found for _, parent in series if (found := points(parent, "cat") or points(parent, "xVal"))), {})
    places = sorted({place for _, values in drawn for place in values} | set(names))[:POINTS_LIMIT]
    rows = [[names.get(place, ""), *(values.get(place, "") for _, values in drawn)] for place in places]
    table = table_blocks(rows, ["", *(name for name, _ in drawn)]) if drawn else []
    return [*([Block("paragraph", title)] if title else []), *table]


def is_series(element: Element) -> bool:
    return bool(element.tag == f"{C}ser")


def points(series: Element, kind: str) -> dict[int, str]:
    """Returns the categories or the values of a series, by their places."""
    found = series.find(f"{C}{kind}")
    every = [] if found is None else found.iter(f"{C}pt")
    return {int(each.get("idx", "0")): one_line(each.findtext(f"{C}v") or "") for each in every}
