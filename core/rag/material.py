"""What an answer may be based on: documents in passages, and which of them the model is shown. Pure.

The passages of all documents compete by how well they fit the question; those that are shown stand in reading order,
document by document, and a document that a person can open has a number, by which the answer cites it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from core.contract import Attachment, Language, Source
from core.rag.blocks import Block
from core.rag.context import quoted
from core.rag.documents import Document, Passage
from core.rag.passages import cut, ranked

PARAGRAPHS = re.compile(r"\n[^\S\n]*\n")
SHOWN_LIMIT = 24  # passages; what fits into a window is usually less


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, or what was found in it. `source` is there if a person can open it; its number means nothing yet."""

    name: str
    passages: tuple[Passage, ...]
    source: Source | None = None
    verbatim: str | None = None  # of text that came as text: all of it, as it was
    cut: bool = False  # its end is not here: it is longer than what is read

    @property
    def text(self) -> str:
        return self.verbatim or "\n\n".join(written(passage) for passage in self.passages)

    def only(self, numbers: Sequence[int]) -> Reading:
        return replace(self, passages=tuple(self.passages[number] for number in numbers), verbatim=None)


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is a block of quoted data, "" for none; `sources` are the numbers that it has."""

    text: str = ""
    sources: tuple[Source, ...] = ()


class Material:
    """`readings`: the ones that matter most first, for where the question does not tell passages apart."""

    def __init__(self, readings: Sequence[Reading], question: str, language: Language, rules: str = "") -> None:
        self.readings = tuple(readings)
        self._question = question
        self._language = language
        self._rules = rules

    def __len__(self) -> int:
        """How many passages there are to show."""
        return min(SHOWN_LIMIT, sum(len(reading.passages) for reading in self.readings))

    def with_more(self, readings: Sequence[Reading]) -> Material:
        return Material((*self.readings, *readings), self._question, self._language, self._rules)

    @cached_property
    def order(self) -> list[tuple[int, int]]:
        """(reading, passage), the best first."""
        places = [(at, number) for at, reading in enumerate(self.readings) for number in range(len(reading.passages))]
        scores = ranked([self.readings[at].passages[number] for at, number in places], self._question)
        best = sorted(range(len(places)), key=lambda index: (-scores[index], spread(places[index])))
        return [places[index] for index in best]

    def shown(self, passages: int, first: int = 1) -> Shown:
        """The best so many; sources are numbered from `first`."""
        chosen = sorted(self.order[:passages])
        parts = [
            reading.only([number for at, number in chosen if at == index])
            for index, reading in enumerate(self.readings)
        ]
        return shown([part for part in parts if part.passages], self._language, self._rules, first)


def spread(place: tuple[int, int]) -> tuple[int, int]:
    """Where no word of the question decides: the beginning of each document before the rest of any."""
    at, number = place
    return (number, at)


def shown(readings: Iterable[Reading], language: Language, rules: str = "", first: int = 1) -> Shown:
    """All of them, quoted."""
    documents: list[Attachment] = []
    sources: list[Source] = []
    for reading in readings:
        name = reading.name
        if reading.source is not None:
            sources.append(replace(reading.source, number=first + len(sources)))
            name = f"[{sources[-1].number}] {name}"
        documents.append(Attachment(name, reading.text, reading.cut))
    return Shown(quoted(documents, language, rules, cited=bool(sources)), tuple(sources))


def written(passage: Passage) -> str:
    """With its headings, its date and where to read on: what a person would want to know of it."""
    when = f" ({passage.published_at:%Y-%m-%d})" if passage.published_at else ""
    head = f"{passage.heading}{when}".strip()
    return "\n".join(part for part in (head, passage.text, passage.link) if part)


def read_text(name: str, text: str) -> Reading:
    """Text that a person pasted."""
    blocks = (Block("paragraph", part) for part in PARAGRAPHS.split(text) if part.strip())
    return Reading(name, cut(blocks), verbatim=text)


def read_file(file: Attachment) -> Reading:
    """Text that a person attached."""
    return replace(read_text(file.name, file.text), cut=file.cut)


def read(document: Document, fetched_at: datetime | None = None) -> Reading:
    """A page, feed or file; one that has an address is a source."""
    source = document.url and Source(0, document.title, document.url, document.language, fetched_at)
    return Reading(document.title, document.passages, source or None, cut=document.cut)
