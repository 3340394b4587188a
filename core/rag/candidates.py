"""The documents that compete for the model's context window, and the choice of their passages. Pure.

Passages of all documents compete by how well they fit the question. Chosen passages are rendered in reading order,
document by document. A document that people can open gets a number, by which the answer cites it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import accumulate

from core.contract import Attachment, Language, Omission, Source
from core.rag.context import quote_documents
from core.rag.documents import Document, Passage
from core.rag.passage_cache import CacheableText, CachedDocument, size_chars
from core.rag.ranking import PassageIndex, index_passages, question_stems, score_passages

CITATION_NUMBER = re.compile(r"\[(\d+)\]")  # a page's title must not claim a source number
PROMPT_PASSAGES_LIMIT = 24  # usually more than fits into a window
CANDIDATES_LIMIT_CHARS = 1_000_000  # of all documents for one question


@dataclass(frozen=True, slots=True)
class RetrievedDocument:
    """A document, or the passages found in it. `source` is set if people can open it; its number is not final."""

    name: str
    passages: tuple[Passage, ...]
    source: Source | None = None
    verbatim: str | None = None  # a plain text as it was sent, whole
    omissions: tuple[Omission, ...] = ()

    @property
    def text(self) -> str:
        return self.verbatim or "\n\n".join(passage_text(passage) for passage in self.passages)

    def select(self, numbers: Sequence[int]) -> RetrievedDocument:
        return replace(self, passages=tuple(self.passages[number] for number in numbers), verbatim=None)


ContextItem = Attachment | RetrievedDocument  # text that is not cut yet, or a document in passages


@dataclass(frozen=True, slots=True)
class RenderedContext:
    """Documents as one block of quoted text, "" for none, and the sources that it numbers."""

    text: str = ""
    sources: tuple[Source, ...] = ()


class Candidates:
    """Documents of one question, the most important first, which decides between passages of equal score and number.

    The constructor indexes all passages by `index`, which may take long; rendering is fast.
    """

    def __init__(
        self,
        documents: Sequence[RetrievedDocument],
        question: str,
        language: Language,
        rules: str = "",
        index: Callable[[tuple[Passage, ...]], PassageIndex] = index_passages,
    ) -> None:
        self.documents = tuple(documents)
        self._question = question
        self._language = language
        self._rules = rules
        self._index = index
        self._indexes = [index(document.passages) for document in self.documents]

    @property
    def passage_count(self) -> int:
        """The number of passages that can be rendered."""
        return min(PROMPT_PASSAGES_LIMIT, len(self._places))

    def with_documents(self, documents: Sequence[RetrievedDocument]) -> Candidates:
        return Candidates((*self.documents, *documents), self._question, self._language, self._rules, self._index)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """(document, passage) of every passage, in reading order."""
        return [(at, number) for at, document in enumerate(self.documents) for number in range(len(document.passages))]

    @cached_property
    def order(self) -> list[tuple[int, int]]:
        """The places, best first."""
        scores = score_passages(self._indexes, question_stems(self._question))
        # Among passages that no word of the question tells apart, the beginning of each document comes first.
        best = sorted(range(len(scores)), key=lambda index: (-scores[index], self._places[index][::-1]))
        return [self._places[index] for index in best]

    def render(self, passages: int, first_number: int = 1) -> RenderedContext:
        """Renders the best `passages` passages; numbers the sources from `first_number`."""
        places = sorted(self.order[:passages]) if 0 < passages < len(self._places) else self._places[:passages]
        parts = [
            document.select([number for at, number in places if at == index])
            for index, document in enumerate(self.documents)
        ]
        return render([part for part in parts if part.passages], self._language, self._rules, first_number)


def render(
    documents: Iterable[RetrievedDocument], language: Language, rules: str = "", first_number: int = 1
) -> RenderedContext:
    """Renders all passages of the documents."""
    attachments: list[Attachment] = []
    sources: list[Source] = []
    for document in documents:
        name = CITATION_NUMBER.sub(r"(\1)", document.name)
        if document.source is not None:
            sources.append(replace(document.source, number=first_number + len(sources)))
            name = f"[{sources[-1].number}] {name}"
        attachments.append(Attachment(name, document.text, document.omissions))
    return RenderedContext(quote_documents(attachments, language, rules, cited=bool(sources)), tuple(sources))


def passage_text(passage: Passage) -> str:
    """Returns a passage with its headings, its date and its link."""
    when = f" ({passage.published_at:%Y-%m-%d})" if passage.published_at else ""
    head = f"{passage.heading}{when}".strip()
    return "\n".join(part for part in (head, passage.text, passage.link) if part)


def to_retrieved(document: Document, fetched_at: datetime | None = None) -> RetrievedDocument:
    """Wraps a page, feed or file. A document with an address is a source."""
    source = document.url and Source(0, document.title, document.url, document.language, fetched_at)
    return RetrievedDocument(document.title, document.passages, source or None, omissions=document.omissions)


def cacheable_text(item: ContextItem) -> CacheableText:
    """Returns the part that PassageCache works on."""
    return item.text if isinstance(item, Attachment) else item.passages


def with_passages(item: ContextItem, cached: CachedDocument) -> RetrievedDocument:
    if isinstance(item, RetrievedDocument):
        return item
    return RetrievedDocument(item.name, cached.passages, verbatim=item.text, omissions=item.omissions)


def share_budget(
    lead: Sequence[ContextItem], later: Sequence[ContextItem]
) -> tuple[list[ContextItem], list[ContextItem]]:
    """Cuts both lists to CANDIDATES_LIMIT_CHARS together: half for each, and more if the other needs less than half."""
    half = CANDIDATES_LIMIT_CHARS // 2
    total_sizes = [sum(size_chars(cacheable_text(item)) for item in items) for items in (lead, later)]
    rooms = [max(half, CANDIDATES_LIMIT_CHARS - other) for other in reversed(total_sizes)]
    return cut_to_budget(lead, rooms[0]), cut_to_budget(later, rooms[1])


def cut_to_budget(items: Sequence[ContextItem], room_chars: int) -> list[ContextItem]:
    """Cuts the longest items only: a short file beside a long one stays whole."""
    most = fair_limit([size_chars(cacheable_text(item)) for item in items], room_chars)
    return [truncate(item, most) for item in items]


def fair_limit(sizes: Sequence[int], room: int) -> int:
    """Returns the limit for each of `sizes` by which they fit into `room` together."""
    for others, size in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if size * others > room:
            return room // others
        room -= size
    return max(sizes, default=0)


def truncate(item: ContextItem, room_chars: int) -> ContextItem:
    """Cuts an item to `room_chars` and records the omission."""
    size = size_chars(cacheable_text(item))
    if size <= room_chars:
        return item
    omissions = (*item.omissions, Omission("characters", room_chars, size))
    if isinstance(item, Attachment):
        return replace(item, text=item.text[:room_chars], omissions=omissions)
    ends = accumulate(passage.size_chars for passage in item.passages)
    return replace(item.select(range(sum(end <= room_chars for end in ends))), omissions=omissions)
