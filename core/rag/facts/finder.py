"""Looks questions up in the collections of facts that a personality names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import chain, groupby
from typing import ClassVar

import structlog

from core.configuration.personalities import Personality
from core.contract import Language, Source
from core.errors import ConfigError, CspsError, NotFound
from core.rag.documents import Passage
from core.rag.facts.relevance import asks_for_something, fits
from core.rag.facts.search import Found
from core.rag.facts.store import FactStore
from core.rag.grounding import Lookup, unread
from core.rag.material import Reading

log = structlog.get_logger()

PASSAGES = 6


class FactsFinder:
    """Implements `core.rag.grounding.Finder`."""

    outside: ClassVar[bool] = False

    def __init__(self, store: FactStore) -> None:
        self._store = store

    def applies(self, personality: Personality) -> bool:
        return bool(personality.collections)

    async def find(self, personality: Personality, question: str, language: Language) -> Lookup:
        """What fits best, a reading a document, if anything fits. What fails is said by the collection's name."""
        if not asks_for_something(question):
            return Lookup()
        found, failed = await self._search(personality.collections, question, language)
        if not found or not fits(question, found[0].score, self._store.embedder):
            log.debug("facts_do_not_fit", score=round(found[0].score, 2) if found else None)
            return failed
        by_document = sorted(range(len(found)), key=lambda index: (first_of(found, index), index))
        groups = groupby((found[index] for index in by_document), key=document_of)
        return failed.and_(Lookup(tuple(reading_of(list(passages)) for _, passages in groups)))

    async def _search(
        self, collections: Sequence[str], question: str, language: Language
    ) -> tuple[tuple[Found, ...], Lookup]:
        """What is found, and what could not be searched: one that is not there must not hide the others."""
        try:
            return await self._store.search(collections, question, PASSAGES, language), Lookup()
        except (NotFound, ConfigError) as exc:
            if len(collections) == 1:
                return (), unread(collections[0], exc)
        except CspsError as exc:  # it would be the same with each of them
            return (), unread(", ".join(collections), exc)
        alone = [await self._search([name], question, language) for name in collections]
        failed = reduce(Lookup.and_, (each for _, each in alone))
        best = sorted(chain.from_iterable(found for found, _ in alone), key=lambda each: -each.score)
        return tuple(best[:PASSAGES]), failed


def first_of(found: tuple[Found, ...], index: int) -> int:
    """Where its document comes first: documents stay in the order of their best passages."""
    return next(at for at, each in enumerate(found) if document_of(each) == document_of(found[index]))


def document_of(found: Found) -> tuple[str, str, str | None]:
    """What one source stands for: of a feed each entry, as each has an address of its own."""
    return found.collection, found.key, found.url


def reading_of(found: list[Found]) -> Reading:
    """A file of the operator's has a title and no address: its path is nobody's business."""
    first = found[0]
    source = Source(0, first.title, first.url, first.language, first.fetched_at)
    return Reading(first.title, tuple(Passage(each.text, each.heading, each.url) for each in found), source)
