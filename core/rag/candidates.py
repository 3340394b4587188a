"""What an answer may be based on: documents in passages, and which of them the model is shown. Pure.

The passages of all documents compete by how well they fit the question; those that are shown stand in reading order,
document by document, and a document that a person can open has a number, by which the answer cites it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import accumulate

from core.contract import Attachment, Language, Source
from core.rag.context import quote_documents
from core.rag.documents import Document, Passage
from core.rag.passage_cache import CacheableText, CachedDocument, size_chars
from core.rag.ranking import PassageIndex, index_passages, question_stems, score_passages

CITATION_NUMBER = re.compile(r"\[(\d+)\]")  # in a title: it is not for a page to say which source it is
PASSAGES_LIMIT = 24  # passages; what fits into a window is usually less
CANDIDATES_LIMIT_CHARS = 1_000_000  # of all that one question is answered from


@dataclass(frozen=True, slots=True)
class RetrievedDocument:
    """A document, or what was found in it. `source` is there if a person can open it; its number means nothing yet."""

    name: str
    passages: tuple[Passage, ...]
    source: Source | None = None
    verbatim: str | None = None  # of text that came as text: all of it, as it was
    cut: bool = False  # its end is not here: it is longer than what is read

    @property
    def text(self) -> str:
        return self.verbatim or "\n\n".join(passage_text(passage) for passage in self.passages)

    def select(self, numbers: Sequence[int]) -> RetrievedDocument:
        return replace(self, passages=tuple(self.passages[number] for number in numbers), verbatim=None)


ContextItem = Attachment | RetrievedDocument  # text, or what is in passages already


@dataclass(frozen=True, slots=True)
class RenderedContext:
    """`text` is a block of quoted data, "" for none; `sources` are the numbers that it has."""

    text: str = ""
    sources: tuple[Source, ...] = ()


class Candidates:
    """`readings`: the ones that matter most first, for where the question does not tell passages apart.

    What may take long is done when it is made, and is what `index` does.
    """

    def __init__(
        self,
        readings: Sequence[RetrievedDocument],
        question: str,
        language: Language,
        rules: str = "",
        index: Callable[[tuple[Passage, ...]], PassageIndex] = index_passages,
    ) -> None:
        self.documents = tuple(readings)
        self._question = question
        self._language = language
        self._rules = rules
        self._index = index
        self._indexes = [index(reading.passages) for reading in self.documents]

    def __len__(self) -> int:
        """How many passages there are to show."""
        return min(PASSAGES_LIMIT, len(self._places))

    def with_documents(self, readings: Sequence[RetrievedDocument]) -> Candidates:
        return Candidates((*self.documents, *readings), self._question, self._language, self._rules, self._index)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """(reading, passage), in reading order."""
        return [(at, number) for at, reading in enumerate(self.documents) for number in range(len(reading.passages))]

    @cached_property
    def order(self) -> list[tuple[int, int]]:
        """The places, the best first."""
        scores = score_passages(self._indexes, question_stems(self._question))
        best = sorted(range(len(scores)), key=lambda index: (-scores[index], reading_priority(self._places[index])))
        return [self._places[index] for index in best]

    def render(self, passages: int, first: int = 1) -> RenderedContext:
        """The best so many; sources are numbered from `first`."""
        chosen = sorted(self.order[:passages]) if 0 < passages < len(self._places) else self._places[:passages]
        parts = [
            reading.select([number for at, number in chosen if at == index])
            for index, reading in enumerate(self.documents)
        ]
        return render([part for part in parts if part.passages], self._language, self._rules, first)


def reading_priority(place: tuple[int, int]) -> tuple[int, int]:
    """Where no word of the question decides: the beginning of each document before the rest of any."""
    at, number = place
    return (number, at)


def render(
    readings: Iterable[RetrievedDocument], language: Language, rules: str = "", first: int = 1
) -> RenderedContext:
    """All of them, quoted."""
    documents: list[Attachment] = []
    sources: list[Source] = []
    for reading in readings:
        name = CITATION_NUMBER.sub(r"(\1)", reading.name)
        if reading.source is not None:
            sources.append(replace(reading.source, number=first + len(sources)))
            name = f"[{sources[-1].number}] {name}"
        documents.append(Attachment(name, reading.text, reading.cut))
    return RenderedContext(quote_documents(documents, language, rules, cited=bool(sources)), tuple(sources))


def passage_text(passage: Passage) -> str:
    """With its headings, its date and where to read on: what a person would want to know of it."""
    when = f" ({passage.published_at:%Y-%m-%d})" if passage.published_at else ""
    head = f"{passage.heading}{when}".strip()
    return "\n".join(part for part in (head, passage.text, passage.link) if part)


def to_retrieved(document: Document, fetched_at: datetime | None = None) -> RetrievedDocument:
    """A page, feed or file; one that has an address is a source."""
    source = document.url and Source(0, document.title, document.url, document.language, fetched_at)
    return RetrievedDocument(document.title, document.passages, source or None, cut=document.cut)


def cacheable_text(item: ContextItem) -> CacheableText:
    """What of it goes on a shelf."""
    return item.text if isinstance(item, Attachment) else item.passages


def with_passages(item: ContextItem, shelved: CachedDocument) -> RetrievedDocument:
    if isinstance(item, RetrievedDocument):
        return item
    return RetrievedDocument(item.name, shelved.passages, verbatim=item.text, cut=item.cut)


def share_budget(
    opening: Sequence[ContextItem], later: Sequence[ContextItem]
) -> tuple[list[ContextItem], list[ContextItem]]:
    """Both, cut to MATERIAL_LIMIT_CHARS together: each has half if both want more; one that wants less leaves it."""
    half = CANDIDATES_LIMIT_CHARS // 2
    wanted = [sum(size_chars(cacheable_text(item)) for item in items) for items in (opening, later)]
    rooms = [max(half, CANDIDATES_LIMIT_CHARS - other) for other in reversed(wanted)]
    return cut_to_budget(opening, rooms[0]), cut_to_budget(later, rooms[1])


def cut_to_budget(items: Sequence[ContextItem], room_chars: int) -> list[ContextItem]:
    """The longest are cut: a short file beside a long one is read whole."""
    most = fair_limit([size_chars(cacheable_text(item)) for item in items], room_chars)
    return [truncate(item, most) for item in items]


def fair_limit(sizes: Sequence[int], room: int) -> int:
    """The most that each may have, so that all fit together."""
    for others, size in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if size * others > room:
            return room // others
        room -= size
    return max(sizes, default=0)


def truncate(item: ContextItem, room_chars: int) -> ContextItem:
    """What of it fits; it says so if that is not all."""
    if size_chars(cacheable_text(item)) <= room_chars:
        return item
    if isinstance(item, Attachment):
        return replace(item, text=item.text[:room_chars], cut=True)
    ends = accumulate(passage.size_chars for passage in item.passages)
    return replace(item.select(range(sum(end <= room_chars for end in ends))), cut=True)
