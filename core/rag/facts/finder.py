"""Looks questions up in the collections of facts that a personality names, and drops what does not fit the question.

Some document is always nearest, so a greeting would be answered from two documents. Two checks prevent this. The words
of the question tell whether it asks for anything at all ("Thank you!" does not). Then the best passage needs a minimum
score, and a higher one for work of the model's own ("Write a story"). The minimum holds for the bundled
encoder alone: cosines of other encoders have another scale.

`benchmarks.facts` measures this. Share of the questions that find their document:

|                          | labelled, one language | labelled, across languages | held out, one | held out, across |
|--------------------------|------------------------|----------------------------|---------------|------------------|
| with both checks         | 0.93                   | 0.95                       | 0.93          | 0.93             |
| without                  | 0.95                   | 0.95                       | 0.97          | 0.93             |

Of 302 questions that need no source, 0.72 find nothing; the others share words or a subject with a labelled document.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby
from typing import ClassVar

import structlog

from core.configuration.personalities import Personality
from core.contract import Language, Source
from core.errors import ConfigError, CspsError, NotFound
from core.rag.documents import Passage
from core.rag.embeddings import LocalEmbedder
from core.rag.facts.search import FactMatch
from core.rag.facts.store import FactStore
from core.rag.questions.lookup_question import LookupQuestion
from core.rag.questions.parsing import (
    QUESTION_LIMIT_CHARS,
    TASK_PHRASES,
    ParsedQuestion,
    keywords,
    parse_phrases,
    parse_question,
    question_words,
    tokenize,
)
from core.rag.retrieval import Considered, Lookup, merge_lookups, unread_lookup
from core.rag.retrieved import RetrievedDocument

log = structlog.get_logger()

FACT_PASSAGES_LIMIT = 6  # for one question
MIN_SCORE, MIN_SCORE_FOR_TASKS = 0.25, 0.34  # scores of `core.rag.facts.search`
# Polite phrases, and phrases that only confirm an answer.
PLEASANTRIES = parse_phrases(
    """
    so much|a lot|many thanks|great|ok|okay|perfect|excellent|awesome|wonderful|amazing|cool|super|nice|lovely|bravo|
    good morning|good afternoon|good evening|good night|good job|well done|good answer|good day|great day|nice day|
    good work|great work|good idea|nice to meet|have a|yes|yeah|yep|no|nope|sure|of course|got it|i see|understood|
    makes sense|sounds good|all right|alright|right|exactly|sorry|no problem|no worries|never mind|welcome|bye|goodbye|
    see you|talk to you|later|take care|cheers|haha|lol|wow|you are|you re|it s|that s|that is|this is|very|really|
    helpful|kind|whisper|chuchotte|beaucoup|mille fois|grand merci|génial|parfait|formidable|merveilleux|bien|
    très|ça va|c'est|bon travail|beau travail|bonne réponse|bonne idée|bonne journée|bonne soirée|bonne nuit|
    bon après-midi|bon matin|bonne fin|de semaine|oui|non|d'accord|entendu|compris|je vois|évidemment|bien sûr|
    exactement|désolé|désolée|pas de problème|de rien|laisse tomber|bienvenue|enchanté|enchantée|au revoir|à bientôt|
    à plus|à demain|utile|gentil|gentille|vraiment
    """
)


class FactsFinder:
    """A `core.rag.retrieval.Finder` for facts."""

    is_public: ClassVar[bool] = False

    def __init__(self, store: FactStore) -> None:
        self._store = store

    async def find(self, personality: Personality, question: LookupQuestion, language: Language) -> Lookup:
        """Returns the best matches, grouped by document, if they fit. Reports failures by the collection's name."""
        if not personality.collections or not needs_lookup(question.text):
            return Lookup()
        matches, failed = await self._search(personality.collections, question.text, language)
        if not matches or not is_relevant(question.text, matches[0].score, self._store.embedder):
            log.debug("facts_dropped", score=round(matches[0].score, 2) if matches else None)
            return failed.merge(considered_lookup(matches, read=False))
        by_document = sorted(range(len(matches)), key=lambda index: (first_position(matches, index), index))
        groups = groupby((matches[index] for index in by_document), key=document_id)
        found = Lookup(tuple(build_document(list(passages)) for _, passages in groups))
        return failed.merge(found).merge(considered_lookup(matches, read=True))

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


def considered_lookup(matches: Sequence[FactMatch], *, read: bool) -> Lookup:
    """Tells which passages were found, and whether they are used."""
    names = (" › ".join(filter(None, (each.collection, each.title, each.heading))) for each in matches)
    pairs = zip(names, matches, strict=True)
    return Lookup(considered=tuple(Considered("fact", name, each.score, read) for name, each in pairs))


def first_position(matches: tuple[FactMatch, ...], index: int) -> int:
    """Returns the position of the document's best passage, by which documents are sorted."""
    return next(at for at, each in enumerate(matches) if document_id(each) == document_id(matches[index]))


def document_id(match: FactMatch) -> tuple[str, str, str | None]:
    """Identifies a source. Each entry of a feed is one, because it has an address of its own."""
    return match.collection, match.key, match.url


def build_document(matches: list[FactMatch]) -> RetrievedDocument:
    """Groups a document's matches, in reading order. An operator's file has no address: its path stays private."""
    first, ordered = matches[0], sorted(matches, key=lambda each: each.number)
    source = Source(0, first.title, first.url, first.language, first.fetched_at)
    passages = tuple(Passage(each.text, each.heading, each.url) for each in ordered)
    return RetrievedDocument(first.title, passages, source, places=tuple(each.number for each in ordered))


def needs_lookup(question: str) -> bool:
    """Tells whether the question has a word to look up, also in a quotation or after a colon."""
    text = question[:QUESTION_LIMIT_CHARS]
    whole = ParsedQuestion(tuple(question_words(text)), tuple(tokenize(text)), task=False, timeless=False)
    return bool(keywords(whole, (TASK_PHRASES, PLEASANTRIES)))


def is_relevant(question: str, best_score: float, embedder: str) -> bool:
    """Tells whether the best match is about the question at all."""
    if embedder != LocalEmbedder.name:
        return True
    return best_score >= (MIN_SCORE_FOR_TASKS if parse_question(question).timeless else MIN_SCORE)
