"""Feeds as origins: an entry is a document, and stays for a while after the feed dropped it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from core.rag.documents import Document, Passage
from core.rag.facts.connectors.feed import FeedConnector, split_feed
from core.rag.facts.connectors.protocol import ConnectorTools, Origin
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.facts.sync import sync
from core.storage.database import Database
from tests.core.rag.facts.support_fakes import FakeFetcher, FormatReader, WordEmbedder

URL = "https://a.example/news.xml"
DAY_S = 86_400.0
WHEN_S = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()  # the fetcher's time


def feed(*names: str) -> bytes:
    items = "".join(
        f"<item><title>{name} opens</title><link>https://a.example/{name}</link>"
        f"<description>The {name} office opens on Monday.</description></item>"
        for name in names
    )
    return f"<rss version='2.0'><channel><title>Regina office</title>{items}</channel></rss>".encode()


async def list_feed(body: bytes, **fields: object) -> Origin:
    connector = FeedConnector(kind="feed", url=URL, **fields)  # type: ignore[arg-type]
    return await connector.list_origin(ConnectorTools(FakeFetcher({URL: body}), FormatReader()))


async def test_each_entry_is_a_document() -> None:
    """Its address is the entry's, and its title also names the feed, which says which place it is about."""
    origin = await list_feed(feed("north", "south"))

    first = await (await origin.entries[0].open()).read()
    assert {f"{URL}#https://a.example/north", f"{URL}#https://a.example/south"} == {each.key for each in origin.entries}
    assert ("https://a.example/south", "south opens (Regina office)") == (first.url, first.title)
    assert "The south office" in first.passages[0].text


def test_a_long_entry_is_one_document() -> None:
    """Passages without a link belong together by title and date."""
    passages = (Passage("one", "A", "https://a/1"), Passage("two", "A", "https://a/1"), Passage("x", "B"), Passage("C"))

    documents = list(split_feed(Document("", passages, "feed")))

    assert [2, 1, 1] == [len(each.passages) for each in documents]
    assert ["A", "B", "C"] == [each.title for each in documents]


async def test_dropped_entries_stay_for_their_days(tmp_path: Path) -> None:
    """A feed rolls: an entry that it dropped may still be true, and an empty feed removes nothing."""
    store, clock = await open_store(tmp_path)
    await sync(store, "news", await list_feed(feed("north", "south"), keep_days=10))

    clock.append(WHEN_S + 9 * DAY_S)
    await sync(store, "news", await list_feed(feed("south"), keep_days=10))
    assert 2 == await store.count("news", URL)

    clock.append(WHEN_S + 11 * DAY_S)
    counts = await sync(store, "news", await list_feed(feed("south"), keep_days=10))
    assert (1, 1) == (counts.removed, await store.count("news", URL))


async def test_the_number_of_kept_entries_is_limited(tmp_path: Path) -> None:
    """Entries that the feed has now are never removed for it."""
    store, _ = await open_store(tmp_path)
    await sync(store, "news", await list_feed(feed("a", "b", "c"), keep_entries=2))
    assert 3 == await store.count("news", URL)

    await sync(store, "news", await list_feed(feed("d"), keep_entries=2))

    assert 2 == await store.count("news", URL)


async def open_store(tmp_path: Path) -> tuple[FactStore, list[float]]:
    """A store, and the list whose last number is its time."""
    clock = [WHEN_S]
    database = Database(f"sqlite:///{tmp_path / 'facts.db'}")
    await database.upgrade()
    return FactStore(database, WordEmbedder(), Glossary(), lambda: clock[-1]), clock
