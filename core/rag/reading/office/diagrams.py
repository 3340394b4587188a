"""The words of diagrams (SmartArt) in Office files. Pure. (ECMA-376, part 1, 21.4)"""

from __future__ import annotations

from collections.abc import Sequence

from core.rag.documents import Block, one_line
from core.rag.reading.office.zip_package import Element

DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
NESTING_LIMIT = 8
DRAWN_KINDS = ("pres", "parTrans", "sibTrans")  # points that only place or connect others


def diagram_blocks(root: Element) -> list[Block]:
    """Returns an item for each box, nested as in the outline that PowerPoint shows beside the diagram.

    Boxes that nothing leads to come last.
    """
    points = {each.get("modelId", ""): each for each in root.iter(f"{DIAGRAM}pt")}
    children: dict[str, list[tuple[int, str]]] = {}
    for each in root.iter(f"{DIAGRAM}cxn"):
        if each.get("type", "parOf") == "parOf":
            source = children.setdefault(each.get("srcId", ""), [])
            source.append((int(each.get("srcOrd", "0")), each.get("destId", "")))
    roots = [key for key, each in points.items() if each.get("type") == "doc"]
    seen: set[str] = set()
    return [
        block
        for keys, level in ((roots, -1), (points, 0))
        for key in keys
        for block in outline(key, points, children, seen, level)
    ]


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
        words = box_text(box)
        blocks += [Block("item", words, max(level, 0))] if words else []
    for _, child in sorted(children.get(key, [])):
        blocks += outline(child, points, children, seen, level + 1)
    return blocks


def box_text(box: Element) -> str:
    """Returns the paragraphs on one line."""
    paragraphs = ("".join(run.text or "" for run in each.iter(f"{DRAWING}t")) for each in box.iter(f"{DRAWING}p"))
    return one_line(" ".join(paragraphs))
