"""The shapes of a slide as blocks, in the order in which people read them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from core.rag.documents import Block, one_line
from core.rag.reading.office.alternative_text import authored_description
from core.rag.reading.office.charts import chart_blocks
from core.rag.reading.office.diagrams import diagram_blocks
from core.rag.reading.office.grid import GridCell, GridRow, grid_blocks
from core.rag.reading.office.zip_package import Element, ZipPackage
from core.rag.reading.slides.layout import Box, PlacedShape, reading_order
from core.rag.reading.slides.names import CHART, COMPATIBILITY, DIAGRAM, DRAWING, PRESENTATION, RELATIONSHIP
from core.rag.reading.slides.texts import BulletStyle, paragraph_blocks, shape_text

REPEATED = {"dt", "ftr", "sldNum", "hdr", "sldImg"}  # footers and the like
TITLES = {"title", "ctrTitle"}
NESTING_LIMIT = 30  # of groups


class SlideReader:
    """One slide or page of notes, with the layout from which its placeholders take their places."""

    def __init__(self, package: ZipPackage, name: str, root: Element) -> None:
        self._package = package
        self._targets = package.relationships(name)
        self._tree = root.find(f"{PRESENTATION}cSld/{PRESENTATION}spTree")
        self._layout = [
            each for each in (self._related("slideLayout"), self._related("notesMaster")) if each is not None
        ]
        self._master = self._read_master()
        titles = [each for each in self._shapes() if placeholder_kind(each) in TITLES]
        self._titles = titles[:1]
        self.title = one_line(" ".join(shape_text(each) for each in self._titles))
        self.is_title_slide = any(placeholder_kind(each) == "ctrTitle" for each in self._titles)

    def blocks(self) -> list[Block]:
        """Returns everything but the title."""
        if self._tree is None:
            return []
        return [block for shape in reading_order(list(self._placed(self._tree, 0))) for block in shape.blocks]

    def body_blocks(self) -> list[Block]:
        """Returns the text of the placeholder "body" alone, which holds the words of a page of notes."""
        bodies = (each for each in self._shapes() if placeholder_kind(each) == "body")
        return [block for each in bodies for block in paragraph_blocks(each, BulletStyle(by_default=False))]

    def _related(self, kind: str) -> Element | None:
        name = next((each.target for each in self._targets.values() if each.kind == kind), None)
        return self._package.parse(name) if name else None

    def _read_master(self) -> Element | None:
        """Returns the master of the slide's layout, which places what the layout does not."""
        layout = next((each.target for each in self._targets.values() if each.kind == "slideLayout"), "")
        links = self._package.relationships(layout).values() if layout else ()
        name = next((each.target for each in links if each.kind == "slideMaster"), None)
        return self._package.parse(name) if name else None

    def _shapes(self) -> Iterator[Element]:
        return iter(()) if self._tree is None else self._tree.iter(f"{PRESENTATION}sp")

    def _placed(self, parent: Element, depth: int) -> Iterator[PlacedShape]:
        """Yields the shapes with text. The last known place stands for an unknown one."""
        box = Box(0, 0, 0, 0)
        for shape in visible_shapes(parent):
            if placeholder_kind(shape) in REPEATED or any(shape is each for each in self._titles):
                continue
            box = self._box(shape) or box
            if blocks := self._shape_blocks(shape, depth):
                yield PlacedShape(box, blocks)

    def _shape_blocks(self, shape: Element, depth: int) -> list[Block]:
        kind = shape.tag
        if kind == f"{PRESENTATION}grpSp" and depth < NESTING_LIMIT:
            placed = reading_order(list(self._placed(shape, depth + 1)))
            return [block for each in placed for block in each.blocks]
        if kind in (f"{PRESENTATION}sp", f"{PRESENTATION}cxnSp"):
            return paragraph_blocks(shape, self._bullets(shape))
        if kind == f"{PRESENTATION}graphicFrame":
            return self._frame_blocks(shape)
        if kind == f"{PRESENTATION}pic":
            return alternative_text(shape)
        return []

    def _frame_blocks(self, frame: Element) -> list[Block]:
        if (table := frame.find(f".//{DRAWING}tbl")) is not None:
            return grid_blocks(table_rows(table))
        if (chart := frame.find(f".//{CHART}chart")) is not None:
            root = self._part(chart.get(f"{RELATIONSHIP}id", ""))
            return [] if root is None else chart_blocks(root)
        if (diagram := frame.find(f".//{DIAGRAM}relIds")) is not None:
            root = self._part(diagram.get(f"{RELATIONSHIP}dm", ""))
            return [] if root is None else diagram_blocks(root)
        return alternative_text(frame)

    def _part(self, relationship_id: str) -> Element | None:
        target = self._targets.get(relationship_id)
        return self._package.parse(target.target) if target else None

    def _bullets(self, shape: Element) -> BulletStyle:
        """Placeholders of content have bullets, unless their layout takes them away. Text boxes have their own."""
        place = placeholder(shape)
        if place is None or place.get("type", "obj") not in ("obj", "body"):
            return BulletStyle(by_default=False)
        return BulletStyle(True, [each for each in (self._layout_shape(place),) if each is not None])

    def _layout_shape(self, place: Element) -> Element | None:
        """Returns the layout's placeholder of the same index, else of the same type."""
        candidates = [
            (shape, found)
            for layout in self._layout
            for shape in layout.iter(f"{PRESENTATION}sp")
            if (found := placeholder(shape)) is not None
        ]
        by_index = (shape for shape, found in candidates if found.get("idx", "0") == place.get("idx", "0"))
        by_type = (shape for shape, found in candidates if found.get("type", "obj") == place.get("type", "obj"))
        return next(by_index, None) if place.get("idx") else next(by_type, None)

    def _box(self, shape: Element) -> Box | None:
        if (own := read_box(shape)) is not None:
            return own
        place = placeholder(shape)
        if place is None:
            return None
        inherited = (
            read_box(each) for each in (self._layout_shape(place), self._master_shape(place)) if each is not None
        )
        return next(filter(None, inherited), None)

    def _master_shape(self, place: Element) -> Element | None:
        """Returns the master's placeholder of the same type. It has one body for all kinds of content."""
        kind = place.get("type", "obj")
        wanted = kind if kind in TITLES else "body"
        shapes = () if self._master is None else self._master.iter(f"{PRESENTATION}sp")
        return next((each for each in shapes if placeholder_kind(each) == wanted), None)


def visible_shapes(parent: Element) -> Iterator[Element]:
    """Yields the shapes of a group. Of alternatives, the first with content counts."""
    for child in parent:
        if child.tag == f"{COMPATIBILITY}AlternateContent":
            yield from (shape for choice in child[:1] for shape in choice if not is_hidden_shape(shape))
        elif not is_hidden_shape(child):
            yield child


def is_hidden_shape(shape: Element) -> bool:
    properties = shape.find(f"./*/{PRESENTATION}cNvPr")
    return properties is not None and properties.get("hidden") in ("1", "true")


def placeholder(shape: Element) -> Element | None:
    return shape.find(f"./*/{PRESENTATION}nvPr/{PRESENTATION}ph")


def placeholder_kind(shape: Element) -> str:
    place = placeholder(shape)
    return "" if place is None else place.get("type", "obj")


def read_box(shape: Element) -> Box | None:
    frame = shape.find(f"./*/{DRAWING}xfrm")
    if frame is None:
        frame = shape.find(f"{PRESENTATION}xfrm")
    place = None if frame is None else frame.find(f"{DRAWING}off")
    size = None if frame is None else frame.find(f"{DRAWING}ext")
    if place is None or size is None:
        return None
    left, top = number(place.get("x")), number(place.get("y"))
    return Box(left, top, left + number(size.get("cx")), top + number(size.get("cy")))


def number(value: str | None) -> int:
    try:
        return int(value or 0)
    except ValueError:
        return 0


def alternative_text(shape: Element) -> list[Block]:
    properties = shape.find(f"./*/{PRESENTATION}cNvPr")
    written = "" if properties is None else authored_description(properties.get("descr", ""))
    return [Block("paragraph", written)] if written else []


def table_rows(table: Element) -> list[GridRow]:
    properties = table.find(f"{DRAWING}tblPr")
    has_header = properties is not None and properties.get("firstRow") in ("1", "true")
    rows = table.findall(f"{DRAWING}tr")
    return [GridRow(list(table_cells(row)), has_header and index == 0) for index, row in enumerate(rows)]


def table_cells(row: Element) -> Iterator[GridCell]:
    """Yields the cells. One that a cell above covers is empty; one that its left neighbour covers is left out."""
    for cell in row.iterfind(f"{DRAWING}tc"):
        if cell.get("hMerge") in ("1", "true"):
            continue
        is_covered = cell.get("vMerge") in ("1", "true")
        blocks = [] if is_covered else paragraph_blocks(cell, BulletStyle(by_default=False))
        yield GridCell(blocks, max(1, min(number(cell.get("gridSpan")), 63)))
