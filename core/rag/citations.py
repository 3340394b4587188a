"""The numbers by which an answer cites its documents, and a filter that drops those that do not exist. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

SPAN = r"\d{1,3}(?:\s*[-–]\s*\d{1,3})?"
CITATION = re.compile(rf"\[ ?({SPAN}(?:\s*[,;]\s*{SPAN})*) ?\]")
BEGINNING = re.compile(r"\[[\d\s,;–-]*\Z")
CITATION_LIMIT_CHARS = 40
NUMBER = re.compile(r"\d+")
FENCE_TICKS = 3


def cited_numbers(text: str) -> set[int]:
    """Returns the numbers that the text cites."""
    return {int(number) for match in CITATION.finditer(text) for number in NUMBER.findall(match[1])}


class CitationFilter:
    """Takes an answer in pieces by `feed`; `flush` ends it. Drops citations of documents that do not exist.

    Models make up numbers, and copy those that a document itself contains. Code, indexes such as `x[0]`, values such as
    `"rows": [7]`, links such as `[1](…)` and other brackets stay. Holds back a possible citation with the blank before
    it, and nothing else.
    """

    def __init__(self, numbers: Collection[int]) -> None:
        self._numbers = frozenset(numbers)
        self._pending = ""  # blanks, and a citation that may begin after them
        self._before = ""  # the last two characters before them, with "." for a citation
        self._ticks = 0  # of the run of backticks that is being written
        self._code_ticks = 0  # of the run that opened the present code; 0 outside code

    def feed(self, text: str) -> str:
        return "".join(self._take(char) for char in text)

    def flush(self) -> str:
        return self._settle("")

    def _take(self, char: str) -> str:
        self._count_ticks(char)
        if self._code_ticks or self._ticks:
            return self._settle("") + self._pass(char)
        if self._may_continue(char):
            self._pending += char
            return ""
        settled = self._settle(char)
        if char in " [":
            self._pending = char
            return settled
        return settled + self._pass(char)

    def _count_ticks(self, char: str) -> None:
        """Follows Markdown: code ends with as many backticks as it began with, and inline code with its line."""
        if char == "`":
            self._ticks += 1
            return
        if self._ticks:
            self._code_ticks = 0 if self._ticks == self._code_ticks else self._code_ticks or self._ticks
            self._ticks = 0
        if char == "\n" and self._code_ticks < FENCE_TICKS:
            self._code_ticks = 0

    def _may_continue(self, char: str) -> bool:
        pending = self._pending
        if not pending or pending.endswith("]"):
            return False
        if pending.isspace():
            return char == "["
        return char == "]" or (
            BEGINNING.match(pending.lstrip() + char) is not None and len(pending) < CITATION_LIMIT_CHARS
        )

    def _settle(self, following: str) -> str:
        """Returns what was held back, or what remains of it."""
        pending, self._pending = self._pending, ""
        match = CITATION.fullmatch(pending.lstrip())
        if match is None or self._is_link(following) or self._is_code(pending):
            return self._pass(pending)
        kept = keep_existing(match[1], self._numbers)
        if kept and kept != match[1]:
            pending = pending.replace(match[1], kept)
        return self._pass(pending, is_citation=True) if kept else ""

    def _is_link(self, following: str) -> bool:
        """True for the text of a link `[1](…)`, and for a link's definition `[1]: …` at the beginning of a line."""
        return following == "(" or (following == ":" and self._before[-1:] in ("", "\n"))

    def _is_code(self, pending: str) -> bool:
        """True for an index, a value, and an argument: `x[7]`, `"rows": [7]`, `x = [7]`, `f([7])`."""
        before = self._before
        if before.endswith("=") or before == '":':
            return True
        return pending[0] == "[" and (is_word(before[-1:]) or (before.endswith("(") and is_word(before[:-1])))

    def _pass(self, text: str, *, is_citation: bool = False) -> str:
        if text:
            last = "." if is_citation else f"{text[:-1]}x" if text.endswith("]") else text
            self._before = (self._before + last)[-2:]
        return text


def is_word(char: str) -> bool:
    """True for the end of a name, after which a bracket is an index."""
    return char.isalnum() or (char != "" and char in "_)")


def keep_existing(citation: str, numbers: Collection[int]) -> str:
    """Returns the parts of a citation, such as "1, 3–5", whose numbers exist. Unchanged if it has a 0: an interval."""
    parts = re.split(r"\s*[,;]\s*", citation)
    if any(int(number) == 0 for number in NUMBER.findall(citation)):
        return citation
    kept = [part for part in parts if all(int(number) in numbers for number in NUMBER.findall(part))]
    return citation if len(kept) == len(parts) else ", ".join(kept)
