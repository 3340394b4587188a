"""Takes the words of a PDF page from PDFium, with their places. Knows no lines, paragraphs or tables.

Places are those of the page as its text is read upright, whatever `/Rotate` says: `left` and `right` grow to the right,
`baseline` grows downwards, all in points.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

SPLIT = "\ufffe"  # stands where PDFium removed the hyphen at a line's end
TOKEN = re.compile(rf"[^\s{SPLIT}]+{SPLIT}?")
CHARS_LIMIT = 200_000  # of a page: a book has 3,000
MAPPED_SAMPLES = 200  # characters
SAMPLES = 50  # words, for the direction of a page's text
STRAIGHT, OBLIQUE = 0.1, -1  # the slope up to which a direction counts as straight
LEVEL = 0.3  # of the size, by which characters of a line are raised or lowered
MARGIN = 1.0  # points around the crop box
# A compatibility form would also take the meaning of 10⁶, ½ and ™.
LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\uf0b7": "•", "\uf0a7": "▪"}
)
DIGIT, LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
SMALL = 0.85  # times the size of other text: raised and lowered digits
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")  # glyphs of symbol fonts, which no one else can read


@dataclass(slots=True)
class Word:
    """`split`: a hyphen at the line's end follows, and PDFium removed it. `upright`: as most text of its page is.

    `glued`: without a blank before it, such as an exponent.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    split: bool = False
    upright: bool = True
    glued: bool = False


def page_words(page: PdfPage) -> tuple[list[Word], float]:
    """Returns the words within the page's crop box, in the order of the content stream, and the share of characters
    whose letters their fonts tell. Text of scans is invisible (render mode 3) and stays.
    """
    text_page = page.get_textpage()
    try:
        reader = WordReader(text_page.raw, page.get_bbox())
        return list(reader.words()), reader.mapped_share()
    finally:
        text_page.close()


class Form(NamedTuple):
    """The place of characters: on the page (`x`, `y`), and as their text is read. `top`, `bottom`: of the last one."""

    x: float
    y: float
    left: float
    right: float
    baseline: float
    top: float
    bottom: float
    size: float
    direction: int


class WordReader:
    """Reads one text page through PDFium's C functions: its Python classes create objects for each character."""

    def __init__(self, text_page: pdfium.FPDF_TEXTPAGE, box: tuple[float, float, float, float]) -> None:
        self._page = text_page
        self._box = box
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._rectangle, self._matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
        self._style = (math.inf, 0.0)  # the height on the page and that of the characters: new ones are looked up
        self._size, self._direction = 1.0, 0

    def words(self) -> Iterator[Word]:
        text, places = self._text()
        tokens = [(match[0], places(match.start()), places(match.end() - 1)) for match in TOKEN.finditer(text)]
        page_direction = self._common_direction([first for _, first, _ in tokens])
        for token, first, last in tokens:
            split = token.endswith(SPLIT)
            end = last - split
            form = self._form(first, end)
            if last - first + 1 != len(token) or split or (is_level(form) and not self._has_notation(token, first)):
                pieces = iter([(token.removesuffix(SPLIT), form)])
            else:
                pieces = self._pieces(token, first)
            last_form = None
            for piece, placed in pieces:
                if self._is_inside(placed) and (cleaned := clean(piece)):
                    upright = placed.direction == page_direction
                    glued = last_form is not None and abs(placed.baseline - last_form.baseline) < last_form.size
                    yield Word(cleaned, placed.left, placed.right, placed.baseline, placed.size, split, upright, glued)
                last_form = placed

    def mapped_share(self) -> float:
        """Returns the share of the page's characters that have a letter in Unicode, from a sample; 1 without any."""
        count = min(pdfium.FPDFText_CountChars(self._page), CHARS_LIMIT)
        sample = range(0, count, max(count // MAPPED_SAMPLES, 1)) if count > 0 else range(0)
        errors = sum(pdfium.FPDFText_HasUnicodeMapError(self._page, index) == 1 for index in sample)
        return 1 - errors / len(sample) if sample else 1.0

    def _has_notation(self, token: str, first: int) -> bool:
        """Tells whether a digit of the token is smaller or larger than its other characters: "10⁶", "H₂O"."""
        if len(token) == 1 or not DIGIT.search(token):
            return False
        looked_at = range(len(token)) if LETTER.search(token) else (0, len(token) - 1)
        sizes = [self._size_of(first + index) for index in looked_at]
        return max(sizes) * SMALL > min(sizes) > 0

    def _size_of(self, index: int) -> float:
        size: float = pdfium.FPDFText_GetFontSize(self._page, index)
        return size * self._direction_and_scale(index)[1]

    def _pieces(self, token: str, first: int) -> Iterator[tuple[str, Form]]:
        """Splits a token where its size changes, or its line: PDFium glues short words below one another."""
        start, form = first, self._form(first, first)
        size = self._size_of(first)
        for index in range(first, first + len(token)):
            longer = self._form(start, index)
            last_size, size = size, self._size_of(index) or size
            if is_level(longer) and last_size == size:
                form = longer
                continue
            yield token[start - first : index - first], form
            start, form = index, self._form(index, index)
        yield token[start - first :], form

    def _form(self, first: int, last: int) -> Form:
        """Returns where the characters stand. Words of one line mostly have the size of the word before."""
        pdfium.FPDFText_GetCharOrigin(self._page, first, self._x, self._y)
        pdfium.FPDFText_GetLooseCharBox(self._page, last, self._rectangle)
        x, y, box = self._x.value, self._y.value, self._rectangle
        style = (y, box.top - box.bottom)
        if style != self._style:
            self._style = style
            self._direction, scale = self._direction_and_scale(first)
            self._size = (pdfium.FPDFText_GetFontSize(self._page, first) * scale) or 1.0
        direction = self._direction
        if direction in (0, OBLIQUE):
            return Form(x, y, x, max(box.right, x), -y, -box.top, -box.bottom, self._size, direction)
        left, baseline = turn(x, y, direction)
        (x1, y1), (x2, y2) = turn(box.left, box.bottom, direction), turn(box.right, box.top, direction)
        return Form(x, y, left, max(x1, x2, left), baseline, min(y1, y2), max(y1, y2), self._size, direction)

    def _text(self) -> tuple[str, Callable[[int], int]]:
        """Returns the page's text, and a function from its indexes to those of characters."""
        count = min(pdfium.FPDFText_CountChars(self._page), CHARS_LIMIT)
        if count <= 0:
            return "", int
        units = (ctypes.c_ushort * (count + 1))()
        written = max(pdfium.FPDFText_GetText(self._page, 0, count, units) - 1, 0)
        text = bytes(units)[: 2 * written].decode("utf-16-le", "surrogatepass")
        if len(text) != written:  # a pair of units is one character beyond U+FFFF
            text = "".join(map(chr, units[:written]))
        if written == count:
            return text, int
        return text, lambda index: pdfium.FPDFText_GetCharIndexFromTextIndex(self._page, index)

    def _common_direction(self, starts: list[int]) -> int:
        step = max(len(starts) // SAMPLES, 1)
        directions = Counter(self._direction_and_scale(start)[0] for start in starts[::step])
        return directions.most_common(1)[0][0] if directions else 0

    def _direction_and_scale(self, index: int) -> tuple[int, float]:
        """Returns the direction in which the text runs, in degrees counterclockwise, and its scale.

        Directions are 0, 90, 180 or 270; OBLIQUE for others.
        """
        matrix = self._matrix
        pdfium.FPDFText_GetMatrix(self._page, index, matrix)
        a, b = matrix.a, matrix.b
        if abs(b) <= STRAIGHT * abs(a):
            direction = 0 if a >= 0 else 180
        elif abs(a) <= STRAIGHT * abs(b):
            direction = 90 if b > 0 else 270
        else:
            direction = OBLIQUE
        return direction, math.hypot(matrix.c, matrix.d)

    def _is_inside(self, form: Form) -> bool:
        left, bottom, right, top = self._box
        return left - MARGIN <= form.x <= right + MARGIN and bottom - MARGIN <= form.y <= top + MARGIN


def is_level(form: Form) -> bool:
    """Tells whether the last character stands on the line of the first one."""
    room = LEVEL * form.size
    return form.top - room <= form.baseline <= form.bottom + room


def clean(text: str) -> str:
    if text.isascii():
        return text
    return PRIVATE_USE.sub("", whole_pairs(text.translate(LIGATURES)))


def turn(x: float, y: float, direction: int) -> tuple[float, float]:
    """Turns a point so that text of this direction is upright and y grows downwards."""
    if direction == 90:
        return y, x
    if direction == 180:
        return -x, y
    if direction == 270:
        return -y, -x
    return x, -y


def whole_pairs(text: str) -> str:
    """Joins the halves of characters beyond U+FFFF."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
