"""Where Markdown may be cut, best places first: paragraph, list item, line, sentence, word, any character.

A cut is never before a sign that would mean something at the start of a line, nor inside a link or code within a line,
as long as there is another place in the second half.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from bindings.delivery import graphemes
from bindings.delivery.blocks import Fence, outside_code, splits_header

PLAIN = r"(?!\d{1,9}[.)]\s)[^\s\-+*#>`~|=]"  # it cannot turn what it begins into a list, heading, quote, fence, table
PARAGRAPH = re.compile(r"\n(?:[ \t\r]*\n)+")
HEADING = re.compile(r"^#{1,6}[ \t][^\n]*\n(?:[ \t]*\n)*", re.M)
ITEM = re.compile(r"^(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])", re.M)
LINE = re.compile(r"(?<=\n)(?=[^\n])")
SENTENCE = re.compile(rf"(?:[.!?…][\"'»”)\]*_]{{0,3}}[ \t\u00a0]{{1,2}}|[。！？])(?={PLAIN})")
WORD = re.compile(rf"(?<=\S[ \t])(?={PLAIN})")
# Unfinished ones count too: their end may be beyond the page. The bounds keep the search linear.
ATOM = re.compile(
    r"\[[^\]\n]{0,120}(?:\](?:\([^)\n]{0,500}(?:\)|\Z))?|\Z)|`[^`\n]{1,200}(?:`|\Z)|<[^<>\n]{1,200}(?:>|\Z)"
)

Borders = Callable[[str, int, list[Fence]], Iterator[int]]


def best(text: str, least: int, room: int, spans: list[Fence]) -> int:
    """The place to cut at, above `least` and up to `room`; one character more is seen. `spans`: its code blocks."""
    window, half = text[: room + 1], max(least, room // 2)
    in_code = any(span.start < room <= span.end for span in spans)
    for borders, start in (
        (paragraphs, half),
        (items, half),
        (lines, least if in_code else half),  # a line of code stays whole, even if that leaves room unused
        (sentences, half),
        (words, half),
    ):
        if place := max((at for at in borders(window, start, spans) if least < at <= room), default=0):
            return place
    return graphemes.before(window, half, room)


def paragraphs(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    headed = after_headings(text, spans)
    ends = outside_code(spans, (blank.end() for blank in PARAGRAPH.finditer(text, start)))
    return (at for at in ends if at not in headed)


def after_headings(text: str, spans: list[Fence]) -> set[int]:
    """A heading stays with what it is the heading of."""
    ends = {heading.start(): heading.end() for heading in HEADING.finditer(text)}
    return {ends[start] for start in outside_code(spans, iter(ends))}


def items(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    return outside_code(spans, (item.start() for item in ITEM.finditer(text, start)))


def lines(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    """Also of code and of tables, except round the header of a table."""
    headed = after_headings(text, spans)
    starts = (line.start() for line in LINE.finditer(text, start))
    return (at for at in starts if at not in headed and not splits_header(text, at))


def sentences(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    return outside_atoms(atoms(text), (sentence.end() for sentence in SENTENCE.finditer(text, start)))


def words(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    return outside_atoms(atoms(text), (word.start() for word in WORD.finditer(text, start)))


def atoms(text: str) -> list[tuple[int, int]]:
    return [atom.span() for atom in ATOM.finditer(text)]


def outside_atoms(spans: list[tuple[int, int]], places: Iterator[int]) -> Iterator[int]:
    starts = [start for start, _ in spans]
    for place in places:
        last = bisect_right(starts, place - 1) - 1
        if last < 0 or spans[last][1] <= place:
            yield place
