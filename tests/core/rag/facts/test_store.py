"""The fact store on SQLite and PostgreSQL, with and without pgvector: results, changes, removals."""

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
from core.rag.facts.connectors.protocol import Origin
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.facts.sync import BATCH_ENTRIES, SyncCounts, sync
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
    return [match.title for match in await store.search(names or ["hr"], question, limit)]


async def test_a_match_names_its_origin(store: FactStore) -> None:
    """It has title, URL, language, time of fetching and collection."""
    await sync(store, "hr", origin("folder", HELD))

    match = (await store.search(["hr"], "Until when is vacation carried over?", 1))[0]

    assert ("hr", "leave", "Leave", "https://a/l") == (match.collection, match.key, match.title, match.url)
    assert "Vacation is carried over until March." == match.text
    assert ("en", WHEN) == (match.language, match.fetched_at)


async def test_other_forms_of_a_word_find_it(store: FactStore) -> None:
    """Endings, accents and capitals make no difference, in either language."""
    french = Document("Congés", (Passage("Les congés payés sont reportés."),), "text", "fr")
    await sync(store, "hr", origin("folder", {**HELD, "conges": french}))

    assert "Congés" == (await titles(store, "CONGE REPORTE"))[0]
    assert "Travel" == (await titles(store, "which receipt, which hotel"))[0]


async def test_synonyms_find_it(store: FactStore) -> None:
    """The glossary's words are searched with the question's."""
    await sync(store, "hr", origin("folder", HELD))

    matches = await store.search(["hr"], "wages", 3)

    assert "Pay" == matches[0].title
    assert matches[0].score > matches[1].score + 0.01


@pytest.mark.parametrize("question", ["", "  \n", "the of and", "'\"(*) AND OR NEAR: ^-", "\x00", "🙂", "x" * 100_000])
async def test_any_question_can_be_searched(store: FactStore, question: str) -> None:
    """Its text reaches full text search as words, never as syntax."""
    await sync(store, "hr", origin("folder", HELD))

    assert len(await store.search(["hr"], question)) == (0 if not question.strip() else 4)


async def test_several_collections_are_searched_together(store: FactStore) -> None:
    """The best comes first over all of them; other collections are not searched."""
    await sync(store, "a", origin("folder", {"leave": LEAVE}))
    await sync(store, "b", origin("folder", {"pay": PAY}))
    await sync(store, "c", origin("folder", {"travel": TRAVEL}))

    matches = await store.search(["a", "b", "a"], "acting pay on the third day", 10)

    assert ["b", "a", "a"] == [each.collection for each in matches]


async def test_a_document_has_two_passages_at_most(store: FactStore) -> None:
    """There are more only if nothing else is found; the best stay first."""
    long = document("Long", *(f"hotel receipts number {number}" for number in range(9)))
    await sync(store, "hr", origin("folder", {"long": long, "pay": PAY, "travel": TRAVEL}))

    assert {"Pay", "Travel"} <= set(await titles(store, "hotel receipts", limit=4))
    assert 7 == (await titles(store, "hotel receipts", limit=9)).count("Long")


async def test_unchanged_documents_are_not_read_again(store: FactStore) -> None:
    """A second run embeds nothing, and updates the time of the check."""
    await sync(store, "hr", origin("folder", HELD))
    embedder = store._embedder
    assert isinstance(embedder, WordEmbedder)
    embedder.embedded.clear()

    counts = await sync(store, "hr", origin("folder", HELD, WHEN + timedelta(days=1)))

    assert SyncCounts(total=3, unchanged=3) == counts
    assert [] == embedder.embedded
    assert WHEN + timedelta(days=1) == (await store.search(["hr"], "receipts"))[0].fetched_at


async def test_changed_documents_are_replaced_and_missing_ones_removed(store: FactStore) -> None:
    """Old text is not found any more, by words or by meaning."""
    await sync(store, "hr", origin("folder", HELD))
    await store.search(["hr"], "loads the vectors")

    counts = await sync(store, "hr", origin("folder", {"leave": LEAVE, "pay": document("Pay", "Bonuses are in June.")}))

    assert SyncCounts(total=2, unchanged=1, changed=1, removed=1, passages=1) == counts
    matches = await store.search(["hr"], "acting third receipts hotels", 10)
    assert {*(passage.text for passage in LEAVE.passages), "Bonuses are in June."} == {each.text for each in matches}
    assert all(each.score < 0.1 for each in matches)


async def test_other_origins_stay_when_one_is_added_again(store: FactStore) -> None:
    """Documents are removed only from their own origin."""
    await sync(store, "hr", origin("one", {"leave": LEAVE}))
    await sync(store, "hr", origin("two", {"pay": PAY, "travel": TRAVEL}))

    counts = await sync(store, "hr", origin("two", {"travel": TRAVEL}))

    assert 1 == counts.removed
    assert [("hr", 2, 2 + len(TRAVEL.passages), ("one", "two"))] == [
        (each.name, each.documents, each.passages, each.origins) for each in await store.collections()
    ]


async def test_an_unreadable_document_keeps_its_stored_version(store: FactStore) -> None:
    """It is counted with its reason, and the others are read."""
    await sync(store, "hr", origin("folder", HELD))

    counts = await sync(store, "hr", origin("folder", {**HELD, "pay": UnreadableDocument("a picture")}))

    assert ({"pay": "a picture"}, 2, 0) == (counts.failed, counts.unchanged, counts.removed)
    assert "Pay" == (await titles(store, "acting pay"))[0]


async def test_more_than_one_transaction_is_counted_together(store: FactStore) -> None:
    """Progress is reported after each; the counts are of all."""
    many = {str(number): document(f"Title {number}", f"word{number}") for number in range(BATCH_ENTRIES + 5)}
    reported: list[int] = []

    counts = await sync(store, "hr", origin("folder", many), lambda counts: reported.append(counts.done))

    assert [BATCH_ENTRIES, BATCH_ENTRIES + 5] == reported
    assert BATCH_ENTRIES + 5 == counts.added == counts.passages
    assert "Title 131" == (await titles(store, "word131"))[0]


async def test_documents_are_stored_in_small_transactions(
    store: FactStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Removals too: SQLite lets nobody else write meanwhile."""
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


async def test_a_repeated_key_is_reported(store: FactStore) -> None:
    """The first entry is stored, and the other reported in each run: they must not replace each other."""
    first, second = (origin("folder", {"pay": contents}).entries[0] for contents in (PAY, TRAVEL))
    for unchanged in (0, 1):
        counts = await sync(store, "hr", Origin("folder", [first, second]))
        assert (["pay (number 2)"], unchanged, 2) == (list(counts.failed), counts.unchanged, counts.done)
    assert ["Pay"] == [each.title async for each in store.export("hr")]


async def test_processes_can_fill_one_collection_at_once(database_url: str) -> None:
    """This holds for a new collection, and when all confirm the same documents in different orders."""
    await Database(database_url).upgrade()
    stores = [FactStore(Database(database_url), WordEmbedder(), Glossary()) for _ in range(3)]
    await stores[0].detect_vector_backend()
    many = {str(number): document(f"Title {number}", f"word{number}") for number in range(300)}
    orders = [many, dict(reversed(many.items())), many]

    for _ in range(2):
        await asyncio.gather(
            *(sync(each, "hr", origin("folder", contents)) for each, contents in zip(stores, orders, strict=True))
        )
    assert 300 == (await stores[0].collections())[0].documents


async def test_another_process_sees_every_change(store: FactStore, database_url: str) -> None:
    """Vectors in memory follow the database."""
    await sync(store, "hr", origin("folder", HELD))
    other = FactStore(Database(database_url), WordEmbedder(), Glossary())
    assert "Travel" == (await titles(other, "receipts"))[0]

    await sync(store, "hr", origin("folder", {**HELD, "travel": document("Trips", "No receipts any more.")}))

    assert "Trips" == (await titles(other, "receipts"))[0]
    assert 4 == len(await titles(other, "receipts", limit=10))
    await store.remove("hr", "travel")
    assert "Trips" not in await titles(other, "receipts")


async def test_vectors_of_another_embedder_are_not_compared(store: FactStore, database: Database) -> None:
    """The error names the command that solves it, and the command works."""
    await sync(store, "hr", origin("folder", HELD))
    other = FactStore(database, WordEmbedder("bigger", 128), Glossary())
    with pytest.raises(ConfigError, match="csps-llm facts add hr folder"):
        await other.search(["hr"], "receipts")

    counts = await sync(other, "hr", origin("folder", HELD))

    assert 3 == counts.changed
    assert "Travel" == (await titles(other, "receipts"))[0]


async def test_an_embedder_that_changed_under_its_name_is_refused(store: FactStore, database: Database) -> None:
    """A result would mean nothing."""
    await sync(store, "hr", origin("folder", HELD))
    with pytest.raises(ConfigError, match="2048 dimensions and the question's has 128"):
        await FactStore(database, WordEmbedder(dimensions=128), Glossary()).search(["hr"], "receipts")


async def test_an_emptied_origin_removes_nothing(store: FactStore) -> None:
    """A failing sitemap or an unmounted disk looks like this; removing needs its own command."""
    await sync(store, "hr", origin("one", {"leave": LEAVE}))
    await sync(store, "hr", origin("two", {"pay": PAY, "travel": TRAVEL}))

    with pytest.raises(ParameterRefused, match=r"two has no document any more, while 2 .*facts remove hr two"):
        await sync(store, "hr", origin("two", {}))
    assert 3 == (await store.collections())[0].documents
    assert SyncCounts() == await sync(store, "hr", origin("three", {}))

    assert 2 == await store.remove("hr", "two")
    assert ["leave"] == [each.key async for each in store.export("hr")]


async def test_removing(store: FactStore) -> None:
    """A document by its key or URL, or the whole collection; a missing one raises NotFound."""
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
    """Its passages are exported as they were read."""
    await sync(store, "hr", origin("folder", HELD))

    exported = [each async for each in store.export("hr")]

    assert ["leave", "pay", "travel"] == [each.key for each in exported]
    assert [LEAVE.passages, PAY.passages, TRAVEL.passages] == [each.passages for each in exported]
    with pytest.raises(NotFound):
        _ = [each async for each in store.export("none")]


async def test_a_document_without_text_is_stored(store: FactStore) -> None:
    """It is not read again, and a search in such a collection finds nothing."""
    await sync(store, "hr", origin("folder", {"empty": Document("Empty", (), "text")}))

    assert () == await store.search(["hr"], "empty")
    assert 1 == (await sync(store, "hr", origin("folder", {"empty": Document("Empty", (), "text")}))).unchanged


async def test_unstorable_characters_are_dropped(store: FactStore) -> None:
    """NUL and lone surrogates go; the rest stays."""
    odd = document("A\0B", "nul\0nul half\ud800 end")
    await sync(store, "hr", origin("folder", {"odd": odd}))

    assert ["nulnul half? end"] == [each.text for each in await store.search(["hr"], "end")]


@pytest.mark.parametrize("name", ["", "HR", "h r", "../x", "a" * 65, "é"])
async def test_an_invalid_collection_name_is_refused(store: FactStore, name: str) -> None:
    """Personalities could not use it."""
    with pytest.raises(ParameterRefused, match="cannot name a collection"):
        await sync(store, name, origin("folder", HELD))


async def test_processes_can_add_and_search_at_once(store: FactStore, database_url: str) -> None:
    """All documents are there in the end, once, and no search fails."""
    others = [FactStore(Database(database_url), WordEmbedder(), Glossary()) for _ in range(3)]
    for each in others:
        await each.detect_vector_backend()
    await sync(store, "hr", origin("folder", HELD))
    async with asyncio.TaskGroup() as tasks:
        for number, each in enumerate(others):
            contents = {f"{number}-{at}": document(f"T{at}", f"own{number} word{at}") for at in range(20)}
            tasks.create_task(sync(each, "hr", origin(f"folder {number}", contents)))
            tasks.create_task(sync(each, f"other{number}", origin("folder", contents)))
            for _ in range(5):
                tasks.create_task(each.search(["hr"], "receipts of hotels"))

    assert 63 == next(each for each in await store.collections() if each.name == "hr").documents
    assert 20 == sum("own1" in each.text for each in await store.search(["hr"], "own1", 60))


async def test_tables_may_be_created_by_several_at_once(database_url: str) -> None:
    """Processes that start together choose the same backend."""
    databases = [Database(database_url) for _ in range(4)]
    await asyncio.gather(*(each.upgrade() for each in databases))
    stores = [FactStore(each, WordEmbedder(), Glossary()) for each in databases]
    await asyncio.gather(*(each.detect_vector_backend() for each in stores))

    assert [] == await stores[0].collections()
    assert 1 == len({each._backend for each in stores})


def test_the_shipped_glossary_is_valid() -> None:
    """Every meaning has words in both languages' sense, and finds its other words."""
    glossary = Glossary.load(Path("config/glossary.toml"))

    assert ("remuner",) in glossary.phrases("What is my wage?")
    assert ("credit", "card") in glossary.phrases("la carte de crédit")


async def test_a_deleted_page_leaves_the_collection(store: FactStore) -> None:
    """A page that merely fails stays; if all are gone, it is taken for an error."""
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


async def test_a_question_does_not_wait_for_a_hanging_embedder(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline is shorter than that of added documents."""

    class Hanging(WordEmbedder):
        async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            await asyncio.Event().wait()
            raise AssertionError(texts)

    monkeypatch.setattr("core.rag.facts.store.QUESTION_LIMIT_S", 0.01)
    with pytest.raises(ModelUnavailable, match="no embedding within"):
        await FactStore(database, Hanging(), Glossary()).search(["hr"], "receipts")
