"""Translates regular expressions from ECMA 262 (JSON Schema) to Rust's regex, which has no lookaround.

Unsupported parts are left out so that the pattern becomes wider, never narrower. The validator checks the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ANYTHING = r"[\s\S]*"
EMPTY = "(?:)"
TEXTS_LIMIT_CHARS = 2000
QUANTIFIER = re.compile(r"\{\d+(,\d*)?\}")
LOOKAROUNDS = ("(?=", "(?!", "(?<=", "(?<!")
SHARED_CLASSES = "dDwWsStnrfv"  # these escapes mean the same in both dialects
UNMATCHED_PROPERTIES = {"Cs", "Surrogate", "Any"}  # Rust has no surrogates, and llguidance no class without characters
META = r"\.+*?()|[]{}^$#&-~/"


@dataclass(frozen=True, slots=True)
class TranslatedPattern:
    """Patterns that must all match. Unless `exact`, they match more than the original."""

    patterns: tuple[str, ...]
    exact: bool


class _Unsupported(Exception):
    """The pattern has an unsupported part; no part of it is enforced."""


def translate_pattern(pattern: str) -> TranslatedPattern:
    try:
        lookaheads, rest = split_lookaheads(pattern)
        parts = [_PatternParser(part) for part in (*lookaheads, rest)]
        texts = tuple(part.parse() for part in parts)
    except (_Unsupported, IndexError):
        return TranslatedPattern((), exact=False)
    return TranslatedPattern(tuple(dict.fromkeys(texts)), all(part.exact for part in parts))


def split_lookaheads(pattern: str) -> tuple[list[str], str]:
    """Splits a pattern such as `^(?=.*\\d)(?=.*[a-z]).{8,}$` (a password) into patterns that must all match."""
    lookaheads: list[str] = []
    rest = pattern
    while rest.startswith("^(?=") and not has_top_level_alternation(pattern):
        end = find_group_end(rest, 1)
        if rest[end + 1 : end + 2] in ("*", "+", "?", "{"):
            break
        lookaheads.append(f"^(?:{rest[4:end]})")
        rest = "^" + rest[end + 1 :]
    return lookaheads, rest


def has_top_level_alternation(pattern: str) -> bool:
    position = 0
    while position < len(pattern):
        if pattern[position] == "|":
            return True
        position = (find_group_end(pattern, position) if pattern[position] == "(" else token_end(pattern, position)) + 1
    return False


def find_group_end(pattern: str, opened: int) -> int:
    """The index where the group that opens at `opened` closes."""
    depth, position = 0, opened
    while True:
        depth += {"(": 1, ")": -1}.get(pattern[position], 0)
        if depth == 0:
            return position
        position = token_end(pattern, position) + 1


def token_end(pattern: str, position: int) -> int:
    """The index of the last character of the token at `position`: an escape, a class or a character."""
    if pattern[position] == "\\":
        return position + 1
    if pattern[position] != "[":
        return position
    position += 2 if pattern[position + 1] == "^" else 1
    while pattern[position] != "]":
        position += 2 if pattern[position] == "\\" else 1
    return position


class _PatternParser:
    """Translates a pattern in one pass."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._position = 0
        self.exact = True

    def parse(self) -> str:
        pieces: list[str] = []
        depth = 0
        while self._position < len(self._pattern):
            char = self._pattern[self._position]
            if char == "(":
                pieces.append(self._group())
                depth += pieces[-1] != EMPTY
            elif char in "^$":
                pieces.append(self._anchor(char, depth))
            else:
                depth -= char == ")"
                pieces.append(self._one(char))
        return "".join(pieces)

    def _group(self) -> str:
        rest = self._pattern[self._position :]
        if rest.startswith(LOOKAROUNDS):
            self._position = find_group_end(self._pattern, self._position) + 1
            return self._wider(EMPTY)
        if rest.startswith("(?") and not rest.startswith("(?:"):
            named = re.match(r"\(\?<[A-Za-z_]\w*>", rest)
            if named is None:
                raise _Unsupported
            self._position += len(named[0])
            return "("
        head = "(?:" if rest.startswith("(?:") else "("
        self._position += len(head)
        return head

    def _anchor(self, char: str, depth: int) -> str:
        """Keeps `^` and `$` only at the ends of a top-level alternative."""
        before = self._pattern[self._position - 1 : self._position]
        after = self._pattern[self._position + 1 : self._position + 2]
        self._position += 1
        outer = before in ("", "|") if char == "^" else after in ("", "|")
        return char if outer and depth == 0 else self._wider(EMPTY)

    def _one(self, char: str) -> str:
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape(inside=False)
        if char == "{" and (quantifier := QUANTIFIER.match(self._pattern, self._position)):
            self._position = quantifier.end()
            return quantifier[0]
        self._position += 1
        return f"\\{char}" if char in "{}]" else char

    def _class(self) -> str:
        end = token_end(self._pattern, self._position)
        body = self._pattern[self._position : end + 1]
        if body in ("[]", "[^]"):
            self._position = end + 1
            return r"[^\s\S]" if body == "[]" else r"[\s\S]"
        start = "[^" if body.startswith("[^") else "["
        self._position += len(start)
        pieces = [start]
        while self._position < end:
            char = self._pattern[self._position]
            if char == "\\":
                pieces.append(self._escape(inside=True))
                continue
            pieces.append(f"\\{char}" if char in "[&~" else char)
            self._position += 1
        self._position = end + 1
        # A hyphen beside a class escape is literal in ECMA 262; Rust reads a range and rejects it.
        text = re.sub(r"(\\[dDwWsS])-", r"\1\\-", "".join(pieces))
        return re.sub(r"-(\\[dDwWsS])", r"\\-\1", text.replace("--", r"\--")) + "]"

    def _escape(self, *, inside: bool) -> str:
        letter = self._pattern[self._position + 1]
        if letter in "ux":
            return self._code_point(letter)
        if letter in "pP":
            return self._property()
        self._position += 2
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
            self._position += 1
            return f"\\x{ord(self._pattern[self._position - 1]) % 32:02x}"
        if letter.isalnum():
            raise _Unsupported
        return f"\\{letter}" if letter in META else letter

    def _code_point(self, letter: str) -> str:
        match = re.compile(r"\\u\{([0-9A-Fa-f]+)\}|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})").match(
            self._pattern, self._position
        )
        if match is None:
            raise _Unsupported
        self._position = match.end()
        value = int(match[1] or match[2] or match[3], 16)
        if 0xD800 <= value < 0xDC00 and (
            low := re.compile(r"\\u([dD][c-fC-F]\w\w)").match(self._pattern, self._position)
        ):
            self._position = low.end()
            value = 0x10000 + ((value - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)
        if 0xD800 <= value < 0xE000 or value > 0x10FFFF:
            raise _Unsupported
        return f"\\x{{{value:x}}}"

    def _property(self) -> str:
        match = re.compile(r"\\[pP]\{(?:\w+=)?(\w+)\}").match(self._pattern, self._position)
        if match is None or match[1] in UNMATCHED_PROPERTIES:
            raise _Unsupported
        self._position = match.end()
        return match[0]

    def _wider(self, instead: str) -> str:
        self.exact = False
        return instead


def escape_text(text: str) -> str:
    return "".join(f"\\{char}" if char in META else char for char in text)


def match_texts(texts: Iterable[str]) -> str:
    return "^(?:" + "|".join(escape_text(text) for text in texts) + ")$"


def exclude_texts(texts: Iterable[str]) -> str | None:
    """A pattern that matches every text but these; None if they are too long."""
    texts = list(texts)
    if sum(map(len, texts)) > TEXTS_LIMIT_CHARS or any(len(text) > 100 for text in texts):
        return None
    tree: dict[str, Any] = {}
    for text in texts:
        place = tree
        for char in text:
            place = place.setdefault(char, {})
        place[""] = {}
    return f"^{exclude_tree(tree)}$"


def exclude_tree(tree: dict[str, Any]) -> str:
    """A pattern for every continuation that differs from all texts of the tree. The key "" ends a text."""
    letters = [char for char in tree if char]
    ways = [] if "" in tree else [""]
    ways += [escape_text(char) + exclude_tree(tree[char]) for char in letters]
    ways.append(f"[^{''.join(map(escape_text, letters))}]{ANYTHING}" if letters else rf"[\s\S]{ANYTHING}")
    return f"(?:{'|'.join(ways)})"


def are_disjoint(one: str, other: str) -> bool:
    """True if the literal prefixes show that no text can match both."""
    first, second = literal_prefix(one), literal_prefix(other)
    shared = min(len(first), len(second))
    return first[:shared] != second[:shared]


def literal_prefix(pattern: str) -> str:
    if has_top_level_alternation(pattern):
        return ""
    match = re.match(r"\^((?:[A-Za-z0-9_ :@-](?![*?{]))*)", pattern)
    return match[1] if match else ""
