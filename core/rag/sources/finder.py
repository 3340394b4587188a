"""Chooses, fetches and reads the sources that a question needs. One that fails is reported; the others are read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import ClassVar

import structlog

from core.configuration.personalities import Personality
from core.contract import Json, Language, Source
from core.errors import CspsError, ModelError
from core.rag.documents import Passage
from core.rag.embeddings import Embedder, Vectors
from core.rag.fetching.fetch import PageFetcher
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.questions.parsing import QUESTION_LIMIT_CHARS
from core.rag.reading.reader import DocumentReader
from core.rag.retrieval import Considered, Lookup, merge_lookups
from core.rag.retrieved import RetrievedDocument
from core.rag.sources import search_results
from core.rag.sources.catalogue import Catalogue, PublicSource, Sources
from core.rag.sources.choice import (
    Chooser,
    Shortlist,
    Similarity,
    SourceDecision,
    decision_prompt,
    decision_schema,
    parse_decision,
)
from core.rag.structured_text import SEPARATOR

log = structlog.get_logger()

DEADLINE_S = 5.0  # the user waits for the answer, which does not depend on this
DECIDE_DEADLINE_S = 8.0

# Asks a model: (personality, prompt, schema) → a value that conforms to the schema. None: this model cannot decide, as
# the starter model. Raises CspsError.
Decide = Callable[[Personality, str, Mapping[str, Json]], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class ExampleVectors:
    """The examples' vectors, (examples, dimensions) for each source and for no source, by one embedder."""

    catalogue: Catalogue
    embedder: str
    sources: dict[str, Vectors]
    none: Vectors


class ExampleSimilarity:
    """Compares questions with examples. Embeds the examples once for each catalogue."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._examples: ExampleVectors | None = None
        self._turn = asyncio.Lock()

    async def compare(self, question: str, catalogue: Catalogue) -> Similarity | None:
        """Returns None if the embedder fails or takes too long; logs the reason."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                examples = await self.examples(catalogue)
                vector = (await self._embedder.embed([question[:QUESTION_LIMIT_CHARS]]))[0]
        except (ModelError, TimeoutError) as exc:
            log.warning("question_embedding_failed", problem=str(exc) or f"no answer within {DEADLINE_S:g} s")
            return None
        nearest = {name: float((vectors @ vector).max()) for name, vectors in examples.sources.items() if len(vectors)}
        return Similarity(nearest, float((examples.none @ vector).max()) if len(examples.none) else 0.0)

    async def examples(self, catalogue: Catalogue) -> ExampleVectors:
        """Raises ModelError."""
        async with self._turn:
            examples = self._examples
            if examples is None or examples.catalogue is not catalogue or examples.embedder != self._embedder.name:
                examples = self._examples = await self._embed_examples(catalogue)
            return examples

    async def _embed_examples(self, catalogue: Catalogue) -> ExampleVectors:
        name = self._embedder.name
        texts = {source.name: source.section.examples.all for source in catalogue.sources.values()}
        vectors = await self._embedder.embed(
            [*(text for group in texts.values() for text in group), *catalogue.no_source_examples]
        )
        sources, begin = {}, 0
        for source, group in texts.items():
            sources[source] = vectors[begin : begin + len(group)]
            begin += len(group)
        return ExampleVectors(catalogue, name, sources, vectors[begin:])


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
        self._likenesses = ExampleSimilarity(embedder) if embedder is not None else None
        self._decide = decide
        self._chooser: tuple[Catalogue, Chooser] | None = None

    async def find(self, personality: Personality, question: LookupQuestion, language: Language) -> Lookup:
        if not self._sources.catalogue.select(personality.sources):
            return Lookup()
        started_s = time.monotonic()
        selection, query, shortlist = await self._choose(personality, question.text, language)
        duration_ms = round(1000 * (time.monotonic() - started_s))
        log.debug("sources_chosen", names=[source.name for source in selection], duration_ms=duration_ms)
        reads = (self.read(source, question.text, language, personality.language, query) for source in selection)
        return merge_lookups([*await asyncio.gather(*reads), considered_lookup(shortlist, selection)])

    async def warm(self) -> None:
        """Prepares what the first question would wait for. Raises ModelError."""
        if self._likenesses is not None:
            await self._likenesses.examples(self._sources.catalogue)

    async def read(
        self, source: PublicSource, question: str, language: Language, notice_language: Language, query: str = ""
    ) -> Lookup:
        """Reads `source` in `language`; names what could not be read in `notice_language`."""
        unknown_name = source.named.unknown_name(question) if source.named is not None else None
        if unknown_name is not None:
            log.info("source_name_unknown", source=source.name)
            return Lookup(unread=(f"{source.title(notice_language)} ({unknown_name})",))
        query = query or self.query(question, source)
        targets = build_targets(source, question, language, query)
        return merge_lookups(await asyncio.gather(*(self._attempt(target, notice_language) for target in targets)))

    def query(self, question: str, source: PublicSource) -> str:
        """Returns what to search it for; "" for the newest entries, and without a search."""
        return self._get_chooser(self._sources.catalogue).query(question, source) if source.searches else ""

    async def open(self, target: SourceTarget) -> RetrievedDocument:
        """Raises FetchRefused, FetchFailed, UnreadableDocument, also for a source without entries."""
        section = target.source.section
        fetched = await self._fetcher.fetch(target.url, max_age_s=section.fresh_s)
        body, media_type, charset = fetched.body, fetched.media_type, fetched.charset
        if section.fields is not None:
            body = await asyncio.to_thread(
                search_results.to_json_feed, body, section.fields, target.label, target.language, section.entries
            )
            media_type, charset = search_results.MEDIA_TYPE, "utf-8"
        document = await self._reader.read(body, media_type, name=target.label, url=fetched.url, charset=charset)
        cited = Source(0, target.label, target.page or document.url or fetched.url, target.language, fetched.fetched_at)
        return RetrievedDocument(target.label, first_entries(document.passages, section.entries), cited)

    async def _attempt(self, target: SourceTarget, notice_language: Language) -> Lookup:
        try:
            return Lookup((await self.open(target),))
        except CspsError as exc:
            log.warning("source_read_failed", source=target.source.name, code=exc.code, problem=exc.message)
            return Lookup(unread=(target.source.title(notice_language),))

    async def _choose(
        self, personality: Personality, question: str, language: Language
    ) -> tuple[Sequence[PublicSource], str, Shortlist]:
        """Returns the sources, the search query if the model chose one, and what was chosen from."""
        catalogue = self._sources.catalogue
        sources = catalogue.select(personality.sources)
        likeness = await self._likenesses.compare(question, catalogue) if self._likenesses is not None else None
        shortlist = self._get_chooser(catalogue).shortlist(question, sources, likeness)
        if shortlist.candidates and self._decide is not None:
            likely = [candidate.source for candidate in shortlist.candidates]
            decided = await self._ask_model(self._decide, personality, question, likely, language)
            if decided is not None:
                return decided.sources, decided.query, shortlist
        return [candidate.source for candidate in shortlist.selection], "", shortlist

    async def _ask_model(
        self,
        decide: Decide,
        personality: Personality,
        question: str,
        likely: Sequence[PublicSource],
        language: Language,
    ) -> SourceDecision | None:
        """Returns None if the model does not decide."""
        prompt = decision_prompt(question, likely, language)
        try:
            async with asyncio.timeout(DECIDE_DEADLINE_S):
                answer = await decide(personality, prompt, decision_schema(likely))
        except (CspsError, TimeoutError) as exc:
            log.warning("source_decision_failed", problem=str(exc) or f"no answer within {DECIDE_DEADLINE_S:g} s")
            return None
        return parse_decision(answer, likely)

    def _get_chooser(self, catalogue: Catalogue) -> Chooser:
        if self._chooser is None or self._chooser[0] is not catalogue:
            self._chooser = (catalogue, Chooser(catalogue))
        return self._chooser[1]


def considered_lookup(shortlist: Shortlist, selection: Sequence[PublicSource]) -> Lookup:
    """Tells which sources were considered, and which of them are read."""
    return Lookup(
        considered=tuple(
            Considered("source", each.source.name, each.likelihood, read=each.source in selection)
            for each in shortlist.candidates
        )
    )


def first_entries(passages: Sequence[Passage], limit: int) -> tuple[Passage, ...]:
    """Returns the passages of the first `limit` entries. Those of an entry follow each other."""
    entries = groupby(passages, key=lambda each: (each.link, each.published_at, each.heading.partition(SEPARATOR)[0]))
    return tuple(passage for _, parts in islice(entries, limit) for passage in parts)


def build_targets(source: PublicSource, question: str, language: Language, query: str = "") -> list[SourceTarget]:
    """Returns a target for each place, department or section that the question names, or one for all."""
    names = source.named.find(question) if source.named is not None else ()
    title = source.title(language)
    page = source.page(language, query)
    by_url = {
        source.url(language, named, query): f"{title}: {named.label(language)}" if named is not None else title
        for named in names or (None,)
    }
    return [SourceTarget(source, url, page, label, language) for url, label in by_url.items()]
