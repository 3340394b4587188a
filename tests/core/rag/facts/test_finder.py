"""Facts for a question: grouped by document, numbered as sources, and failures reported."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from core.contract import Source
from core.errors import CspsError, ModelUnavailable, NotFound
from core.rag.embeddings import LocalEmbedder
from core.rag.facts.finder import MIN_SCORE, MIN_SCORE_FOR_TASKS, FactsFinder
from core.rag.facts.search import FactMatch
from core.rag.facts.store import FactStore
from core.rag.questions.lookup_question import EarlierExchange, LookupQuestion
from core.rag.retrieval import Lookup
from tests.core.support_chatting import whisper

THEN = datetime(2026, 1, 2, tzinfo=UTC)


class FakeStore:
    """Returns the given matches, and records searches."""

    def __init__(self, *matches: FactMatch, absent: str = "", failure: CspsError | None = None) -> None:
        self.matches = matches
        self.absent = absent
        self.failure = failure or NotFound(f"there is no collection {absent}")
        self.embedder = LocalEmbedder.name
        self.searches: list[Any] = []
        self.terms = ("parental leave", "mileage")

    async def search(self, collections: Sequence[str], *arguments: Any) -> tuple[FactMatch, ...]:
        self.searches.append((collections, *arguments))
        if self.absent in collections:
            raise self.failure
        return self.matches


def match(key: str, text: str, url: str | None = None, score: float = 1.0, number: int = 0) -> FactMatch:
    return FactMatch("leave", key, key.title(), "", text, url, "en", THEN, score, number)


def finder(store: FakeStore) -> FactsFinder:
    return FactsFinder(cast(FactStore, store))


async def test_passages_of_one_document_are_grouped() -> None:
    """Documents come in the order of their best passages; a file has a title and no address."""
    store = FakeStore(match("b", "first"), match("a", "second", "https://x.example/a"), match("b", "third"))
    lookup = await finder(store).find(whisper(collections=("leave",)), LookupQuestion("How long?"), "en")

    assert [[passage.text for passage in document.passages] for document in lookup.documents] == [
        ["first", "third"],
        ["second"],
    ]
    assert [document.source for document in lookup.documents] == [
        Source(0, "B", None, "en", THEN),
        Source(0, "A", "https://x.example/a", "en", THEN),
    ]
    assert store.searches[0][0] == ("leave",)


async def test_a_missing_collection_is_reported() -> None:
    """The report has its name, and the answer does without it."""
    store = FakeStore(absent="leave")
    lookup = await finder(store).find(whisper(collections=("leave",)), LookupQuestion("How long?"), "en")

    assert lookup.unread == ("leave",)
    assert lookup.documents == ()


async def test_a_missing_collection_does_not_hide_the_others() -> None:
    """The others are searched, and the missing one is reported."""
    store = FakeStore(match("a", "text"), absent="lave")
    lookup = await finder(store).find(whisper(collections=("leave", "lave")), LookupQuestion("How long?"), "en")

    assert lookup.unread == ("lave",)
    assert [document.name for document in lookup.documents] == ["A"]


@pytest.mark.parametrize(
    "arguments",
    [
        '"parental leave"',
        "Qu'est-ce que le « congé parental »?",
        "Bonjour : combien de jours de congé parental ai-je?",
        "Explain: parental leave for adoptive parents",
    ],
)
async def test_quoted_text_and_text_after_a_colon_is_looked_up(arguments: str) -> None:
    """The question may be about nothing else."""
    store = FakeStore(match("a", "text"))
    assert (await finder(store).find(whisper(collections=("leave",)), LookupQuestion(arguments), "en")).documents


async def test_a_common_failure_is_not_retried_for_each_collection() -> None:
    """The user would wait for each of them."""
    store = FakeStore(absent="a", failure=ModelUnavailable("the embedder is away"))
    lookup = await finder(store).find(whisper(collections=("a", "b")), LookupQuestion("How long?"), "en")

    assert (1, ("a, b",)) == (len(store.searches), lookup.unread)


POLITE = (
    "Hello!|Bonjour !|Thank you|Merci.|Who are you?|?|Thank you so much!|Great, thanks.|OK|That is very helpful|"
    "Good job|Merci beaucoup !|Parfait, merci|C’est très utile|Bonne journée!"
)


@pytest.mark.parametrize("text", POLITE.split("|"))
async def test_small_talk_is_not_looked_up(text: str) -> None:
    """Some document is always nearest."""
    store = FakeStore(match("a", "text"))
    lookup = await finder(store).find(whisper(collections=("leave",)), LookupQuestion(text), "en")

    assert lookup.documents == ()
    assert store.searches == []


@pytest.mark.parametrize(
    ("question", "score", "fits"),
    [
        ("How long is the leave?", MIN_SCORE, True),
        ("How long is the leave?", MIN_SCORE - 0.01, False),
        ("Write a story about penguins.", MIN_SCORE, False),
        ("Write a story about penguins.", MIN_SCORE_FOR_TASKS, True),
    ],
)
async def test_irrelevant_matches_are_dropped(question: str, score: float, fits: bool) -> None:
    """A task of the model's own needs a higher score."""
    lookup = await finder(FakeStore(match("a", "text", score=score))).find(
        whisper(collections=("leave",)), LookupQuestion(question), "en"
    )

    assert bool(lookup.documents) == fits


async def test_matches_far_behind_the_best_are_dropped() -> None:
    """An answer about parental leave comes without the price of a dinner."""
    store = FakeStore(match("leave", "63 weeks", score=0.8), match("dinner", "$60", score=0.4))
    lookup = await finder(store).find(
        whisper(collections=("leave",)), LookupQuestion("How long is parental leave?"), "en"
    )

    assert ["Leave"] == [document.name for document in lookup.documents]


async def test_passages_stand_in_reading_order() -> None:
    """The best passage comes first only if it stands first in its document."""
    store = FakeStore(match("a", "then", number=4), match("a", "first", number=1, score=0.9))
    lookup = await finder(store).find(whisper(collections=("leave",)), LookupQuestion("How long is the leave?"), "en")

    assert ["first", "then"] == [passage.text for passage in lookup.documents[0].passages]


FOLLOW_UPS = "And for part-time employees?|Is it free?|Why?|Pourquoi ?|What about a second child?|Et pour une tante ?"


@pytest.mark.parametrize("text", FOLLOW_UPS.split("|"))
async def test_a_follow_up_is_searched_for_behind_the_question_before_it(text: str) -> None:
    """Alone it names no subject; thanks in between change nothing."""
    store = FakeStore(match("a", "text"))
    earlier = (EarlierExchange("How long is parental leave?", "63 weeks."), EarlierExchange("Thanks!", "Welcome."))
    lookup = await finder(store).find(whisper(collections=("leave",)), LookupQuestion(text, earlier), "en")

    assert lookup.documents
    assert [f"How long is parental leave? {text}"] == [search[1] for search in store.searches]


@pytest.mark.parametrize(
    "text", ["Thank you!", "Translate that into French.", "Make it shorter.", "Traduis ça en anglais.", "OK merci"]
)
async def test_work_on_the_answer_is_not_looked_up(text: str) -> None:
    """Neither are thanks, even in a conversation about facts."""
    store = FakeStore(match("a", "text"))
    earlier = (EarlierExchange("How long is parental leave?", "63 weeks."),)

    assert await finder(store).find(whisper(collections=("leave",)), LookupQuestion(text, earlier), "en") == Lookup()
    assert [] == store.searches


async def test_a_short_question_is_searched_for_alone_and_with_the_one_before_it() -> None:
    """It may have a subject of its own, or not: the better match tells."""
    store = FakeStore(match("a", "text"))
    earlier = (EarlierExchange("How do I submit a travel claim?", "In the portal."),)
    await finder(store).find(whisper(collections=("leave",)), LookupQuestion("Do I need receipts?", earlier), "en")

    assert ["Do I need receipts?", "How do I submit a travel claim? Do I need receipts?"] == [
        search[1] for search in store.searches
    ]


async def test_typing_errors_are_corrected_to_the_glossary() -> None:
    """A passage is about parental leave, however the question writes it."""
    store = FakeStore(match("a", "text"))
    await finder(store).find(whisper(collections=("leave",)), LookupQuestion("How long is parentl leave?"), "en")

    assert "How long is parental leave?" == store.searches[0][1]


async def test_scores_of_another_encoder_are_not_judged() -> None:
    """They have another scale."""
    store = FakeStore(match("a", "text", score=0.01))
    store.embedder = "another"

    assert (
        await finder(store).find(whisper(collections=("leave",)), LookupQuestion("How long is the leave?"), "en")
    ).documents


async def test_personalities_without_collections_search_nothing() -> None:
    """They cost nothing."""
    store = FakeStore(match("a", "text"))

    assert (
        await finder(store).find(whisper(collections=("leave",)), LookupQuestion("How long is the leave?"), "en")
    ).documents
    assert await finder(store).find(whisper(), LookupQuestion("How long is the leave?"), "en") == Lookup()
    assert len(store.searches) == 1


async def test_each_entry_of_a_feed_is_a_source() -> None:
    """A statement about one entry must not link to another."""
    store = FakeStore(
        match("feed", "of clouds", "https://x.example/cloud"), match("feed", "of AI", "https://x.example/ai")
    )
    lookup = await finder(store).find(whisper(collections=("leave",)), LookupQuestion("What is new in clouds?"), "en")

    assert [("https://x.example/cloud", ["of clouds"]), ("https://x.example/ai", ["of AI"])] == [
        (document.source and document.source.url, [passage.text for passage in document.passages])
        for document in lookup.documents
    ]
