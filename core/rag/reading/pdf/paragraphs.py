"""Makes paragraphs, headings, items and rows of the lines of a PDF. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby, pairwise

from core.rag.documents import Block, collapse_blanks, table_blocks
from core.rag.reading.pdf.hyphens import Hyphenation, hyphen_end
from core.rag.reading.pdf.lines import BLANK, Line
from core.rag.reading.pdf.running_lines import PageText
from core.rag.reading.pdf.tables import LINE_END

PAGE_LEVEL = 9  # the page's number is the innermost heading
HEADING_LEVELS = 4
HEADING_SIZE = 1.15  # times the size of most text
HEADING_CHARS = 120
FALLBACK_LEADING = 1.3  # of the size
PARAGRAPH_GAP = 1.25  # of the distance between most lines
INDENT = 0.8  # of the size
SAME_SIZE = 0.1  # sizes that differ by less are alike
NEAR_LINES = 5  # above and below, which show where the column ends
SENTENCE_ENDS = '.!?:;…»”"'
BULLET = re.compile(r"[•▪◦●○■□–—‣➢✓✔]\s+(?=\S)|[-*]\s+(?=\S)")
NUMBERED = re.compile(r"(?:\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})\)|\d{1,2}\.)\s+\S")
LEADER_END = re.compile(r"…\s+[\w.-]{1,8}$")  # a line of a table of contents, with its page
NO_LETTERS = re.compile(r"[\W\d_]+")
DIGIT = re.compile(r"\d")

# By the page's number: the titles of bookmarks as `plain_title` makes them, and their levels.
Outline = Mapping[int, Mapping[str, int]]


def plain_title(text: str) -> str:
    """Returns the letters of a title. A bookmark often lacks the number that its heading has."""
    return NO_LETTERS.sub("", text).lower()


def document_blocks(pages: Sequence[PageText], outline: Outline) -> Iterator[Block]:
    """Yields the blocks of all pages. Each stands below its headings and the number of its page."""
    for page, following in pairwise(pages):
        join_split_word(page, following)
    builder = BlockBuilder(pages, outline)
    for page in pages:
        label = f"p. {page.number}{f' ({page.label})' if page.label else ''}"
        yield from with_page(Block("heading", label, PAGE_LEVEL), [*builder.page_blocks(page), *page.notes])


def join_split_word(page: PageText, following: PageText) -> None:
    """Moves the rest of a word that the page's end splits to this page."""
    if not page.lines or not following.lines:
        return
    last, first = page.lines[-1], following.lines[0]
    if last.cells or first.cells or not hyphen_end(last.text) or not first.text[:1].islower():
        return
    rest = replace(first.words[0], left=last.left, right=last.left, baseline=last.baseline + last.size, size=last.size)
    page.lines.append(Line([rest]))
    following.lines[:1] = [Line(first.words[1:])] if len(first.words) > 1 else []


def with_page(number: Block, blocks: Sequence[Block]) -> Iterator[Block]:
    """Puts the page's number before the first text and after each heading. A heading without text becomes text.

    Headings of form fields and comments stand below the page's number: no later page may inherit them.
    """
    numbered = False
    for index, block in enumerate(blocks, 1):
        following = blocks[index] if index < len(blocks) else None
        is_empty = following is None or (following.kind == "heading" and following.level <= block.level)
        if block.kind == "heading" and not is_empty and block.level < PAGE_LEVEL:
            yield block
            numbered = False
            continue
        if not numbered:
            yield number
            numbered = True
        if block.kind == "heading" and not is_empty:
            yield block
            continue
        yield Block("paragraph", block.text) if block.kind == "heading" else block


@dataclass(frozen=True, slots=True)
class HeadingSizes:
    """The sizes of text that are larger than most, largest first. Those of the first page only are no headings: they
    are the title and the authors.
    """

    sizes: tuple[float, ...]

    @classmethod
    def of_pages(cls, pages: Sequence[PageText]) -> HeadingSizes:
        chars: Counter[float] = Counter()
        for line in (line for page in pages for line in page.lines):
            chars[round(line.size, 1)] += len(line.text)
        body = chars.most_common(1)[0][0] if chars else 0.0
        later = {round(line.size, 1) for page in pages[1:] for line in page.lines} if len(pages) > 1 else chars
        return cls(tuple(sorted((size for size in later if size >= HEADING_SIZE * body), reverse=True)))

    def level(self, line: Line) -> int:
        """Returns the level of a heading of this line's size; 0: this is no heading."""
        size = round(line.size, 1)
        return min(self.sizes.index(size) + 1, HEADING_LEVELS) if size in self.sizes else 0


class BlockBuilder:
    def __init__(self, pages: Sequence[PageText], outline: Outline) -> None:
        lines = [line for page in pages for line in page.lines]
        self._hyphenation = Hyphenation(whole_words(lines))
        self._outline = outline
        self._sizes = HeadingSizes.of_pages(pages)
        self._by_outline = any(self._bookmark_level(page.number, line) for page in pages for line in page.lines)

    def page_blocks(self, page: PageText) -> list[Block]:
        leading = common_leading(page.lines)
        blocks: list[Block] = []
        for is_row, group in groupby(page.lines, key=lambda line: bool(line.cells)):
            if is_row:
                blocks += row_blocks([[self._cell(cell) for cell in line.cells] for line in group])
            else:
                blocks += self._text_blocks(list(group), leading, page.number)
        return blocks

    def _cell(self, cell: str) -> str:
        return reduce(self._hyphenation.join_lines, cell.split(LINE_END))

    def _text_blocks(self, lines: Sequence[Line], leading: float, number: int) -> Iterator[Block]:
        for column in split_columns(lines):
            edges = right_edges(column)
            for start, end in paragraph_spans(column, edges, leading):
                paragraph = column[start:end]
                if text := collapse_blanks(self._join(paragraph, edges[start:end])):
                    yield self._block(text, self._level(paragraph, text, number))

    def _block(self, text: str, level: int) -> Block:
        if level:
            return Block("heading", " ".join(text.split()), level)
        bullet = BULLET.match(text)
        return Block("item", text[bullet.end() :]) if bullet else Block("paragraph", text)

    def _level(self, paragraph: Sequence[Line], text: str, number: int) -> int:
        if len(text) > HEADING_CHARS or not NO_LETTERS.sub("", text):
            return 0
        if self._by_outline:
            return self._outline.get(number, {}).get(plain_title(text), 0)
        return self._sizes.level(paragraph[0])

    def _bookmark_level(self, number: int, line: Line) -> int:
        titles = self._outline.get(number)
        return titles.get(plain_title(line.text), 0) if titles else 0

    def _join(self, paragraph: Sequence[Line], edges: Sequence[float]) -> str:
        text = paragraph[0].text
        for (last, line), edge in zip(pairwise(paragraph), edges, strict=False):
            text = self._hyphenation.join_lines(text, line.text, "\n" if ends_line(last, line, edge) else " ")
        return text


def whole_words(lines: Sequence[Line]) -> Iterator[str]:
    """Yields the words that no line's end splits, with the punctuation around them."""
    is_rest = False
    for line in lines:
        last = len(line.words) - 1
        for index, word in enumerate(line.words):
            if not word.split and not is_rest and not (index == last and hyphen_end(word.text)):
                yield word.text
            is_rest = word.split or (index == last and hyphen_end(word.text) is not None)


def row_blocks(rows: Sequence[Sequence[str]]) -> list[Block]:
    """Returns rows of a table. The first one names the columns if it has no digits and others do."""
    first, *others = rows
    named = all(first) and not DIGIT.search("".join(first)) and any(DIGIT.search("".join(row)) for row in others)
    alike = all(len(row) == len(first) for row in others)
    return table_blocks(others, first) if len(others) > 1 and named and alike else table_blocks(rows, None)


def common_leading(lines: Sequence[Line]) -> float:
    """Returns the distance between most lines of the page, as a multiple of their size."""
    steps = Counter(
        round((below.baseline - line.baseline) / line.size, 1)
        for line, below in pairwise(lines)
        if 0.9 < (below.baseline - line.baseline) / line.size < 3 and not line.cells
    )
    return steps.most_common(1)[0][0] if steps else FALLBACK_LEADING


def split_columns(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Splits the lines where they go up again, unless a sentence goes on there."""
    column = [lines[0]]
    for last, line in pairwise(lines):
        if line.baseline < last.baseline and not goes_on(last, line):
            yield column
            column = []
        column.append(line)
    yield column


def goes_on(last: Line, line: Line) -> bool:
    return last.is_split or (line.text[:1].islower() and last.text[-1:] not in SENTENCE_ENDS)


def paragraph_spans(lines: Sequence[Line], edges: Sequence[float], leading: float) -> Iterator[tuple[int, int]]:
    """Yields where each paragraph starts and ends."""
    start = 0
    for index, (last, line) in enumerate(pairwise(lines)):
        if starts_paragraph(last, line, leading, edges[index]):
            yield start, index + 1
            start = index + 1
    yield start, len(lines)


def starts_paragraph(last: Line, line: Line, leading: float, edge: float) -> bool:
    if last.is_split:
        return False
    if abs(line.size - last.size) > SAME_SIZE * last.size or line.upright != last.upright:
        return True
    step = line.baseline - last.baseline
    if step < 0:
        return not goes_on(last, line)
    if step > PARAGRAPH_GAP * leading * line.size:
        return True
    if BULLET.match(line.text) or NUMBERED.match(line.text):
        return True
    ends = last.text[-1:] in SENTENCE_ENDS
    return ends and (ends_early(last, line, edge) or line.left > last.left + INDENT * line.size)


def right_edges(lines: Sequence[Line]) -> list[float]:
    """Returns for each line where those near it, of its size and column, end."""
    return [
        max(
            (
                each.right
                for each in lines[max(index - NEAR_LINES, 0) : index + NEAR_LINES + 1]
                if abs(each.size - line.size) <= SAME_SIZE * line.size
                and each.left < line.right
                and line.left < each.right
            ),
            default=line.right,
        )
        for index, line in enumerate(lines)
    ]


def ends_line(line: Line, below: Line, edge: float) -> bool:
    return LEADER_END.search(line.text) is not None or ends_early(line, below, edge)


def ends_early(line: Line, below: Line, edge: float) -> bool:
    """Tells whether the first word of the line below would have had room in this line."""
    first = below.words[0]
    return line.right + (first.right - first.left) + BLANK * line.size < edge
