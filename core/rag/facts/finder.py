"""Looks questions up in the collections of facts that a personality names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, groupby
from typing import ClassVar

import structlog

from core.configuration.personalities import Personality
from core.contract import Language, Source
from core.errors import ConfigError, CspsError, NotFound
from core.rag.candidates import RetrievedDocument
from core.rag.documents import Passage
from core.rag.embeddings import LocalEmbedder
from core.rag.facts.search import FactMatch
from core.rag.facts.store import FactStore
from core.rag.retrieval import Lookup, merge_lookups, unread_lookup
from core.rag.sources.question_parsing import (
    QUESTION_LIMIT_CHARS,
    TASK_PHRASES,
    ParsedQuestion,
    keywords,
    parse_phrases,
    parse_question,
    question_words,
    tokenize,
)

log = structlog.get_logger()

PASSAGES_LIMIT = 6


class FactsFinder:
    """Implements `core.rag.retrieval.Finder`."""

    outside: ClassVar[bool] = False

    def __init__(self, store: FactStore) -> None:
        self._store = store

    def applies(self, personality: Personality) -> bool:
        return bool(personality.collections)

    async def find(self, personality: Personality, question: str, language: Language) -> Lookup:
        """What fits best, a reading a document, if anything fits. What fails is said by the collection's name."""
        if not needs_lookup(question):
            return Lookup()
        found, failed = await self._search(personality.collections, question, language)
        if not found or not is_relevant(question, found[0].score, self._store.embedder):
            log.debug("facts_do_not_fit", score=round(found[0].score, 2) if found else None)
            return failed
        by_document = sorted(range(len(found)), key=lambda index: (first_position(found, index), index))
        groups = groupby((found[index] for index in by_document), key=document_id)
        return failed.merge(Lookup(tuple(build_document(list(passages)) for _, passages in groups)))

    async def _search(
        self, collections: Sequence[str], question: str, language: Language
    ) -> tuple[tuple[FactMatch, ...], Lookup]:
        """What is found, and what could not be searched: one that is not there must not hide the others."""
        try:
            return await self._store.search(collections, question, PASSAGES_LIMIT, language), Lookup()
        except (NotFound, ConfigError) as exc:
            if len(collections) == 1:
                return (), unread_lookup(collections[0], exc)
        except CspsError as exc:  # it would be the same with each of them
            return (), unread_lookup(", ".join(collections), exc)
        alone = [await self._search([name], question, language) for name in collections]
        failed = merge_lookups(each for _, each in alone)
        best = sorted(chain.from_iterable(found for found, _ in alone), key=lambda each: -each.score)
        return tuple(best[:PASSAGES_LIMIT]), failed


def first_position(found: tuple[FactMatch, ...], index: int) -> int:
    """Where its document comes first: documents stay in the order of their best passages."""
    return next(at for at, each in enumerate(found) if document_id(each) == document_id(found[index]))


def document_id(found: FactMatch) -> tuple[str, str, str | None]:
    """What one source stands for: of a feed each entry, as each has an address of its own."""
    return found.collection, found.key, found.url


def build_document(found: list[FactMatch]) -> RetrievedDocument:
    """A file of the operator's has a title and no address: its path is nobody's business."""
    first = found[0]
    source = Source(0, first.title, first.url, first.language, first.fetched_at)
    return RetrievedDocument(first.title, tuple(Passage(each.text, each.heading, each.url) for each in found), source)


MIN_SCORE, MIN_SCORE_FOR_TASKS = 0.25, 0.34  # scores, as `core.rag.facts.search` makes them
# What people say to be polite, or to say that they have read the answer.
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


def needs_lookup(question: str) -> bool:
    """Whether there is a word in it to look up; also one that is quoted, or what something is to be done with."""
    text = question[:QUESTION_LIMIT_CHARS]
    whole = ParsedQuestion(tuple(question_words(text)), tuple(tokenize(text)), task=False, timeless=False)
    return bool(keywords(whole, (TASK_PHRASES, PLEASANTRIES)))


def is_relevant(question: str, best_score: float, embedder: str) -> bool:
    """Whether what was found is about the question at all."""
    if embedder != LocalEmbedder.name:
        return True
    return best_score >= (MIN_SCORE_FOR_TASKS if parse_question(question).timeless else MIN_SCORE)
