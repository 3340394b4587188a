"""The data of charts, and the words of diagrams (SmartArt). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.rag.documents import Block, one_line, table_blocks
from core.rag.reading.number_format import show_number
from core.rag.reading.slide_names import CHART, DIAGRAM, DRAWING
from core.rag.reading.slide_texts import BulletStyle, paragraph_blocks
from core.rag.reading.zip_package import Element

POINTS_LIMIT = 2000
NESTING_LIMIT = 8
DRAWN_KINDS = ("pres", "parTrans", "sibTrans")  # points that only place or connect others


def chart_blocks(root: Element) -> list[Block]:
    """Returns the title, and a table: a row for each category, a column for each series."""
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


def diagram_blocks(root: Element) -> list[Block]:
    """Returns an item for each box, nested as in the outline that PowerPoint shows beside the diagram."""
    points = {each.get("modelId", ""): each for each in root.iter(f"{DIAGRAM}pt")}
    children: dict[str, list[tuple[int, str]]] = {}
    for each in root.iter(f"{DIAGRAM}cxn"):
        if each.get("type", "parOf") == "parOf":
            source = children.setdefault(each.get("srcId", ""), [])
            source.append((int(each.get("srcOrd", "0")), each.get("destId", "")))
    roots = [key for key, each in points.items() if each.get("type") == "doc"]
    seen: set[str] = set()
    return [block for key in roots for block in outline(key, points, children, seen, -1)]


def outline(
    key: str, points: dict[str, Element], children: dict[str, list[tuple[int, str]]], seen: set[str], level: int
) -> Sequence[Block]:
    """`seen`: the boxes so far; a damaged diagram may contain itself."""
    if key in seen or key not in points or level > NESTING_LIMIT:
        return []
    seen.add(key)
    blocks: list[Block] = []
    box = points[key].find(f"{DIAGRAM}t")
    if box is not None and points[key].get("type") not in DRAWN_KINDS:
        words = " ".join(block.text for block in box_paragraphs(box))
        blocks += [Block("item", words, max(level, 0))] if words else []
    for _, child in sorted(children.get(key, [])):
        blocks += outline(child, points, children, seen, level + 1)
    return blocks


def box_paragraphs(box: Element) -> list[Block]:
    body = box.makeelement(f"{DRAWING}shape", {})
    text_body = box.makeelement(f"{DRAWING}txBody", {})
    text_body.extend(list(box))
    body.append(text_body)
    return paragraph_blocks(body, BulletStyle(by_default=False))
