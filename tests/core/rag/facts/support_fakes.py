"""Fakes for the fact store: an embedder of words, short documents, an origin of them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import CspsError, FetchFailed
from core.rag.documents import Document, Passage
from core.rag.facts.addition import StoreWriter
from core.rag.facts.collections import FactCollections
from core.rag.facts.connectors.protocol import EntryContent, Origin, OriginEntry
from core.rag.facts.editing import FactsEditing
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.fetching.fetch import NO_HEADERS, FetchedPage
from core.rag.reading.formats import read_document
from core.storage.database import Database

WHEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIMENSIONS = 2048  # so many that words seldom collide


class FakeFetcher:
    """Serves pages by URL: a body, or a body and its media type. Records headers, and whether robots.txt matters."""

    def __init__(self, pages: Mapping[str, bytes | tuple[bytes, str]]) -> None:
        self._pages = pages
        self.requests: list[tuple[str, bool]] = []
        self.headers: list[Mapping[str, str]] = []

    async def fetch(
        self, url: str, *, robots: bool = True, max_age_s: float | None = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> FetchedPage:
        self.requests.append((url, robots))
        self.headers.append(headers)
        if url not in self._pages:
            raise FetchFailed("status 404", site_status=404)
        page = self._pages[url]
        body, media_type = page if isinstance(page, tuple) else (page, "text/html")
        return FetchedPage(url, media_type, None, body, WHEN, cached=False)


class FakeReader:
    """Makes each body one passage; the title is the name or URL."""

    async def read(
        self, body: bytes, media_type: str, *, name: str = "", url: str | None = None, charset: str | None = None
    ) -> Document:
        return Document(name or url or "", (Passage(body.decode()),), "text", None, url)


class FormatReader(FakeReader):
    """Reads as a child process would, in this one."""

    async def read(
        self, body: bytes, media_type: str, *, name: str = "", url: str | None = None, charset: str | None = None
    ) -> Document:
        return read_document(body, media_type, name=name, url=url, charset=charset)


class WordEmbedder:
    """Embeds texts by their words, and records the texts."""

    def __init__(self, name: str = "words", dimensions: int = DIMENSIONS) -> None:
        self.name = name
        self.embedded: list[str] = []
        self._dimensions = dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        rows = np.full((len(texts), self._dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[int(hashlib.sha256(word.encode("utf-8", "replace")).hexdigest(), 16) % self._dimensions] += 1
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    async def close(self) -> None:
        """Does nothing."""


def document(title: str, *texts: str, url: str | None = None) -> Document:
    return Document(title, tuple(map(Passage, texts)), "text", "en", url)


def origin(name: str, content: Mapping[str, Document | CspsError], when: datetime = WHEN) -> Origin:
    """Lists a document or an error by key; the digest is the document's."""
    return Origin(name, [entry(key, each, when) for key, each in content.items()])


def entry(key: str, content: Document | CspsError, when: datetime) -> OriginEntry:
    async def read() -> Document:
        assert isinstance(content, Document)
        return content

    async def open_entry() -> EntryContent:
        if isinstance(content, CspsError):
            raise content
        return EntryContent(hashlib.sha256(repr(content).encode()).hexdigest(), when, read)

    return OriginEntry(key, open_entry)


@asynccontextmanager
async def open_editing(
    folder: Path, facts: str, pages: Mapping[str, bytes] | None = None
) -> AsyncIterator[FactsEditing]:
    """An editing of collections in a database of its own. `facts`: the content of config/facts.toml."""
    (folder / "facts.toml").write_text(facts, encoding="utf-8")
    collections = FactCollections(folder / "facts.toml")
    collections.load()
    database = Database(f"sqlite:///{folder / 'editing.db'}")
    await database.upgrade()
    store = FactStore(database, WordEmbedder(), Glossary())
    yield FactsEditing(store, collections, FakeFetcher(pages or {}), StoreWriter(store, FormatReader()), ())
    await database.close()
