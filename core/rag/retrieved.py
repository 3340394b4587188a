"""A document as a lookup found it: whole, or the passages of it that matter. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.contract import Omission, Source
from core.rag.documents import Document, Passage


@dataclass(frozen=True, slots=True)
class RetrievedDocument:
    """A document, or the passages found in it. `source` is set if it was fetched; its number is not final.

    `places`: the position of each passage in the whole document, from 0; () if all passages are here, in their order.
    `total`: the number of the whole document's passages, if `places` names a part of them.
    """

    name: str
    passages: tuple[Passage, ...]
    source: Source | None = None
    verbatim: str | None = None  # a plain text as it was sent, whole
    omissions: tuple[Omission, ...] = ()
    places: tuple[int, ...] = ()
    total: int = 0
    collection: str = ""  # of the operator's facts, whose access list holds for it; "": none

    @property
    def positions(self) -> tuple[int, ...]:
        """The position of each passage in the whole document."""
        return self.places or tuple(range(len(self.passages)))

    @property
    def url(self) -> str | None:
        return self.source.url if self.source else None

    def select(self, numbers: Sequence[int]) -> RetrievedDocument:
        """Returns the document with the passages of these numbers, which count those that are here."""
        if len(numbers) == len(self.passages):
            return self
        return replace(
            self,
            passages=tuple(self.passages[number] for number in numbers),
            verbatim=None,
            places=tuple(self.positions[number] for number in numbers),
            total=self.total or len(self.passages),
        )


def to_retrieved(document: Document, fetched_at: datetime | None = None) -> RetrievedDocument:
    """Wraps a page, feed or file. A document with an address is a source."""
    source = document.url and Source(0, document.title, document.url, document.language, fetched_at)
    return RetrievedDocument(document.title, document.passages, source or None, omissions=document.omissions)
