"""Positions to cut Markdown, best first: paragraph, list item, line, sentence, word, visible character.

Two rules hold while the second half of the page offers another position. No page begins with a sign that has a meaning
at the start of a line. No cut falls inside a link or inline code. Visible characters follow Unicode's rules (UAX #29),
as far as a cut needs them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator

from bindings.delivery.blocks import Fence, outside_code, splits_header

# A character that cannot turn the following text into a list, heading, quote, fence or table.
PLAIN = r"(?!\d{1,9}[.)]\s)[^\s\-+*#>`~|=]"
PARAGRAPH = re.compile(r"\n(?:[ \t\r]*\n)+")
HEADING = re.compile(r"^#{1,6}[ \t][^\n]*\n(?:[ \t]*\n)*", re.M)
ITEM = re.compile(r"^(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])", re.M)
LINE = re.compile(r"(?<=\n)(?=[^\n])")
SENTENCE = re.compile(rf"(?:[.!?…][\"'»”)\]*_]{{0,3}}[ \t\u00a0]{{1,2}}|[。！？])(?={PLAIN})")
WORD = re.compile(rf"(?<=\S[ \t])(?={PLAIN})")
# Matches links and code whose end is missing, because it may be on the next page. The bounds keep this linear.
ATOM = re.compile(
    r"\[[^\]\n]{0,120}(?:\](?:\([^)\n]{0,500}(?:\)|\Z))?|\Z)|`[^`\n]{1,200}(?:`|\Z)|<[^<>\n]{1,200}(?:>|\Z)"
)
JOINER = "\u200d"
MARKS = {"Mn", "Me", "Mc"}  # accents, enclosing signs, vowel signs, variation selectors
HANGUL_VOWELS_AND_ENDS = range(0x1160, 0x1200)


def best_cut(text: str, least: int, room: int, spans: list[Fence]) -> int:
    """The best position above `least` and up to `room`, looking one character further. `spans`: the code blocks."""
    window, half = text[: room + 1], max(least, room // 2)
    in_code = any(span.start < room <= span.end for span in spans)
    for find, start in (
        (paragraphs, half),
        (items, half),
        (lines, least if in_code else half),  # a line of code stays whole, even if that leaves room unused
        (sentences, half),
        (words, half),
    ):
        if place := max((at for at in find(window, start, spans) if least < at <= room), default=0):
            return place
    return last_character_border(window, half, room)


def paragraphs(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    headed = after_headings(text, spans)
    ends = outside_code(spans, (blank.end() for blank in PARAGRAPH.finditer(text, start)))
    return (at for at in ends if at not in headed)


def after_headings(text: str, spans: list[Fence]) -> set[int]:
    """The positions after headings. None of them is cut at, because a heading stays with its section."""
    ends = {heading.start(): heading.end() for heading in HEADING.finditer(text)}
    return {ends[start] for start in outside_code(spans, iter(ends))}


def items(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    return outside_code(spans, (item.start() for item in ITEM.finditer(text, start)))


def lines(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    """Line starts, also in code and tables, but not around a table's header."""
    headed = after_headings(text, spans)
    starts = (line.start() for line in LINE.finditer(text, start))
    return (at for at in starts if at not in headed and not splits_header(text, at))


def sentences(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    return outside_atoms(text, (sentence.end() for sentence in SENTENCE.finditer(text, start)))


def words(text: str, start: int, spans: list[Fence]) -> Iterator[int]:
    return outside_atoms(text, (word.start() for word in WORD.finditer(text, start)))


def outside_atoms(text: str, places: Iterator[int]) -> Iterator[int]:
    """The places that lie in no link, inline code or autolink."""
    spans = [atom.span() for atom in ATOM.finditer(text)]
    starts = [start for start, _ in spans]
    for place in places:
        last = bisect_right(starts, place - 1) - 1
        if last < 0 or spans[last][1] <= place:
            yield place


def last_character_border(text: str, least: int, at: int) -> int:
    """The last position above `least` and up to `at` between two visible characters; `at` if there is none."""
    return next((each for each in range(at, least, -1) if is_character_border(text, each)), at)


def is_character_border(text: str, at: int) -> bool:
    """True if a cut before text[at] leaves every visible character whole."""
    if not 0 < at < len(text):
        return True
    left, right = text[at - 1], text[at]
    if extends(right) or left == JOINER or (left == "\r" and right == "\n"):
        return False
    return not (is_flag_half(right) and flag_halves_before(text, at) % 2)


def extends(char: str) -> bool:
    """True if a character belongs to the one before it."""
    code = ord(char)
    if code < 0x300:
        return False
    return (
        unicodedata.category(char) in MARKS
        or char in (JOINER, "\u200c")
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0xE0020 <= code <= 0xE007F  # tags, as in the flag of Scotland
        or code in HANGUL_VOWELS_AND_ENDS
    )


def is_flag_half(char: str) -> bool:
    """True if it is a regional indicator; two of them make one flag."""
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def flag_halves_before(text: str, at: int) -> int:
    start = at
    while start and is_flag_half(text[start - 1]):
        start -= 1
    return at - start
