"""Counts the words under each element of a page: the measure by which its content is chosen. Pure."""

from __future__ import annotations

from typing import NamedTuple

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString

from core.rag.reading.pages import boilerplate
from core.rag.reading.pages.blocks import DEPTH_LIMIT

SENTENCE_MIN_WORDS = 5  # shorter strings may as well be labels


class Weight(NamedTuple):
    """Words under an element. `prose` and `plain`: outside links, in sentences and all."""

    prose: int = 0
    plain: int = 0
    linked: int = 0

    @property
    def is_mostly_linked(self) -> bool:
        return self.linked > self.plain


NO_WEIGHT = Weight()


class PageWeights:
    """The weight of every element under `root`."""

    def __init__(self, root: Tag) -> None:
        self._weights: dict[int, Weight] = {}  # by the element's id()
        self.total = self._weigh(root, 0)

    def of(self, tag: Tag) -> Weight:
        return self._weights.get(id(tag), NO_WEIGHT)

    def holds_most(self, tag: Tag) -> bool:
        return self.of(tag).plain * 2 > self.total.plain

    def _weigh(self, tag: Tag, depth: int) -> Weight:
        prose = plain = linked = 0
        if tag.name == "a":
            linked = len(tag.get_text(" ").split())
        elif tag.name not in boilerplate.IGNORED_TAGS and not boilerplate.is_hidden(tag):
            for child in tag.children:
                if isinstance(child, Tag) and depth < DEPTH_LIMIT:
                    inner = self._weigh(child, depth + 1)
                    prose, plain, linked = prose + inner.prose, plain + inner.plain, linked + inner.linked
                elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                    count = len(child.split())
                    prose, plain = prose + (count if count >= SENTENCE_MIN_WORDS else 0), plain + count
        weight = self._weights[id(tag)] = Weight(prose, plain, linked)
        return weight
