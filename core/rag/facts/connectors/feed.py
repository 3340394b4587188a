"""The entries of a feed, each a document. Feeds roll: an entry stays for a while after the feed dropped it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Literal

from pydantic import Field

from core.rag.documents import Document, Passage
from core.rag.facts.connectors.protocol import (
    ConnectorTools,
    EntryContent,
    Origin,
    OriginConnector,
    OriginEntry,
    Retention,
    WebUrl,
    content_digest,
)
from core.rag.fetching.fetch import FetchedPage
from core.strict_json import storable

TITLE_LIMIT_CHARS = 200
DEFAULT_RETENTION = Retention(days=90, documents=1000)


class FeedConnector(OriginConnector):
    """`keep_days`: days after the feed dropped an entry. `keep_entries`: the most that are kept."""

    kind: Literal["feed"]
    url: WebUrl
    keep_days: float = Field(default=DEFAULT_RETENTION.days, ge=0, le=36_500)
    keep_entries: int = Field(default=DEFAULT_RETENTION.documents, ge=1, le=100_000)

    def origin_name(self, _tools: ConnectorTools) -> str:
        return self.url

    async def list_origin(self, tools: ConnectorTools) -> Origin:
        fetched = await tools.fetcher.fetch(self.url, robots=False)
        return await feed_origin(self.url, fetched, tools, Retention(self.keep_days, self.keep_entries))


async def feed_origin(
    url: str, fetched: FetchedPage, tools: ConnectorTools, retention: Retention = DEFAULT_RETENTION
) -> Origin:
    """Raises UnreadableDocument."""
    feed = await tools.reader.read(fetched.body, fetched.media_type, url=fetched.url, charset=fetched.charset)
    entries = [feed_entry(url, document, fetched.fetched_at) for document in split_feed(feed)]
    return Origin(url, list({entry.key: entry for entry in reversed(entries)}.values()), retention)


def split_feed(feed: Document) -> Iterator[Document]:
    """Yields the feed's entries: neighbouring passages with one link, or with one title and date."""
    for _, passages in groupby(feed.passages, key=entry_identity):
        yield entry_document(feed, tuple(passages))


def entry_identity(passage: Passage) -> tuple[str, datetime | None]:
    return passage.link or passage.heading or passage.text, passage.published_at


def entry_document(feed: Document, passages: tuple[Passage, ...]) -> Document:
    """Titles the document by its entry, and keeps the feed's title: it often says which place or body it is about."""
    first = passages[0]
    entry = first.heading or first.text.partition("\n")[0]
    title = f"{entry} ({feed.title})" if feed.title and feed.title not in entry else entry
    return Document(title[:TITLE_LIMIT_CHARS], passages, "feed", feed.language, first.link or feed.url)


def feed_entry(url: str, document: Document, at: datetime) -> OriginEntry:
    text = "\n".join(f"{each.heading}\n{each.text}\n{each.published_at}" for each in document.passages)

    async def read() -> Document:
        return document

    async def open_entry() -> EntryContent:
        return EntryContent(content_digest(text.encode("utf-8", "replace"), document.title), at, read)

    link = document.passages[0].link
    identity = link or hashlib.sha256(document.title.encode("utf-8", "replace")).hexdigest()[:16]
    return OriginEntry(storable(f"{url}#{identity}"), open_entry)
