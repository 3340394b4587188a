"""Recognises the pages of a PDF that are pictures of text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

OBJECTS_LIMIT = 2000
FORMS_DEPTH = 3
PICTURE_SHARE = 0.3  # of the page's area: a logo is smaller
OUTLINES = 200  # drawn shapes: letters that became outlines


def shows_picture(page: PdfPage) -> bool:
    """Tells whether a picture fills much of the page, or many shapes do. The page has little text or none."""
    objects = list(islice(page.get_objects([FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH], FORMS_DEPTH), OBJECTS_LIMIT))
    width, height = page.get_size()
    images = [each.get_bounds() for each in objects if each.type == FPDF_PAGEOBJ_IMAGE]
    largest = max(((right - left) * (top - bottom) for left, bottom, right, top in images), default=0.0)
    return largest >= PICTURE_SHARE * width * height or len(objects) - len(images) >= OUTLINES


def number_ranges(numbers: Sequence[int]) -> str:
    """Returns ascending numbers as "3, 7–9"."""
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in ranges(numbers))


def ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
