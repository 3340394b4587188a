"""Splits Markdown into pages that each stand alone. Pure; knows a length function and a limit, and no platform.

Constructs that a cut leaves open are closed and opened again: a code fence with its info string, a table with its
header. Added text changes only the last page, so that a streamed answer never edits an old one. Therefore a page
ends where the text first outgrew it, for any later text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bindings.delivery.blocks import dedent, find_fences, indentation, line_at, longest_closing, open_table
from bindings.delivery.cut_points import best_cut

LengthFunction = Callable[[str], int]
BLANK = re.compile(r"(?:[ \t\r]*\n)+|\s+\Z")
QUOTED = re.compile(r"[ \t]{0,20}>[ \t>]{0,20}")  # bounded, because the next page begins with it
OPENING_SHARE = 4  # an opening longer than 1/4 of a page is not repeated


def split_pages(text: str, length: LengthFunction, limit: int) -> list[str]:
    """Pages whose `length` is at most `limit`. Text of white space only gives none."""
    splitter = PageSplitter(length, limit)
    splitter.add(text)
    return splitter.all()


@dataclass(frozen=True, slots=True)
class PageStart:
    """The opening of the next page, and how far it is dedented; None: by its first line's indentation."""

    opening: str = ""
    dedent: int | None = 0
    in_fence: bool = False


class PageSplitter:
    """The pages of a growing text. Pages in `settled` never change."""

    def __init__(self, length: LengthFunction, limit: int) -> None:
        self.settled: list[str] = []
        self._length = length
        self._limit = limit
        self._rest = ""
        self._start = PageStart("", None)

    def add(self, text: str) -> None:
        self._rest += text

    def all(self) -> list[str]:
        """Every page; the last one as it is now."""
        while (page := self._full_page()) is not None:
            self.settled += [page] if page else []
        last = self._render(*self._next_start(), len(self._rest))
        return [*self.settled, last] if last else list(self.settled)

    def ending(self, length: LengthFunction) -> list[str]:
        """The pages after the settled ones, for a complete text, with another length function for each of them."""
        self.all()
        end = PageSplitter(length, self._limit)
        end._rest, end._start = self._rest, self._start
        return end.all()

    def _next_start(self) -> tuple[PageStart, str]:
        """The rest without a beginning that shows nothing: blank lines, or the mere end of a code block."""
        start, rest = self._start, self._rest
        if start.in_fence:
            blocks = find_fences(start.opening + dedent(line_at(rest, 0), start.dedent or 0)[0])
            if not blocks[0].is_open:
                closed = blocks[0].end > len(start.opening)  # otherwise its quote has ended
                start, rest = PageStart("", start.dedent), rest[len(line_at(rest, 0)) if closed else 0 :]
        if not start.in_fence:
            blank = BLANK.match(rest)
            rest = rest[blank.end() :] if blank else rest
        return (PageStart(start.opening, indentation(line_at(rest, 0))) if start.dedent is None else start), rest

    def _full_page(self) -> str | None:
        """Takes the next page off the rest. None: the rest fits on one page."""
        start, rest = self._next_start()
        room = self._room(start, rest)
        if room >= len(rest):
            return None
        at = self._cut(start, rest, room)
        page = self._render(start, rest, at)
        self._start, self._rest = self._start_after(start, rest, at), rest[at:]
        return page

    def _room(self, start: PageStart, rest: str) -> int:
        """The number of characters of the rest that fit on this page, at least one.

        A binary search: pages grow with the text.
        """
        top = 1 << self._limit.bit_length()
        while self._fits(start, rest, top):
            if top >= len(rest):
                return len(rest)
            top *= 2
        room, step = 0, top // 2
        while step:
            if room + step < len(rest) and self._fits(start, rest, room + step):
                room += step
            step //= 2
        return max(room, 1)

    def _fits(self, start: PageStart, rest: str, at: int) -> bool:
        document = self._document(start, rest, at)
        return self._length(document.rstrip() + longest_closing(document)) <= self._limit

    def _cut(self, start: PageStart, rest: str, room: int) -> int:
        """The best position. Retries with less room, for length functions that do not grow with the text."""
        while True:
            opening = start.opening if start.in_fence else ""
            text = opening + rest[: room + 1]
            at = best_cut(text, len(opening), len(opening) + room, find_fences(text)) - len(opening)
            if room == 1 or self._length(self._render(start, rest, at)) <= self._limit:
                return at
            room //= 2

    def _document(self, start: PageStart, rest: str, at: int) -> str:
        return start.opening + dedent(rest[:at], start.dedent or 0)[0]

    def _render(self, start: PageStart, rest: str, at: int) -> str:
        """The balanced page; "" if it would show nothing."""
        if not rest[:at].strip():
            return ""
        document = self._document(start, rest, at).rstrip()
        blocks = find_fences(document)
        return f"{document}\n{blocks[-1].closing}" if blocks and blocks[-1].is_open else document

    def _start_after(self, start: PageStart, rest: str, at: int) -> PageStart:
        """The start of the next page, by the construct that is open where this page ends."""
        body, indented = dedent(rest[:at], start.dedent or 0)
        document = start.opening + body
        columns = (start.dedent or 0) if indented else 0
        blocks = find_fences(document)
        if blocks and blocks[-1].is_open:
            opening = blocks[-1].opening
            return self._limit_opening(PageStart(opening, columns + blocks[-1].indentation, in_fence=True))
        if header := open_table(document):
            return self._limit_opening(PageStart(header, None))
        return start_in_text(rest, at)

    def _limit_opening(self, start: PageStart) -> PageStart:
        return start if len(start.opening) * OPENING_SHARE <= self._limit else PageStart("", start.dedent)


def start_in_text(rest: str, at: int) -> PageStart:
    """The start of a page outside code and tables. A quoted line that is cut stays a quote; a list is dedented."""
    line = rest[rest.rfind("\n", 0, at) + 1 : at]
    if not line.strip():
        return PageStart("", None)
    quoted = QUOTED.match(line)
    return PageStart(quoted[0] if quoted else "", indentation(line))
