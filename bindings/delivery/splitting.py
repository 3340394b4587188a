"""Markdown in pages that each stand alone. Pure; knows no platform, only how long a page may be by a given measure.

What is cut is closed and opened again: a code fence with its info string, a table with its header. When text is added,
no page but the last one changes, so that a streamed answer never edits an old page. (That, too, is why a page ends
where the text first outgrew it, whatever follows.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bindings.delivery import borders
from bindings.delivery.blocks import dedented, fences, indentation, line_at, open_table, reserve

Length = Callable[[str], int]
BLANK = re.compile(r"(?:[ \t\r]*\n)+|\s+\Z")
QUOTED = re.compile(r"[ \t]{0,20}>[ \t>]{0,20}")  # bounded, as the next page begins with it
OPENING_SHARE = 4  # what is opened again takes at most this part of a page, else it is not


def pages(text: str, length: Length, limit: int) -> list[str]:
    """`text` in pages whose `length` is at most `limit`; none if there is nothing but white space."""
    growing = Pages(length, limit)
    growing.add(text)
    return growing.all()


@dataclass(frozen=True, slots=True)
class Carry:
    """What the next page begins with, and how far it is less indented; None: as far as its first line is."""

    opening: str = ""
    dedent: int | None = 0
    in_fence: bool = False


class Pages:
    """The pages of a text that grows. What is `settled` never changes."""

    def __init__(self, length: Length, limit: int) -> None:
        self.settled: list[str] = []
        self._length = length
        self._limit = limit
        self._rest = ""
        self._carry = Carry("", None)

    def add(self, text: str) -> None:
        self._rest += text

    def all(self) -> list[str]:
        """Every page, the last one as it is now."""
        while (page := self._full_page()) is not None:
            self.settled += [page] if page else []
        last = self._shown(*self._start(), len(self._rest))
        return [*self.settled, last] if last else list(self.settled)

    def ending(self, length: Length) -> list[str]:
        """The pages after the settled ones, of a text that is whole, by another measure: each has that much room."""
        self.all()
        end = Pages(length, self._limit)
        end._rest, end._carry = self._rest, self._carry
        return end.all()

    def _start(self) -> tuple[Carry, str]:
        """The rest, without what is not worth to begin a page with: blank lines, the mere end of a code block."""
        carry, rest = self._carry, self._rest
        if carry.in_fence:
            blocks = fences(carry.opening + dedented(line_at(rest, 0), carry.dedent or 0)[0])
            if not blocks[0].is_open:
                closed = blocks[0].end > len(carry.opening)  # or else its quote has ended
                carry, rest = Carry("", carry.dedent), rest[len(line_at(rest, 0)) if closed else 0 :]
        if not carry.in_fence:
            blank = BLANK.match(rest)
            rest = rest[blank.end() :] if blank else rest
        return (Carry(carry.opening, indentation(line_at(rest, 0))) if carry.dedent is None else carry), rest

    def _full_page(self) -> str | None:
        """The next page, done with, if the rest is too long for one; else None."""
        carry, rest = self._start()
        room = self._room(carry, rest)
        if room >= len(rest):
            return None
        at = self._cut(carry, rest, room)
        page = self._shown(carry, rest, at)
        self._carry, self._rest = self._carried(carry, rest, at), rest[at:]
        return page

    def _room(self, carry: Carry, rest: str) -> int:
        """How many characters of the rest fit on this page, at least one; by halving, as pages grow with the text."""
        top = 1 << self._limit.bit_length()
        while self._fits(carry, rest, top):
            if top >= len(rest):
                return len(rest)
            top *= 2
        room, step = 0, top // 2
        while step:
            if room + step < len(rest) and self._fits(carry, rest, room + step):
                room += step
            step //= 2
        return max(room, 1)

    def _fits(self, carry: Carry, rest: str, at: int) -> bool:
        document = self._document(carry, rest, at)
        return self._length(document.rstrip() + reserve(document)) <= self._limit

    def _cut(self, carry: Carry, rest: str, room: int) -> int:
        """The best place. A measure that does not grow with the text may need a shorter page than was thought."""
        while True:
            opening = carry.opening if carry.in_fence else ""
            text = opening + rest[: room + 1]
            at = borders.best(text, len(opening), len(opening) + room, fences(text)) - len(opening)
            if room == 1 or self._length(self._shown(carry, rest, at)) <= self._limit:
                return at
            room //= 2

    def _document(self, carry: Carry, rest: str, at: int) -> str:
        return carry.opening + dedented(rest[:at], carry.dedent or 0)[0]

    def _shown(self, carry: Carry, rest: str, at: int) -> str:
        """The page: balanced; "" if it would say nothing."""
        if not rest[:at].strip():
            return ""
        document = self._document(carry, rest, at).rstrip()
        blocks = fences(document)
        return f"{document}\n{blocks[-1].closing}" if blocks and blocks[-1].is_open else document

    def _carried(self, carry: Carry, rest: str, at: int) -> Carry:
        """What is open where this page ends."""
        body, indented = dedented(rest[:at], carry.dedent or 0)
        document = carry.opening + body
        kept = (carry.dedent or 0) if indented else 0
        blocks = fences(document)
        if blocks and blocks[-1].is_open:
            opening = blocks[-1].opening
            return self._carry_if_short(Carry(opening, kept + blocks[-1].indentation, in_fence=True))
        if header := open_table(document):
            return self._carry_if_short(Carry(header, None))
        return between_lines(rest, at)

    def _carry_if_short(self, carry: Carry) -> Carry:
        return carry if len(carry.opening) * OPENING_SHARE <= self._limit else Carry("", carry.dedent)


def between_lines(rest: str, at: int) -> Carry:
    """A quoted line that is cut stays a quote; a nested list goes on at no indentation."""
    line = rest[rest.rfind("\n", 0, at) + 1 : at]
    if not line.strip():
        return Carry("", None)
    quoted = QUOTED.match(line)
    return Carry(quoted[0] if quoted else "", indentation(line))
