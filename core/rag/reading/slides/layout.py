"""The places of shapes on a slide, and the order in which people read them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.rag.documents import Block

ROWS = ("top", "bottom")
COLUMNS = ("left", "right")
ALIKE_WIDTHS = 1.5  # labels are narrower than the values beside them
JOINED_SHAPES_LIMIT = 200  # rows are compared with each other; hostile slides have thousands


@dataclass(frozen=True, slots=True)
class Box:
    """A place on the slide, in EMU."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class PlacedShape:
    box: Box
    blocks: Sequence[Block]


Shapes = Sequence[PlacedShape]


def reading_order(shapes: Shapes) -> list[PlacedShape]:
    """Orders shapes by cutting the slide between rows and columns (an X-Y cut: Nagy and Seth, 1984).

    Where both are possible, columns of one width are cut if wider gaps separate them than their rows: a heading stays
    with the text below it, a label with the value beside it.
    """
    if len(shapes) < 2:
        return list(shapes)
    if are_columns(shapes):
        parts = split_at_gaps(shapes, *COLUMNS)
    else:
        parts = join_rows(split_at_gaps(shapes, *ROWS))
        if len(parts) == 1:
            parts = split_at_gaps(shapes, *COLUMNS)
    if len(parts) == 1:
        return sorted(shapes, key=lambda shape: (shape.box.top, shape.box.left))
    return [shape for part in parts for shape in reading_order(part)]


def join_rows(rows: Sequence[list[PlacedShape]]) -> list[list[PlacedShape]]:
    """Joins neighbouring rows that are columns together."""
    if sum(map(len, rows)) > JOINED_SHAPES_LIMIT:
        return list(rows)
    joined: list[list[PlacedShape]] = []
    for row in rows:
        if joined and are_columns([*joined[-1], *row]):
            joined[-1] = [*joined[-1], *row]
        else:
            joined.append(row)
    return joined


def are_columns(shapes: Shapes) -> bool:
    """Tells whether the shapes stand in columns alike, whose gaps are wider than those within."""
    columns = split_at_gaps(shapes, *COLUMNS)
    if len(columns) < 2 or len({len(column) for column in columns}) > 1 or len(columns[0]) < 2:
        return False
    widths = [max(shape.box.right - shape.box.left for shape in column) for column in columns]
    if max(widths) > min(widths) * ALIKE_WIDTHS:
        return False
    rows = [narrowest_gap(split_at_gaps(column, *ROWS), *ROWS) for column in columns]
    return narrowest_gap(columns, *COLUMNS) > max(rows)


def narrowest_gap(parts: Sequence[Shapes], start: str, end: str) -> float:
    """Returns the least distance between neighbouring parts; infinity for a single part."""
    return min(
        (
            min(getattr(shape.box, start) for shape in after) - max(getattr(shape.box, end) for shape in before)
            for before, after in pairwise(parts)
        ),
        default=math.inf,
    )


def split_at_gaps(shapes: Shapes, start: str, end: str) -> list[list[PlacedShape]]:
    """Splits shapes where nothing crosses. Shapes that touch by a twentieth count as apart."""
    parts: list[list[PlacedShape]] = []
    reach = 0.0
    for shape in sorted(shapes, key=lambda each: int(getattr(each.box, start))):
        first, last = getattr(shape.box, start), getattr(shape.box, end)
        if parts and first < reach - (last - first) / 20:
            parts[-1].append(shape)
        else:
            parts.append([shape])
        reach = max(reach, last)
    return parts
