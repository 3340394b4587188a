"""Looks questions up in the collections of facts that a personality names, and drops what does not fit the question.

Some document is always nearest, so a greeting would be answered from two documents. Three checks prevent this. The
words of the question tell whether it asks for anything at all ("Thank you!" does not). Then the best passage needs a
minimum score, and a higher one for work of the model's own ("Write a story"). The other passages need a share of the
best score: without it, an answer about parental leave comes with the price of a dinner in Nunavut. The minimums hold
for the bundled encoder alone: cosines of other encoders have another scale.

`benchmarks.facts` measures this. Share of the questions that find their document:

|                          | labelled, one language | labelled, across languages | held out, one | held out, across |
|--------------------------|------------------------|----------------------------|---------------|------------------|
| with all checks          | 0.91                   | 0.93                       | 0.93          | 0.93             |
| without                  | 0.95                   | 0.95                       | 0.97          | 0.93             |

The last check takes away a third of the documents: from 4.9 to 3.3 for a question. Of 302 questions that need no
source, 0.71 find nothing; the others share words or a subject with a labelled document.

A question that leans on its conversation is searched for behind the questions that it leans on; a short one alone too.
`benchmarks.follow_ups` measures that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain, groupby
from typing import ClassVar

import structlog

from core.configuration.personalities import Personality
from core.contract import Language, Source
from core.errors import ConfigError, CspsError, NotFound
from core.rag.documents import Passage
from core.rag.embeddings import LocalEmbedder
from core.rag.encoder import frequent_words
from core.rag.facts.search import FactMatch
from core.rag.facts.store import FactStore
from core.rag.questions.follow_ups import SHORT_WORDS, THANKS, dependence, earlier_questions, subject_size
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.questions.parsing import (
    PLEASANTRIES,
    QUESTION_LIMIT_CHARS,
    TASK_PHRASES,
    ParsedQuestion,
    keywords,
    parse_question,
    question_words,
    tokenize,
)
from core.rag.questions.spelling import Speller, vocabulary_of
from core.rag.retrieval import Considered, Lookup, merge_lookups, unread_lookup
from core.rag.retrieved import RetrievedDocument

log = structlog.get_logger()

FACT_PASSAGES_LIMIT = 6  # for one question
MIN_SCORE, MIN_SCORE_FOR_TASKS = 0.25, 0.34  # scores of `core.rag.facts.search`
NEAR_BEST, MIN_SCORE_BESIDE = 0.55, 0.2  # the share of the best score, and the score, that other matches need


class FactsFinder:
    """A `core.rag.retrieval.Finder` for facts."""

    is_public: ClassVar[bool] = False

    def __init__(self, store: FactStore) -> None:
        self._store = store
        self._speller: Speller | None = None

    async def find(self, personality: Personality, question: LookupQuestion, language: Language) -> Lookup:
        """Returns the best matches, grouped by document, if they fit. Reports failures by the collection's name."""
        if not personality.collections or not needs_lookup(question):
            return Lookup()
        texts = [await self._correct(text) for text in searches_for(question)]
        found, matches, failed = await self._best_search(personality.collections, texts, language)
        groups = groupby(in_reading_order(matches), key=document_id)
        documents = tuple(build_document(list(passages)) for _, passages in groups)
        return merge_lookups([failed, Lookup(documents), considered_lookup(found, matches)])

    async def _correct(self, text: str) -> str:
        """Corrects typing errors to the words of the glossary."""
        if self._speller is None:
            vocabulary = vocabulary_of(self._store.terms)
            self._speller = await asyncio.to_thread(lambda: Speller(vocabulary, frequent_words()))
        return self._speller.correct(text)

    async def _best_search(
        self, collections: Sequence[str], texts: Sequence[str], language: Language
    ) -> tuple[tuple[FactMatch, ...], tuple[FactMatch, ...], Lookup]:
        """Searches for each text. Returns all matches of the best search, those that fit, and failures."""
        best: tuple[FactMatch, ...] = ()
        fitting: tuple[FactMatch, ...] = ()
        failed = Lookup()
        for text in texts:
            matches, failed = await self._search(collections, text, language)
            related = relevant(text, matches, self._store.embedder)
            if not best or (related and (not fitting or related[0].score > fitting[0].score)):
                best, fitting = matches, related
        return best, fitting, failed

    async def _search(
        self, collections: Sequence[str], question: str, language: Language
    ) -> tuple[tuple[FactMatch, ...], Lookup]:
        """Returns matches and failures. A collection that is missing must not hide the others."""
        try:
            return await self._store.search(collections, question, FACT_PASSAGES_LIMIT, language), Lookup()
        except (NotFound, ConfigError) as exc:
            if len(collections) == 1:
                return (), unread_lookup(collections[0], exc)
        except CspsError as exc:  # every collection would fail the same way
            return (), unread_lookup(", ".join(collections), exc)
        alone = [await self._search([name], question, language) for name in collections]
        failed = merge_lookups(each for _, each in alone)
        best = sorted(chain.from_iterable(matches for matches, _ in alone), key=lambda each: -each.score)
        return tuple(best[:FACT_PASSAGES_LIMIT]), failed


def considered_lookup(matches: Sequence[FactMatch], fitting: Sequence[FactMatch]) -> Lookup:
    """Tells which passages were found, and which of them are used."""
    names = (" › ".join(filter(None, (each.collection, each.title, each.heading))) for each in matches)
    pairs = zip(names, matches, strict=True)
    return Lookup(considered=tuple(Considered("fact", name, each.score, each in fitting) for name, each in pairs))


def in_reading_order(matches: Sequence[FactMatch]) -> list[FactMatch]:
    """Sorts documents by their best match, and a document's passages as they stand in it."""
    ranks: dict[tuple[str, str, str | None], int] = {}
    for rank, match in enumerate(matches):
        ranks.setdefault(document_id(match), rank)
    return sorted(matches, key=lambda match: (ranks[document_id(match)], match.number))


def document_id(match: FactMatch) -> tuple[str, str, str | None]:
    """Identifies a source. Each entry of a feed is one, because it has an address of its own."""
    return match.collection, match.key, match.url


def build_document(matches: list[FactMatch]) -> RetrievedDocument:
    """Groups a document's matches, in reading order. An operator's file has no address: its path stays private."""
    first, ordered = matches[0], sorted(matches, key=lambda each: each.number)
    source = Source(0, first.title, first.url, first.language, first.fetched_at)
    passages = tuple(Passage(each.text, each.heading, each.url) for each in ordered)
    places = tuple(each.number for each in ordered)
    return RetrievedDocument(first.title, passages, source, places=places, collection=first.collection)


def needs_lookup(question: LookupQuestion) -> bool:
    """Tells whether the question has a word to look up, or leans on one that has."""
    if question.earlier:
        return dependence(question.text) in ("alone", "leans")
    return has_keywords(question.text)


def has_keywords(question: str) -> bool:
    """Tells whether the question has a word to look up, also in a quotation or after a colon."""
    text = question[:QUESTION_LIMIT_CHARS]
    whole = ParsedQuestion(tuple(question_words(text)), tuple(tokenize(text)), task=False, timeless=False)
    return bool(keywords(whole, (TASK_PHRASES, PLEASANTRIES, THANKS)))


def searches_for(question: LookupQuestion) -> list[str]:
    """Returns the texts to search for: the question alone, or behind those that it leans on, or both."""
    text = question.text
    earlier = [exchange.question for exchange, _ in earlier_questions(question)]
    together = " ".join([*reversed(earlier), text])
    if dependence(text) == "leans":
        return [together]
    if earlier and subject_size(text) <= SHORT_WORDS:
        return [text, together]
    return [text]


def relevant(question: str, matches: Sequence[FactMatch], embedder: str) -> tuple[FactMatch, ...]:
    """Returns the matches that are about the question: none if the best is too weak, else those near the best."""
    if embedder != LocalEmbedder.name or not matches:
        return tuple(matches)
    best = matches[0].score
    if best < (MIN_SCORE_FOR_TASKS if parse_question(question).timeless else MIN_SCORE):
        return ()
    return tuple(match for match in matches if match.score >= max(MIN_SCORE_BESIDE, NEAR_BEST * best))
