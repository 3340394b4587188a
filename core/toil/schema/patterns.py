"""Regular expressions: from the dialect of JSON Schema (ECMA 262) to that of the engine that writes (Rust's, no looks).

What the engine cannot hold is left out so that the pattern becomes wider, never narrower; the check does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ANYTHING = r"[\s\S]*"
EMPTY = "(?:)"
WORDS_LIMIT_CHARS = 2000
QUANTIFIER = re.compile(r"\{\d+(,\d*)?\}")
LOOKS = ("(?=", "(?!", "(?<=", "(?<!")
SHARED_CLASSES = "dDwWsStnrfv"  # the same letters mean the same in both
META = r"\.+*?()|[]{}^$#&-~/"


@dataclass(frozen=True, slots=True)
class Translated:
    """Patterns that must all be found. Not `exact`: they let through more than the original."""

    patterns: tuple[str, ...]
    exact: bool


class _Unknown(Exception):
    """Not understood; nothing is held then."""


def translate(pattern: str) -> Translated:
    try:
        aheads, rest = leading_aheads(pattern)
        parts = [_Reader(part) for part in (*aheads, rest)]
        texts = tuple(part.read() for part in parts)
    except (_Unknown, IndexError):
        return Translated((), exact=False)
    return Translated(tuple(dict.fromkeys(texts)), all(part.exact for part in parts))


def leading_aheads(pattern: str) -> tuple[list[str], str]:
    """`^(?=.*\\d)(?=.*[a-z]).{8,}$`, as for passwords, is three patterns that must all be found."""
    found: list[str] = []
    rest = pattern
    while rest.startswith("^(?=") and not has_outer_bar(pattern):
        end = closing(rest, 1)
        if rest[end + 1 : end + 2] in ("*", "+", "?", "{"):
            break
        found.append(f"^(?:{rest[4:end]})")
        rest = "^" + rest[end + 1 :]
    return found, rest


def has_outer_bar(pattern: str) -> bool:
    at = 0
    while at < len(pattern):
        if pattern[at] == "|":
            return True
        at = (closing(pattern, at) if pattern[at] == "(" else skip(pattern, at)) + 1
    return False


def closing(pattern: str, opened: int) -> int:
    """Where the group that opens there closes."""
    depth, at = 0, opened
    while True:
        depth += {"(": 1, ")": -1}.get(pattern[at], 0)
        if depth == 0:
            return at
        at = skip(pattern, at) + 1


def skip(pattern: str, at: int) -> int:
    """The last character of what stands there as one: an escape, a class, a character."""
    if pattern[at] == "\\":
        return at + 1
    if pattern[at] != "[":
        return at
    at += 2 if pattern[at + 1] == "^" else 1
    while pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at


class _Reader:
    """One pass over a pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self.exact = True

    def read(self) -> str:
        written: list[str] = []
        depth = 0
        while self._at < len(self._pattern):
            char = self._pattern[self._at]
            if char == "(":
                written.append(self._group())
                depth += written[-1] != EMPTY
            elif char in "^$":
                written.append(self._edge(char, depth))
            else:
                depth -= char == ")"
                written.append(self._one(char))
        return "".join(written)

    def _group(self) -> str:
        rest = self._pattern[self._at :]
        if rest.startswith(LOOKS):
            self._at = closing(self._pattern, self._at) + 1
            return self._wider(EMPTY)
        if rest.startswith("(?") and not rest.startswith("(?:"):
            named = re.match(r"\(\?<[A-Za-z_]\w*>", rest)
            if named is None:
                raise _Unknown
            self._at += len(named[0])
            return "("
        head = "(?:" if rest.startswith("(?:") else "("
        self._at += len(head)
        return head

    def _edge(self, char: str, depth: int) -> str:
        """`^` and `$` are held at the ends of an outer alternative only."""
        before = self._pattern[self._at - 1 : self._at]
        after = self._pattern[self._at + 1 : self._at + 2]
        self._at += 1
        outer = before in ("", "|") if char == "^" else after in ("", "|")
        return char if outer and depth == 0 else self._wider(EMPTY)

    def _one(self, char: str) -> str:
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape(inside=False)
        if char == "{" and (quantifier := QUANTIFIER.match(self._pattern, self._at)):
            self._at = quantifier.end()
            return quantifier[0]
        self._at += 1
        return f"\\{char}" if char in "{}]" else char

    def _class(self) -> str:
        end = skip(self._pattern, self._at)
        body = self._pattern[self._at : end + 1]
        if body in ("[]", "[^]"):
            self._at = end + 1
            return r"[^\s\S]" if body == "[]" else r"[\s\S]"
        start = "[^" if body.startswith("[^") else "["
        self._at += len(start)
        written = [start]
        while self._at < end:
            char = self._pattern[self._at]
            if char == "\\":
                written.append(self._escape(inside=True))
                continue
            written.append(f"\\{char}" if char in "[&~" else char)
            self._at += 1
        self._at = end + 1
        # A hyphen beside a class of letters is a hyphen; Rust reads a range and refuses.
        text = re.sub(r"(\\[dDwWsS])-", r"\1\\-", "".join(written))
        return re.sub(r"-(\\[dDwWsS])", r"\\-\1", text.replace("--", r"\--")) + "]"

    def _escape(self, *, inside: bool) -> str:
        letter = self._pattern[self._at + 1]
        if letter in "ux":
            return self._code_point(letter)
        if letter in "pP":
            return self._property()
        self._at += 2
        if letter in SHARED_CLASSES:
            return f"\\{letter}"
        if letter == "b" and inside:
            return r"\x08"
        if letter in "bB" and not inside:
            return self._wider(EMPTY)
        if letter == "0":
            return r"\x00"
        if letter.isdecimal() and not inside:
            return self._wider(f"(?:{ANYTHING})")
        if letter == "c":
            self._at += 1
            return f"\\x{ord(self._pattern[self._at - 1]) % 32:02x}"
        if letter.isalnum():
            raise _Unknown
        return f"\\{letter}" if letter in META else letter

    def _code_point(self, letter: str) -> str:
        found = re.compile(r"\\u\{([0-9A-Fa-f]+)\}|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})").match(
            self._pattern, self._at
        )
        if found is None:
            raise _Unknown
        self._at = found.end()
        value = int(found[1] or found[2] or found[3], 16)
        if 0xD800 <= value < 0xDC00 and (low := re.compile(r"\\u([dD][c-fC-F]\w\w)").match(self._pattern, self._at)):
            self._at = low.end()
            value = 0x10000 + ((value - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)
        if 0xD800 <= value < 0xE000 or value > 0x10FFFF:
            raise _Unknown
        return f"\\x{{{value:x}}}"

    def _property(self) -> str:
        found = re.compile(r"\\[pP]\{[\w=]+\}").match(self._pattern, self._at)
        if found is None:
            raise _Unknown
        self._at = found.end()
        return found[0]

    def _wider(self, instead: str) -> str:
        self.exact = False
        return instead


def literal(text: str) -> str:
    return "".join(f"\\{char}" if char in META else char for char in text)


def one_of(words: Iterable[str]) -> str:
    return "^(?:" + "|".join(literal(word) for word in words) + ")$"


def none_of(words: Iterable[str]) -> str | None:
    """A pattern for every text but these; None if there are too many."""
    words = list(words)
    if sum(map(len, words)) > WORDS_LIMIT_CHARS or any(len(word) > 100 for word in words):
        return None
    tree: dict[str, Any] = {}
    for word in words:
        place = tree
        for char in word:
            place = place.setdefault(char, {})
        place[""] = {}
    return f"^{other_than(tree)}$"


def other_than(tree: dict[str, Any]) -> str:
    """What goes on differently from every word of the tree. A key "" ends a word."""
    letters = [char for char in tree if char]
    ways = [] if "" in tree else [""]
    ways += [literal(char) + other_than(tree[char]) for char in letters]
    ways.append(f"[^{''.join(map(literal, letters))}]{ANYTHING}" if letters else rf"[\s\S]{ANYTHING}")
    return f"(?:{'|'.join(ways)})"


def disjoint(one: str, other: str) -> bool:
    """Whether no text can match both, as far as the letters that they begin with tell."""
    first, second = beginning(one), beginning(other)
    shared = min(len(first), len(second))
    return first[:shared] != second[:shared]


def beginning(pattern: str) -> str:
    if has_outer_bar(pattern):
        return ""
    found = re.match(r"\^((?:[A-Za-z0-9_ :@-](?![*?{]))*)", pattern)
    return found[1] if found else ""
