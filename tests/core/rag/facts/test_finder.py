"""Facts as readings: grouped by document, numbered as sources, and a store that fails is said."""

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
from tests.core.support_chatting import whisper

THEN = datetime(2026, 1, 2, tzinfo=UTC)


class Store:
    """Finds what it is given."""

    def __init__(self, *found: FactMatch, absent: str = "", failure: CspsError | None = None) -> None:
        self.found = found
        self.absent = absent
        self.failure = failure or NotFound(f"there is no collection {absent}")
        self.embedder = LocalEmbedder.name
        self.asked: list[Any] = []

    async def search(self, collections: Sequence[str], *asked: Any) -> tuple[FactMatch, ...]:
        self.asked.append((collections, *asked))
        if self.absent in collections:
            raise self.failure
        return self.found


def found(key: str, text: str, url: str | None = None, score: float = 1.0) -> FactMatch:
    return FactMatch("leave", key, key.title(), "", text, url, "en", THEN, score)


def finder(store: Store) -> FactsFinder:
    return FactsFinder(cast(FactStore, store))


async def test_passages_of_one_document_are_one_reading() -> None:
    """In the order of their best passages; a file has a title and no address."""
    store = Store(found("b", "first"), found("a", "second", "https://x.example/a"), found("b", "third"))
    lookup = await finder(store).find(whisper(collections=("leave",)), "How long?", "en")

    assert [[passage.text for passage in reading.passages] for reading in lookup.documents] == [
        ["first", "third"],
        ["second"],
    ]
    assert [reading.source for reading in lookup.documents] == [
        Source(0, "B", None, "en", THEN),
        Source(0, "A", "https://x.example/a", "en", THEN),
    ]
    assert store.asked[0][0] == ("leave",)


async def test_a_collection_that_is_not_there_is_said() -> None:
    """By its name; the answer goes on without it."""
    store = Store(absent="leave")
    lookup = await finder(store).find(whisper(collections=("leave",)), "How long?", "en")

    assert lookup.unread == ("leave",)
    assert lookup.documents == ()


async def test_a_collection_that_is_not_there_does_not_hide_the_others() -> None:
    """They are searched, and it is said."""
    store = Store(found("a", "text"), absent="lave")
    lookup = await finder(store).find(whisper(collections=("leave", "lave")), "How long?", "en")

    assert lookup.unread == ("lave",)
    assert [reading.name for reading in lookup.documents] == ["A"]


@pytest.mark.parametrize(
    "asked",
    [
        '"parental leave"',
        "Qu'est-ce que le « congé parental »?",
        "Bonjour : combien de jours de congé parental ai-je?",
        "Explain: parental leave for adoptive parents",
    ],
)
async def test_what_is_quoted_or_after_a_colon_is_looked_up(asked: str) -> None:
    """It may be all that the question is about."""
    store = Store(found("a", "text"))
    assert (await finder(store).find(whisper(collections=("leave",)), asked, "en")).documents


async def test_what_is_wrong_with_all_is_not_tried_again_with_each() -> None:
    """Whoever asked would wait for every one of them."""
    store = Store(absent="a", failure=ModelUnavailable("the embedder is away"))
    lookup = await finder(store).find(whisper(collections=("a", "b")), "How long?", "en")

    assert (1, ("a, b",)) == (len(store.asked), lookup.unread)


POLITE = (
    "Hello!|Bonjour !|Thank you|Merci.|Who are you?|?|Thank you so much!|Great, thanks.|OK|That is very helpful|"
    "Good job|Merci beaucoup !|Parfait, merci|C’est très utile|Bonne journée!"
)


@pytest.mark.parametrize("said", POLITE.split("|"))
async def test_small_talk_is_not_looked_up(said: str) -> None:
    """Something is always nearest."""
    store = Store(found("a", "text"))
    lookup = await finder(store).find(whisper(collections=("leave",)), said, "en")

    assert lookup.documents == ()
    assert store.asked == []


@pytest.mark.parametrize(
    ("question", "score", "fits"),
    [
        ("How long is the leave?", MIN_SCORE, True),
        ("How long is the leave?", MIN_SCORE - 0.01, False),
        ("Write a story about penguins.", MIN_SCORE, False),
        ("Write a story about penguins.", MIN_SCORE_FOR_TASKS, True),
    ],
)
async def test_what_does_not_fit_is_not_shown(question: str, score: float, fits: bool) -> None:
    """What a model does by itself needs the better reason to be looked up."""
    lookup = await finder(Store(found("a", "text", score=score))).find(whisper(collections=("leave",)), question, "en")

    assert bool(lookup.documents) == fits


async def test_scores_of_another_encoder_are_not_judged() -> None:
    """They are of another scale."""
    store = Store(found("a", "text", score=0.01))
    store.embedder = "another"

    assert (await finder(store).find(whisper(collections=("leave",)), "How long is the leave?", "en")).documents


def test_only_personalities_with_collections_are_looked_up_for() -> None:
    """The others cost nothing."""
    assert finder(Store()).applies(whisper(collections=("leave",)))
    assert not finder(Store()).applies(whisper())


async def test_each_entry_of_a_feed_is_a_source_of_its_own() -> None:
    """What is said of one must not lead to another."""
    store = Store(found("feed", "of clouds", "https://x.example/cloud"), found("feed", "of AI", "https://x.example/ai"))
    lookup = await finder(store).find(whisper(collections=("leave",)), "What is new in clouds?", "en")

    assert [("https://x.example/cloud", ["of clouds"]), ("https://x.example/ai", ["of AI"])] == [
        (reading.source and reading.source.url, [passage.text for passage in reading.passages])
        for reading in lookup.documents
    ]
