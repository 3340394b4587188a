"""Finds tables and columns of text among the lines of a PDF page, by the gaps between words. Pure.

PDFium returns text in the order in which it was drawn, mostly the order of reading. Four habits of producers break it,
and each is mended here: the cells of a row drawn one after the other with all their lines, a table drawn column by
column, columns of prose drawn line by line across all, and pieces drawn in no order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import mean

from core.rag.reading.pdf.lines import WIDE_GAP, Line, split_at, wide_gaps, words_text
from core.rag.reading.pdf.words import Word

LOOKED_BACK = 40  # lines, for one at the same height
CELL_LINES, CELL_CHARS = 8, 300  # more is no cell but a column of prose
SCATTERED_LINES, SCATTERED_SHARE = 3, 0.3  # lines that go up: more, and the order of drawing means nothing
WILD_SHARE = 0.45  # the same before cells are joined: those of two lines go up for each column
RUN_STEP = 4.0  # of the size: what is further below is no part of the same table
ROW_PITCH = 1.45  # of the size: lines of one cell are nearer than rows
SHORT_CELL_CHARS = 30
PROSE_LINES, PROSE_CHARS, PROSE_WORDS = 4, 18, 3  # columns of prose have so many lines, and cells of this length
SEPARATOR = 0.5  # of the size: the narrowest gap between columns of a table
MARGIN = 0.3  # of the size, by which positions of one line or column differ

LINE_END = "\n"  # within a cell

Interval = tuple[float, float]


def arrange(lines: Sequence[Line]) -> list[Line]:
    """Returns the lines in reading order; rows of tables have cells."""
    joined = list(lines) if is_scattered(lines, WILD_SHARE) else join_cells(lines)
    if is_scattered(joined, SCATTERED_SHARE):
        joined = by_height(joined)
    arranged: list[Line] = []
    start = 0
    while start < len(joined):
        end = run_end(joined, start)
        run = joined[start:end]
        if len(run) >= PROSE_LINES and (columns := prose_columns(run)):
            end = start + len(run) + len(tail := column_tail(joined[end:], columns))
            arranged += split_columns([*run, *tail], columns)
        else:
            arranged += table_rows(run) if is_gapped(run[0]) and not is_justified(joined, start, end) else run
        start = end
    return arranged


def is_scattered(lines: Sequence[Line], share: float) -> bool:
    """Tells whether the lines go up so often that they were drawn in no order of reading: by a report's fields."""
    upright = [line for line in lines if line.upright]
    ups = sum(below.baseline < line.baseline - line.size for line, below in pairwise(upright))
    return ups > max(SCATTERED_LINES, share * len(upright))


def by_height(lines: Sequence[Line]) -> list[Line]:
    """Returns the lines from the top to the bottom of the page. Pieces at one height become one line."""
    ordered = sorted((line for line in lines if line.upright), key=lambda line: line.baseline)
    rows: list[list[Line]] = []
    for line in ordered:
        same = rows and not line.cells and not rows[-1][0].cells
        if same and line.baseline - rows[-1][0].baseline < MARGIN * line.size:
            rows[-1].append(line)
        else:
            rows.append([line])
    whole = [row[0] if len(row) == 1 else Line(words_from_left(row)) for row in rows]
    return [*whole, *(line for line in lines if not line.upright)]


def words_from_left(lines: Sequence[Line]) -> list[Word]:
    return [word for line in sorted(lines, key=lambda line: line.left) for word in line.words]


def is_gapped(line: Line) -> bool:
    return bool(line.cells) or bool(wide_gaps(line))


def run_end(lines: Sequence[Line], start: int) -> int:
    """Returns the end of the lines close below one another that all have gaps, or that all have none."""
    gapped = is_gapped(lines[start])
    end = start + 1
    while end < len(lines) and is_gapped(lines[end]) == gapped and is_close(lines[end - 1], lines[end]):
        end += 1
    return end


def is_close(line: Line, below: Line) -> bool:
    return 0 < below.baseline - line.baseline < RUN_STEP * max(line.size, below.size)


def is_justified(lines: Sequence[Line], start: int, end: int) -> bool:
    """Tells whether this is one line of a justified paragraph, which may have wide blanks."""
    if end - start > 1 or lines[start].cells:
        return False
    line = lines[start]
    near = [other for other in (*lines[max(start - 1, 0) : start], *lines[end : end + 1]) if not other.cells]
    return any(
        abs(other.baseline - line.baseline) < ROW_PITCH * line.size
        and abs(other.right - line.right) < MARGIN * line.size
        and not wide_gaps(other)
        for other in near
    )


def join_cells(lines: Sequence[Line]) -> list[Line]:
    """Joins lines that were drawn after one another and stand beside one another."""
    joined: list[Line] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        beside = find_beside(joined, line)
        if beside is None:
            joined.append(line)
            index += 1
            continue
        block = block_from(lines, index)
        merged = merge_rows(joined[beside:], block) or merge_cells(joined[beside:], block)
        joined[beside:] = merged or [*joined[beside:], *block]
        index += len(block)
    return joined


def find_beside(lines: Sequence[Line], line: Line) -> int | None:
    """Returns the index of the line at the same height, if all since then stands on the left of this line."""
    for back, other in enumerate(reversed(lines[-LOOKED_BACK:]), 1):
        if not other.upright or not line.upright or other.right > line.left + MARGIN * line.size:
            return None
        if abs(other.baseline - line.baseline) < MARGIN * line.size:
            return len(lines) - back
    return None


def block_from(lines: Sequence[Line], start: int) -> list[Line]:
    """Returns the lines below one another, from the first one on, that do not reach further left."""
    block = [lines[start]]
    for last, line in pairwise(lines[start : start + LOOKED_BACK]):
        below = 0 < line.baseline - last.baseline < 4 * line.size
        if not below or line.left < block[0].left - 2 * line.size:
            break
        block.append(line)
    return block


def merge_rows(left: Sequence[Line], right: Sequence[Line]) -> list[Line] | None:
    """Joins two columns of a table line by line. None: they are no such columns."""
    if any(line.cells for line in (*left, *right)) or len(right) < 2 or is_dense(left) or is_dense(right):
        return None
    if mean(len(line.text) for line in (*left, *right)) > SHORT_CELL_CHARS:
        return None
    rows, rest = [], list(right)
    for line in left:
        match = next((each for each in rest if abs(each.baseline - line.baseline) < MARGIN * line.size), None)
        if match:
            rest.remove(match)
        rows.append(Line([*line.words, *match.words]) if match else line)
    return rows if not rest else None


def is_dense(lines: Sequence[Line]) -> bool:
    """Tells whether the lines follow one another as closely as in a paragraph."""
    return any(below.baseline - line.baseline < ROW_PITCH * line.size for line, below in pairwise(lines))


def merge_cells(left: Sequence[Line], right: Sequence[Line]) -> list[Line] | None:
    """Joins the cells of one row, each of some lines. None: these are no cells."""
    if all(
        len(lines) >= PROSE_LINES and mean(len(line.text) for line in lines) > PROSE_CHARS for lines in (left, right)
    ):
        return None
    for lines in (left, right):
        if len(lines) > CELL_LINES or sum(len(line.text) for line in lines) > CELL_CHARS * max(len(lines[0].cells), 1):
            return None
    row = Line([word for line in (*left, *right) for word in line.words])
    row.cells = [*cells_of(left), *cells_of(right)]
    row.baseline = left[0].baseline
    return [row]


def cells_of(lines: Sequence[Line]) -> list[str]:
    """Returns the cells of the first line. What stands below belongs to the last one, after LINE_END."""
    first = lines[0].cells or [words_text(cell) for cell in split_at(lines[0].words, wide_gaps(lines[0]))]
    return [*first[:-1], LINE_END.join([first[-1], *(line.text for line in lines[1:])])]


def prose_columns(run: Sequence[Line]) -> list[Interval] | None:
    """Returns the columns if they hold prose, drawn line by line across them."""
    if any(line.cells for line in run):
        return None
    columns = find_columns(run)
    if not 2 <= len(columns) <= 3:
        return None
    for column in columns:
        cells = [cell for line in run if (cell := words_in(line, column))]
        chars = mean(len(words_text(cell)) for cell in cells)
        if chars < PROSE_CHARS or mean(map(len, cells)) < PROSE_WORDS:
            return None
    return columns


def find_columns(lines: Sequence[Line]) -> list[Interval]:
    """Returns the stretches of the page's width that the words of these lines cover."""
    spans = sorted((word.left, word.right) for line in lines for word in line.words)
    gap = SEPARATOR * min(line.size for line in lines)
    columns = [spans[0]]
    for left, right in spans[1:]:
        if left - columns[-1][1] < gap:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def words_in(line: Line, column: Interval) -> list[Word]:
    return [word for word in line.words if column[0] <= word.left <= column[1]]


def column_tail(lines: Sequence[Line], columns: Sequence[Interval]) -> list[Line]:
    """Returns the lines below that go on in one column only: the longer one."""
    tail = []
    for line in lines:
        inside = any(left - line.size <= line.left and line.right <= right + line.size for left, right in columns)
        if not inside or is_gapped(line):
            break
        tail.append(line)
    return tail


def split_columns(lines: Sequence[Line], columns: Sequence[Interval]) -> list[Line]:
    return [Line(cell) for column in columns for line in lines if (cell := words_in(line, column))]


def table_rows(run: Sequence[Line]) -> list[Line]:
    """Gives each line its cells: by the columns that all lines share, else by its own wide gaps."""
    plain = [line for line in run if not line.cells]
    columns = find_columns(plain) if len(plain) > 1 else []
    for line in plain:
        own = split_at(line.words, wide_gaps(line, WIDE_GAP))
        if len(columns) >= max(len(own), 2):
            line.cells = [words_text(words_in(line, column)) for column in columns]
        elif len(own) > 1:
            line.cells = [words_text(cell) for cell in own]
    return list(run)
