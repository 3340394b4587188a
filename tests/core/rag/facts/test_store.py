"""The fact store, on SQLite and on PostgreSQL, with pgvector and without: what is found, what changes, what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError, FetchFailed, ModelUnavailable, NotFound, ParameterRefused, UnreadableDocument
from core.rag.documents import Document, Passage
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.facts.sync import BATCH_ENTRIES, Origin, SyncCounts, sync
from core.storage.database import Database
from tests.core.rag.facts.support_fakes import WHEN, WordEmbedder, document, origin

LEAVE = document("Leave", "Vacation is carried over until March.", "Sick leave needs a certificate.", url="https://a/l")
PAY = document("Pay", "Acting pay begins on the third day.")
TRAVEL = document("Travel", "Keep the receipts of hotels.")
HELD = {"leave": LEAVE, "pay": PAY, "travel": TRAVEL}


@pytest.fixture
async def store(database: Database) -> FactStore:
    await database.upgrade()
    opened = FactStore(database, WordEmbedder(), Glossary([["wage", "pay"]]))
    await opened.detect_vector_backend()
    return opened


async def titles(store: FactStore, question: str, *names: str, limit: int = 5) -> list[str]:
    return [found.title for found in await store.search(names or ["hr"], question, limit)]


async def test_a_passage_is_found_with_where_it_is_from(store: FactStore) -> None:
    """What is found can be opened: title, URL, language, when it was fetched, and which collection it is in."""
    await sync(store, "hr", origin("folder", HELD))

    found = (await store.search(["hr"], "Until when is vacation carried over?", 1))[0]

    assert ("hr", "leave", "Leave", "https://a/l") == (found.collection, found.key, found.title, found.url)
    assert "Vacation is carried over until March." == found.text
    assert ("en", WHEN) == (found.language, found.fetched_at)


async def test_other_forms_of_a_word_find_it(store: FactStore) -> None:
    """Words are compared without endings, accents and capitals, in either language."""
    french = Document("Congés", (Passage("Les congés payés sont reportés."),), "text", "fr")
    await sync(store, "hr", origin("folder", {**HELD, "conges": french}))

    assert "Congés" == (await titles(store, "CONGE REPORTE"))[0]
    assert "Travel" == (await titles(store, "which receipt, which hotel"))[0]


async def test_words_that_mean_the_same_find_it(store: FactStore) -> None:
    """The glossary's words are asked for as well as the question's."""
    await sync(store, "hr", origin("folder", HELD))

    found = await store.search(["hr"], "wages", 3)

    assert "Pay" == found[0].title
    assert found[0].score > found[1].score + 0.01


@pytest.mark.parametrize("question", ["", "  \n", "the of and", "'\"(*) AND OR NEAR: ^-", "\x00", "🙂", "x" * 100_000])
async def test_any_question_is_answered_by_what_is_nearest_or_by_nothing(store: FactStore, question: str) -> None:
    """Whatever a person writes reaches full text as words, never as its syntax."""
    await sync(store, "hr", origin("folder", HELD))

    assert len(await store.search(["hr"], question)) == (0 if not question.strip() else 4)


async def test_several_collections_are_searched_together(store: FactStore) -> None:
    """Best first over all of them; what is in no named collection is not found."""
    await sync(store, "a", origin("folder", {"leave": LEAVE}))
    await sync(store, "b", origin("folder", {"pay": PAY}))
    await sync(store, "c", origin("folder", {"travel": TRAVEL}))

    found = await store.search(["a", "b", "a"], "acting pay on the third day", 10)

    assert ["b", "a", "a"] == [each.collection for each in found]


async def test_a_document_leaves_room_for_others(store: FactStore) -> None:
    """No more than two passages of one document, unless there is nothing else; the best stay first."""
    long = document("Long", *(f"hotel receipts number {number}" for number in range(9)))
    await sync(store, "hr", origin("folder", {"long": long, "pay": PAY, "travel": TRAVEL}))

    assert {"Pay", "Travel"} <= set(await titles(store, "hotel receipts", limit=4))
    assert 7 == (await titles(store, "hotel receipts", limit=9)).count("Long")


async def test_what_is_unchanged_is_not_read_again(store: FactStore) -> None:
    """A second run embeds nothing; when it was looked at is brought up to date."""
    await sync(store, "hr", origin("folder", HELD))
    embedder = store._embedder
    assert isinstance(embedder, WordEmbedder)
    embedder.asked.clear()

    counts = await sync(store, "hr", origin("folder", HELD, WHEN + timedelta(days=1)))

    assert SyncCounts(total=3, unchanged=3) == counts
    assert [] == embedder.asked
    assert WHEN + timedelta(days=1) == (await store.search(["hr"], "receipts"))[0].fetched_at


async def test_what_changed_is_replaced_and_what_vanished_is_gone(store: FactStore) -> None:
    """Nothing of an old text is found any more, by its words or by its meaning."""
    await sync(store, "hr", origin("folder", HELD))
    await store.search(["hr"], "loads the vectors")

    counts = await sync(store, "hr", origin("folder", {"leave": LEAVE, "pay": document("Pay", "Bonuses are in June.")}))

    assert SyncCounts(total=2, unchanged=1, changed=1, removed=1, passages=1) == counts
    found = await store.search(["hr"], "acting third receipts hotels", 10)
    assert {*(passage.text for passage in LEAVE.passages), "Bonuses are in June."} == {each.text for each in found}
    assert all(each.score < 0.1 for each in found)


async def test_other_origins_stay_when_one_is_added_again(store: FactStore) -> None:
    """What vanished is told by origin."""
    await sync(store, "hr", origin("one", {"leave": LEAVE}))
    await sync(store, "hr", origin("two", {"pay": PAY, "travel": TRAVEL}))

    counts = await sync(store, "hr", origin("two", {"travel": TRAVEL}))

    assert 1 == counts.removed
    assert [("hr", 2, 2 + len(TRAVEL.passages), ("one", "two"))] == [
        (each.name, each.documents, each.passages, each.origins) for each in await store.collections()
    ]


async def test_a_document_that_cannot_be_read_stays_as_it_was(store: FactStore) -> None:
    """It is counted with its reason, and the others are read."""
    await sync(store, "hr", origin("folder", HELD))

    counts = await sync(store, "hr", origin("folder", {**HELD, "pay": UnreadableDocument("a picture")}))

    assert ({"pay": "a picture"}, 2, 0) == (counts.failed, counts.unchanged, counts.removed)
    assert "Pay" == (await titles(store, "acting pay"))[0]


async def test_more_than_one_transaction_is_counted_together(store: FactStore) -> None:
    """Progress is told after each; the sums are of all."""
    many = {str(number): document(f"Title {number}", f"word{number}") for number in range(BATCH_ENTRIES + 5)}
    told: list[int] = []

    counts = await sync(store, "hr", origin("folder", many), lambda counts: told.append(counts.done))

    assert [BATCH_ENTRIES, BATCH_ENTRIES + 5] == told
    assert BATCH_ENTRIES + 5 == counts.added == counts.passages
    assert "Title 131" == (await titles(store, "word131"))[0]


async def test_documents_are_stored_a_few_passages_at_a_time(
    store: FactStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And removed a few at a time: in SQLite nobody's answer can be stored meanwhile."""
    monkeypatch.setattr("core.rag.facts.sync.TRANSACTION_PASSAGES", 2)
    monkeypatch.setattr("core.rag.facts.document_rows.REMOVAL_BATCH", 2)
    written: list[object] = []
    write = database.write
    monkeypatch.setattr(database, "write", lambda work: written.append(work) or write(work))

    await sync(store, "hr", origin("folder", HELD))
    assert (5, 4) == (len(written), (await store.collections())[0].passages)  # Leave; Pay, Travel; confirmed; two more
    written.clear()
    assert 3 == await store.remove("hr")
    assert (4, []) == (len(written), await store.collections())


async def test_two_entries_of_one_key(store: FactStore) -> None:
    """The first is stored, and the other one said, each time anew: they must not take each other's place."""
    first, second = (origin("folder", {"pay": held}).entries[0] for held in (PAY, TRAVEL))
    for unchanged in (0, 1):
        counts = await sync(store, "hr", Origin("folder", [first, second]))
        assert (["pay (number 2)"], unchanged, 2) == (list(counts.failed), counts.unchanged, counts.done)
    assert ["Pay"] == [each.title async for each in store.export("hr")]


async def test_processes_that_fill_one_collection_at_once(database_url: str) -> None:
    """Nobody is refused, neither where it is new nor where all confirm the same documents in another order."""
    await Database(database_url).upgrade()
    stores = [FactStore(Database(database_url), WordEmbedder(), Glossary()) for _ in range(3)]
    await stores[0].detect_vector_backend()
    many = {str(number): document(f"Title {number}", f"word{number}") for number in range(300)}
    orders = [many, dict(reversed(many.items())), many]

    for _ in range(2):
        await asyncio.gather(
            *(sync(each, "hr", origin("folder", held)) for each, held in zip(stores, orders, strict=True))
        )
    assert 300 == (await stores[0].collections())[0].documents


async def test_another_process_sees_every_change(store: FactStore, database_url: str) -> None:
    """Vectors in memory follow the database, whoever changes it."""
    await sync(store, "hr", origin("folder", HELD))
    other = FactStore(Database(database_url), WordEmbedder(), Glossary())
    assert "Travel" == (await titles(other, "receipts"))[0]

    await sync(store, "hr", origin("folder", {**HELD, "travel": document("Trips", "No receipts any more.")}))

    assert "Trips" == (await titles(other, "receipts"))[0]
    assert 4 == len(await titles(other, "receipts", limit=10))
    await store.remove("hr", "travel")
    assert "Trips" not in await titles(other, "receipts")


async def test_vectors_of_another_embedder_are_not_compared(store: FactStore, database: Database) -> None:
    """The error says what to do, and that works although nothing else changed."""
    await sync(store, "hr", origin("folder", HELD))
    other = FactStore(database, WordEmbedder("bigger", 128), Glossary())
    with pytest.raises(ConfigError, match="csps-llm facts add hr folder"):
        await other.search(["hr"], "receipts")

    counts = await sync(other, "hr", origin("folder", HELD))

    assert 3 == counts.changed
    assert "Travel" == (await titles(other, "receipts"))[0]


async def test_an_embedder_that_changed_under_its_name_is_told(store: FactStore, database: Database) -> None:
    """Instead of an answer that means nothing."""
    await sync(store, "hr", origin("folder", HELD))
    with pytest.raises(ConfigError, match="2048 dimensions and the question's has 128"):
        await FactStore(database, WordEmbedder(dimensions=128), Glossary()).search(["hr"], "receipts")


async def test_an_origin_that_is_empty_all_at_once_takes_nothing_away(store: FactStore) -> None:
    """A sitemap that fails, or a disk that is not mounted, looks like this; who means it, says so."""
    await sync(store, "hr", origin("one", {"leave": LEAVE}))
    await sync(store, "hr", origin("two", {"pay": PAY, "travel": TRAVEL}))

    with pytest.raises(ParameterRefused, match=r"two has no document any more, while 2 .*facts remove hr two"):
        await sync(store, "hr", origin("two", {}))
    assert 3 == (await store.collections())[0].documents
    assert SyncCounts() == await sync(store, "hr", origin("three", {}))

    assert 2 == await store.remove("hr", "two")
    assert ["leave"] == [each.key async for each in store.export("hr")]


async def test_removing(store: FactStore) -> None:
    """A document by its key or URL, or the whole collection; what is not there is said."""
    await sync(store, "hr", origin("folder", HELD))

    assert 1 == await store.remove("hr", "https://a/l")
    assert 2 == (await store.collections())[0].documents
    with pytest.raises(NotFound, match="no document leave"):
        await store.remove("hr", "leave")
    assert 2 == await store.remove("hr")
    assert [] == await store.collections()
    with pytest.raises(NotFound, match="no collection of facts named hr"):
        await store.search(["hr"], "receipts")


async def test_exporting_gives_every_document_in_order(store: FactStore) -> None:
    """With its passages as they were read."""
    await sync(store, "hr", origin("folder", HELD))

    exported = [each async for each in store.export("hr")]

    assert ["leave", "pay", "travel"] == [each.key for each in exported]
    assert [LEAVE.passages, PAY.passages, TRAVEL.passages] == [each.passages for each in exported]
    with pytest.raises(NotFound):
        _ = [each async for each in store.export("none")]


async def test_a_document_without_text_is_known_all_the_same(store: FactStore) -> None:
    """It is not read again, and a collection of such is searched without a result."""
    await sync(store, "hr", origin("folder", {"empty": Document("Empty", (), "text")}))

    assert () == await store.search(["hr"], "empty")
    assert 1 == (await sync(store, "hr", origin("folder", {"empty": Document("Empty", (), "text")}))).unchanged


async def test_text_that_no_database_stores_is_stored_without_that(store: FactStore) -> None:
    """NUL and half characters go; the rest stays."""
    odd = document("A\0B", "nul\0nul half\ud800 end")
    await sync(store, "hr", origin("folder", {"odd": odd}))

    assert ["nulnul half? end"] == [each.text for each in await store.search(["hr"], "end")]


@pytest.mark.parametrize("name", ["", "HR", "h r", "../x", "a" * 65, "é"])
async def test_a_collection_is_named_as_personalities_name_it(store: FactStore, name: str) -> None:
    """Anything else could not be used anyway."""
    with pytest.raises(ParameterRefused, match="cannot name a collection"):
        await sync(store, name, origin("folder", HELD))


async def test_many_may_add_and_search_at_once(store: FactStore, database_url: str) -> None:
    """Everything that was added is there in the end, once, and no search fails meanwhile."""
    others = [FactStore(Database(database_url), WordEmbedder(), Glossary()) for _ in range(3)]
    for each in others:
        await each.detect_vector_backend()
    await sync(store, "hr", origin("folder", HELD))
    async with asyncio.TaskGroup() as tasks:
        for number, each in enumerate(others):
            held = {f"{number}-{at}": document(f"T{at}", f"own{number} word{at}") for at in range(20)}
            tasks.create_task(sync(each, "hr", origin(f"folder {number}", held)))
            tasks.create_task(sync(each, f"other{number}", origin("folder", held)))
            for _ in range(5):
                tasks.create_task(each.search(["hr"], "receipts of hotels"))

    assert 63 == next(each for each in await store.collections() if each.name == "hr").documents
    assert 20 == sum("own1" in each.text for each in await store.search(["hr"], "own1", 60))


async def test_tables_may_be_created_by_several_at_once(database_url: str) -> None:
    """Adapters that start together choose the same place for vectors."""
    databases = [Database(database_url) for _ in range(4)]
    await asyncio.gather(*(each.upgrade() for each in databases))
    stores = [FactStore(each, WordEmbedder(), Glossary()) for each in databases]
    await asyncio.gather(*(each.detect_vector_backend() for each in stores))

    assert [] == await stores[0].collections()
    assert 1 == len({each._form for each in stores})


def test_the_shipped_glossary_is_valid() -> None:
    """Every meaning in it has words in both languages' sense, and finds its other words."""
    glossary = Glossary.load(Path("config/glossary.toml"))

    assert ("remuner",) in glossary.phrases("What is my wage?")
    assert ("credit", "card") in glossary.phrases("la carte de crédit")


async def test_a_page_that_is_gone_leaves_the_collection(store: FactStore) -> None:
    """Its site says so; one that merely fails stays, and all at once is more often a mistake."""
    gone, failing = FetchFailed("status 410", "missing"), FetchFailed("status 500", "status")
    await sync(store, "hr", origin("sitemap", HELD))

    counts = await sync(store, "hr", origin("sitemap", {**HELD, "pay": gone, "travel": failing}))
    assert (1, ["travel"], 1) == (counts.removed, list(counts.failed), counts.unchanged)
    assert "Pay" not in await titles(store, "acting pay", limit=10)
    counts = await sync(store, "hr", origin("sitemap", {**HELD, "pay": gone}))
    assert (["pay"], 0) == (list(counts.failed), counts.removed)

    with pytest.raises(ParameterRefused, match="nothing was removed"):
        await sync(store, "hr", origin("sitemap", dict.fromkeys(("leave", "travel"), gone)))
    assert 2 == (await store.collections())[0].documents


async def test_who_asks_does_not_wait_for_an_embedder_that_hangs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as who adds documents."""

    class Hanging(WordEmbedder):
        async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            await asyncio.Event().wait()
            raise AssertionError(texts)

    monkeypatch.setattr("core.rag.facts.store.QUESTION_LIMIT_S", 0.01)
    with pytest.raises(ModelUnavailable, match="no embedding within"):
        await FactStore(database, Hanging(), Glossary()).search(["hr"], "receipts")
