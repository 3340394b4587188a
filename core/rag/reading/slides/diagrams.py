"""The words of diagrams (SmartArt). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.rag.documents import Block
from core.rag.reading.office.zip_package import Element
from core.rag.reading.slides.names import DIAGRAM, DRAWING
from core.rag.reading.slides.texts import BulletStyle, paragraph_blocks

NESTING_LIMIT = 8
DRAWN_KINDS = ("pres", "parTrans", "sibTrans")  # points that only place or connect others


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
