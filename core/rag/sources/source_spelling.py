"""Corrects typing errors in questions to the words of the sources: their names and topics, places and departments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from core.rag.encoder import frequent_words
from core.rag.questions.spelling import Speller, vocabulary_of
from core.rag.sources.catalogue import Catalogue, PublicSource

TIMES = ("today", "tonight", "tomorrow", "yesterday", "weekend", "demain", "aujourd'hui", "semaine")


class SourceSpelling:
    """Keeps the speller of one catalogue."""

    def __init__(self) -> None:
        self._prepared: tuple[Catalogue, Speller] | None = None
        self._turn = asyncio.Lock()

    async def prepare(self, catalogue: Catalogue) -> Callable[[str], str]:
        """Returns the correction for this catalogue; building it takes half a second."""
        async with self._turn:
            if self._prepared is None or self._prepared[0] is not catalogue:
                self._prepared = (catalogue, await asyncio.to_thread(build_speller, catalogue))
            return self._prepared[1].correct


def build_speller(catalogue: Catalogue) -> Speller:
    """Builds it from what a choice looks for. Topics come last, because they win over names that are equally near."""
    sources = catalogue.sources.values()
    names = vocabulary_of(name for each in sources if each.named for name in each.named.well_known_names())
    topics = vocabulary_of(phrase for each in sources for phrase in spoken_phrases(each))
    return Speller({**names, **vocabulary_of(TIMES), **topics}, frequent_words(), names.keys() - topics.keys())


def spoken_phrases(source: PublicSource) -> Iterator[str]:
    section = source.section
    yield from (*section.names.all, *section.hints.all, *section.topics.all)
    if not section.names.all:
        yield from (section.title.en, section.title.fr)
