"""Fetches and reads the sources that a question needs. One that fails is reported; the others are read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import groupby, islice
from typing import ClassVar

import structlog

from core.configuration.personalities import Personality
from core.contract import Language, Source
from core.errors import CspsError
from core.rag.deciding import Decide
from core.rag.documents import Passage
from core.rag.embeddings import Embedder
from core.rag.fetching.fetch import PageFetcher
from core.rag.questions.follow_ups import COMPARISONS
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.questions.parsing import tokenize
from core.rag.reading.reader import DocumentReader
from core.rag.retrieval import Considered, Lookup, LookupNotice, merge_lookups
from core.rag.retrieved import RetrievedDocument
from core.rag.sources import search_results
from core.rag.sources.catalogue import PublicSource, Sources
from core.rag.sources.name_table import FoundName, NamedItem, NameTable
from core.rag.sources.need import Need, NeedFinder
from core.rag.structured_text import SEPARATOR

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SourceTarget:
    """A page, feed or search to fetch. `label`: its name in the answer."""

    source: PublicSource
    url: str
    page: str | None
    label: str
    language: Language


class SourceFinder:
    """A `Finder` for sources. `embedder`: None chooses by words alone. `decide`: None chooses without a model."""

    is_public: ClassVar[bool] = True

    def __init__(
        self,
        sources: Sources,
        fetcher: PageFetcher,
        reader: DocumentReader,
        embedder: Embedder | None = None,
        decide: Decide | None = None,
    ) -> None:
        self._sources = sources
        self._fetcher = fetcher
        self._reader = reader
        self.needs = NeedFinder(sources, embedder, decide)

    async def find(self, personality: Personality, question: LookupQuestion, language: Language) -> Lookup:
        if not self._sources.catalogue.select(personality.sources):
            return Lookup()
        started_s = time.monotonic()
        need = await self.needs.find(personality, question, language)
        duration_ms = round(1000 * (time.monotonic() - started_s))
        log.debug("sources_chosen", names=[source.name for source in need.sources], duration_ms=duration_ms)
        told = frozenset(name for exchange in question.earlier for name in exchange.sources)
        reads = (self.read(each, need, language, personality.language, told) for each in need.sources)
        return merge_lookups([*await asyncio.gather(*reads), considered_lookup(need)])

    def expect_warming(self) -> None:
        """Lets questions before the end of the first `warm` not wait for it."""
        self.needs.expect_warming()

    async def warm(self) -> None:
        """Prepares what the first question would wait for. Raises ModelError."""
        await self.needs.warm()

    async def read(
        self,
        source: PublicSource,
        need: Need,
        language: Language,
        notice_language: Language,
        told: Set[str] = frozenset(),
    ) -> Lookup:
        """Reads `source` in `language`; names what could not be read in `notice_language`.

        `told`: the sources of earlier answers, whose choice of place the person knows.
        """
        title = source.title(notice_language)
        names = names_of(source, need.texts)
        if names.unknown:
            log.info("source_name_unknown", source=source.name)
        strict = source.named is not None and source.named.strict
        abroad = [each.item for each in names.found if strict and not each.item.is_covered]
        notices = [LookupNotice("uncovered", title, name) for name in names.unknown]
        notices += [LookupNotice("uncovered", title, item.label(notice_language)) for item in abroad]
        items = [each.item for each in names.found if each.item not in abroad]
        if not items and notices:
            return Lookup(notices=tuple(notices))
        targets = build_targets(source, items, language, need.query or self.needs.query(source, need.texts))
        if not any(target.label in told for target in targets):
            notices += choices_made(source, names, notice_language)
        lookups = await asyncio.gather(*(self._attempt(target, notice_language) for target in targets))
        return merge_lookups([Lookup(notices=tuple(notices)), *lookups])

    async def open(self, target: SourceTarget) -> RetrievedDocument:
        """Raises FetchRefused, FetchFailed, UnreadableDocument, also for a source without entries."""
        section = target.source.section
        fetched = await self._fetcher.fetch(target.url, max_age_s=section.fresh_s, whole=False)
        body, media_type, charset = fetched.body, fetched.media_type, fetched.charset
        if section.fields is not None:
            body = await asyncio.to_thread(
                search_results.to_json_feed, body, section.fields, target.label, target.language, section.entries
            )
            media_type, charset = search_results.MEDIA_TYPE, "utf-8"
        document = await self._reader.read(body, media_type, name=target.label, url=fetched.url, charset=charset)
        cited = Source(0, target.label, target.page or document.url or fetched.url, target.language, fetched.fetched_at)
        name = full_name(target.label, document.title)
        return RetrievedDocument(name, first_entries(document.passages, section.entries), cited)

    async def _attempt(self, target: SourceTarget, notice_language: Language) -> Lookup:
        try:
            return Lookup((await self.open(target),))
        except CspsError as exc:
            log.warning("source_read_failed", source=target.source.name, code=exc.code, problem=exc.message)
            return Lookup(unread=(target.source.title(notice_language),))


@dataclass(frozen=True, slots=True)
class NamesFound:
    """The names to read a source for, and a name that its complete table lacks."""

    found: tuple[FoundName, ...] = ()
    unknown: tuple[str, ...] = ()


def considered_lookup(need: Need) -> Lookup:
    """Tells which sources were considered, and which of them are read."""
    return Lookup(
        considered=tuple(
            Considered("source", each.source.name, each.likelihood, read=each.source in need.sources)
            for each in need.candidates
        )
    )


def full_name(label: str, title: str) -> str:
    """Returns the source's name with the title of its feed, which may say more, such as the city of a forecast."""
    return label if title.casefold() in label.casefold() else f"{label} ({title})"


def first_entries(passages: Sequence[Passage], limit: int) -> tuple[Passage, ...]:
    """Returns the passages of the first `limit` entries. Those of an entry follow each other."""
    entries = groupby(passages, key=lambda each: (each.link, each.published_at, each.heading.partition(SEPARATOR)[0]))
    return tuple(passage for _, parts in islice(entries, limit) for passage in parts)


def names_of(source: PublicSource, texts: Sequence[str]) -> NamesFound:
    """Returns the names in the first text that has any; those of all texts for a comparison: "Which one is colder?"."""
    if source.named is None:
        return NamesFound()
    by_text = [source.named.resolve(text) for text in texts]
    if texts and COMPARISONS.occur_in(tokenize(texts[0])):
        return NamesFound(tuple(dict.fromkeys(found for each in reversed(by_text) for found in each)))
    for at, (text, found) in enumerate(zip(texts, by_text, strict=True)):
        if found:
            return NamesFound(located_before(source.named, found, texts[at + 1 :]) or found)
        if unknown := source.named.unknown_name(text):
            return NamesFound(unknown=(unknown,))
    return NamesFound()


def located_before(table: NameTable, found: Sequence[FoundName], earlier: Sequence[str]) -> tuple[FoundName, ...]:
    """Returns the places of an earlier question in the regions named alone now: "Ontario" after "in Paris?"."""
    regions = [each.item for each in found if not each.item.weight]
    if len(regions) < len(found):
        return ()
    return next(filter(None, (table.find_within(text, regions) for text in earlier)), ())


def choices_made(source: PublicSource, names: NamesFound, language: Language) -> list[LookupNotice]:
    """Tells that the default place was taken, or a place that has a better known namesake."""
    title = source.title(language)
    if source.default is not None and not names.found:
        return [LookupNotice("default", title, source.default.label(language))]
    pairs = ((found.item, found.instead_of) for found in names.found)
    return [
        LookupNotice("homonym", title, item.label(language), other.label(language))
        for item, other in pairs
        if other is not None
    ]


def build_targets(
    source: PublicSource, names: Iterable[NamedItem], language: Language, query: str = ""
) -> list[SourceTarget]:
    """Returns a target for each place, department or section; without any, one for the default or for all."""
    title = source.title(language)
    page = source.page(language, query)
    by_url: dict[str, str] = {}
    for named in (*names,) or (source.default,):
        url = source.url(language, named, query)
        # A name whose value for the URL is unknown is read with all others.
        is_own = (named is not None and url != source.url(language, None, query)) or named == source.default
        by_url.setdefault(url, f"{title}: {named.label(language)}" if named is not None and is_own else title)
    return [SourceTarget(source, url, page, label, language) for url, label in by_url.items()]
