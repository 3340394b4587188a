"""A text with everything that detectors look at: its plain form, its labels, its addresses of the Web."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from core.privacy.labels import Labels
from core.privacy.readable_text import ReadableText

LABEL_AFTER_CHARS = 16
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']++")


class TextInContext:
    def __init__(self, text: str) -> None:
        self.readable = ReadableText(text)
        self.plain = self.readable.plain
        self.folded = self.readable.folded

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.readable)

    def after_labels(self, kind: str, pattern: re.Pattern[str], *, folded: bool = False) -> Iterator[re.Match[str]]:
        """The matches of the pattern right after each label of the kind. `folded`: in small letters."""
        searched = self.folded if folded else self.plain
        for label in self.labels.of(kind):
            if match := pattern.match(searched, label.end):
                yield match

    def is_before_label(self, kind: str, position: int, between: re.Pattern[str]) -> bool:
        """True if a label of the kind follows. `between`: the words that may stand before it, in small letters."""
        label = self.labels.next(position, LABEL_AFTER_CHARS)
        is_near = label is not None and label.kind == kind
        return is_near and between.fullmatch(self.folded, position, label.start if label else position) is not None

    def is_in_url(self, position: int) -> bool:
        """True inside an address of the Web, except for the value of a parameter."""
        starts, ends = self._urls
        if not starts:
            return False
        index = bisect_right(starts, position) - 1
        return index >= 0 and position < ends[index] and self.plain[position - 1 : position] != "="

    @cached_property
    def _urls(self) -> tuple[list[int], list[int]]:
        spans = [match.span() for match in URL.finditer(self.folded)]
        return [start for start, _ in spans], [end for _, end in spans]
