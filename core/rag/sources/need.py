"""Tells which sources a question needs, and for which place or subject, in its conversation.

A question with a subject of its own needs the sources that its words and likeness choose. One that leans on the
conversation ("and in Montréal?") needs the sources of the question that it leans on. The place, the department and the
search words come from the latest question that has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.configuration.personalities import Personality
from core.contract import LANGUAGES, Language
from core.rag.deciding import Decide
from core.rag.embeddings import Embedder
from core.rag.questions.follow_ups import REFERENCE_WORDS, Dependence, dependence
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.sources.catalogue import Catalogue, PublicSource, Sources
from core.rag.sources.choice import Chooser, Shortlist, SourceCandidate
from core.rag.sources.decision import ask_model
from core.rag.sources.similarity import ExampleSimilarity
from core.rag.sources.source_spelling import SourceSpelling


@dataclass(frozen=True, slots=True)
class Need:
    """The sources to read. `texts`: the question, then those that it leans on, the latest first.

    `query`: what a model wants to search for; "" leaves it to the texts' own words. `candidates`: those weighed.
    """

    sources: tuple[PublicSource, ...] = ()
    texts: tuple[str, ...] = ()
    query: str = ""
    candidates: tuple[SourceCandidate, ...] = ()


class NeedFinder:
    """Finds the need. `embedder`: None chooses by words alone. `decide`: None chooses without a model."""

    def __init__(self, sources: Sources, embedder: Embedder | None = None, decide: Decide | None = None) -> None:
        self._sources = sources
        self._similarity = ExampleSimilarity(embedder) if embedder is not None else None
        self._decide = decide
        self._chooser: tuple[Catalogue, Chooser] | None = None
        self._spelling = SourceSpelling()

    @property
    def chooser(self) -> Chooser:
        catalogue = self._sources.catalogue
        if self._chooser is None or self._chooser[0] is not catalogue:
            self._chooser = (catalogue, Chooser(catalogue))
        return self._chooser[1]

    def expect_warming(self) -> None:
        """Lets questions before the end of the first `warm` choose by words: an encoder takes a second to load."""
        if self._similarity is not None:
            self._similarity.is_warming = True

    async def warm(self) -> None:
        """Prepares what the first question would wait for. Raises ModelError."""
        await self._spelling.prepare(self._sources.catalogue)
        if self._similarity is not None:
            await self._similarity.examples(self._sources.catalogue)

    async def find(self, personality: Personality, question: LookupQuestion, language: Language) -> Need:
        """Returns the sources of the personality that the question needs."""
        catalogue = self._sources.catalogue
        sources = catalogue.select(personality.sources)
        correct = await self._spelling.prepare(catalogue)
        text = correct(question.text)
        kind = dependence_beside(text, sources)
        if not question.earlier:
            return Need() if kind == "nothing" else await self._choose(personality, text, sources, language)
        earlier = [replace(each, question=correct(each.question)) for each in reversed(question.earlier)]
        match kind:
            case "alone":
                need = await self._choose(personality, text, sources, language)
                if not need.sources:
                    need = need_of(await self._continued(text, earlier, sources), need.texts, need.candidates)
                return await self._with_places(need, earlier, sources)
            case "leans":
                return await self._lean(text, earlier, sources)
            case _:
                return Need()

    def query(self, source: PublicSource, texts: Sequence[str]) -> str:
        """Returns what to search it for: the words of the first text that has any. "": the newest entries."""
        if not source.searches:
            return ""
        ignored = (REFERENCE_WORDS,) if len(texts) > 1 else ()
        queries = (self.chooser.query(text, source, ignored) for text in texts)
        return next(filter(None, queries), "")

    async def _choose(
        self, personality: Personality, text: str, sources: Sequence[PublicSource], language: Language
    ) -> Need:
        """Chooses by the question alone; a model decides if the signs are unclear."""
        shortlist = await self._shortlist(text, sources)
        chosen = [each.source for each in shortlist.selection]
        if self._decide is not None and not shortlist.is_sure:
            likely = [candidate.source for candidate in shortlist.candidates]
            decided = await ask_model(self._decide, personality, text, likely, language)
            if decided is not None:
                certain = [each.source for each in shortlist.certain]
                chosen = list(dict.fromkeys([*certain, *decided.sources]))
                return Need(tuple(chosen), (text,), decided.query, shortlist.candidates)
        return Need(tuple(chosen), (text,), candidates=shortlist.candidates)

    async def _lean(self, text: str, earlier: Sequence[EarlierExchange], sources: Sequence[PublicSource]) -> Need:
        """Chooses by a subject in the question, else by the latest earlier question that needed a source."""
        own = await self._shortlist(text, sources)
        if mentioned := own.mentioned:
            need = need_of(mentioned, (text,), own.candidates)
            return await self._with_places(need, earlier, sources)
        if self.chooser.is_task(text) and any(self.chooser.mentions(unnamed(text, sources), each) for each in sources):
            return Need(candidates=own.candidates)
        texts = [text]
        for exchange, kind in leaned_on(earlier, sources):
            texts.append(exchange.question)
            if needed := await self._needed_by(exchange, sources):
                need = need_of(needed, tuple(texts), own.candidates)
                return await self._with_places(need, earlier, sources)
            if kind == "alone":
                break
        return need_of(own.selection, (text,), own.candidates)

    async def _continued(
        self, text: str, earlier: Sequence[EarlierExchange], sources: Sequence[PublicSource]
    ) -> tuple[SourceCandidate, ...]:
        """Returns the source of the answer before, if the question mentions its subject: "Should I bring a coat?"."""
        if self.chooser.is_task(text):
            return ()
        for exchange, _ in leaned_on(earlier, sources):
            if needed := await self._needed_by(exchange, sources):
                return tuple(each for each in needed if self.chooser.mentions(text, each.source))
        return ()

    async def _needed_by(
        self, exchange: EarlierExchange, sources: Sequence[PublicSource]
    ) -> tuple[SourceCandidate, ...]:
        """Returns the sources that the exchange's answer was based on, else those that its question chooses."""
        if cited := tuple(SourceCandidate(each, 1.0) for each in sources if is_cited(each, exchange.sources)):
            return cited
        return (await self._shortlist(exchange.question, sources)).selection

    async def _with_places(
        self, need: Need, earlier: Sequence[EarlierExchange], sources: Sequence[PublicSource]
    ) -> Need:
        """Adds the latest question about a place, if a source needs one and the need's texts have none."""
        tables = [each.named for each in need.sources if each.default is not None and each.named is not None]
        if not tables or any(table.names_anything(text) for table in tables for text in need.texts):
            return need
        for exchange, _ in conversation_about(earlier, sources):
            named = any(table.names_anything(exchange.question) for table in tables)
            if named and await self._needed_by(exchange, sources):
                return replace(need, texts=(*need.texts, exchange.question))
        return need

    async def _shortlist(self, text: str, sources: Sequence[PublicSource]) -> Shortlist:
        likeness = await self._similarity.compare(text, self._sources.catalogue) if self._similarity else None
        return self.chooser.shortlist(text, sources, likeness)


def need_of(chosen: Sequence[SourceCandidate], texts: tuple[str, ...], weighed: Sequence[SourceCandidate]) -> Need:
    """Builds a need; those chosen for an earlier question are among its candidates."""
    sources = tuple(each.source for each in chosen)
    others = (each for each in weighed if each.source not in sources)
    return Need(sources, texts, candidates=(*chosen, *others))


def dependence_beside(text: str, sources: Sequence[PublicSource]) -> Dependence:
    """Classifies a question; names of places or departments alone are no subject: "Montréal?"."""
    rest = unnamed(text, sources)
    kind = dependence(rest)
    return "leans" if kind == "nothing" and rest != text else kind


def unnamed(text: str, sources: Sequence[PublicSource]) -> str:
    """Returns the text without the names of the sources' tables."""
    for source in sources:
        text = source.named.without_names(text) if source.named is not None else text
    return text


def conversation_about(
    earlier: Sequence[EarlierExchange], sources: Sequence[PublicSource]
) -> Iterator[tuple[EarlierExchange, Dependence]]:
    """Yields the exchanges that are about something, the latest first."""
    for exchange in earlier:
        kind = dependence_beside(exchange.question, sources)
        if kind in ("alone", "leans"):
            yield exchange, kind


def leaned_on(
    earlier: Sequence[EarlierExchange], sources: Sequence[PublicSource]
) -> Iterator[tuple[EarlierExchange, Dependence]]:
    """Yields the exchanges that a question can lean on, the latest first, up to one that stands alone."""
    for exchange, kind in conversation_about(earlier, sources):
        yield exchange, kind
        if kind == "alone":
            return


def is_cited(source: PublicSource, names: Sequence[str]) -> bool:
    """Tells whether a cited name is the source's title, or its title with a place."""
    titles = tuple(source.title(language) for language in LANGUAGES)
    return any(name == title or name.startswith(f"{title}: ") for name in names for title in titles)
