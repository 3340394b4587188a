"""The store of facts, which the engine searches and the command line fills."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence, Set
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import sqlalchemy as sa

from core.contract import Language
from core.errors import ModelUnavailable, NotFound
from core.rag.documents import Document, Passage
from core.rag.embeddings import Embedder
from core.rag.facts import document_rows, pgvector
from core.rag.facts.connectors.protocol import Retention
from core.rag.facts.document_rows import (
    AddedDocument,
    CollectionSize,
    EmbeddingInfo,
    NewDocument,
    StoredDocument,
    StoredVersion,
)
from core.rag.facts.glossary import Glossary
from core.rag.facts.search import FactMatch, SearchQuery, search_facts
from core.rag.facts.tables import Floats
from core.rag.facts.vector_backends import BACKENDS, MEMORY, PGVECTOR, VectorCache
from core.storage.database import Database

QUESTION_LIMIT_CHARS, QUESTION_LIMIT_S = 2000, 10.0
EXPORT_DOCUMENTS = 50  # read at once


class FactStore:
    """One per process. It caches the vectors of collections that it searched, unless the database compares them."""

    def __init__(
        self, database: Database, embedder: Embedder, glossary: Glossary, now: Callable[[], float] = time.time
    ) -> None:
        self._now = now
        self.database = self._database = database
        self._embedder = embedder
        self._glossary = glossary
        self._vectors = VectorCache(embedder.name)
        self._backend = MEMORY

    @property
    def embedder(self) -> str:
        return self._embedder.name

    @property
    def terms(self) -> Sequence[str]:
        """The glossary's terms, to which typing errors are corrected."""
        return self._glossary.terms

    async def detect_vector_backend(self) -> None:
        """Chooses where the vectors of later collections are stored: in pgvector if the database offers it."""
        self._backend = PGVECTOR if await self._database.write(pgvector.create) else MEMORY

    async def search(
        self, collections: Sequence[str], question: str, limit: int = 5, language: Language | None = None
    ) -> tuple[FactMatch, ...]:
        """Returns the best passages in either language, best first. `language`: the reader's.

        Raises NotFound (no such collection), ConfigError (vectors of another embedder), ModelError, StorageError.
        """
        text = question[:QUESTION_LIMIT_CHARS]
        if not text.strip() or not collections or limit < 1:
            return ()
        vector = await self._question_vector(text)
        query = SearchQuery(self._glossary.phrases(text), vector, language)
        names = tuple(dict.fromkeys(collections))
        return await self._database.read(lambda db: search_facts(db, self._vectors, names, query, limit))

    # ---------------------------------------------------------------- adding and removing

    async def stored_versions(self, collection: str) -> dict[str, StoredVersion]:
        """Returns the stored versions by key; none if there is no such collection."""
        return await self._database.read(lambda db: document_rows.stored_versions(db, collection))

    async def replace(
        self, collection: str, origin: str, fresh: Sequence[NewDocument], unchanged: Mapping[str, datetime]
    ) -> int:
        """Stores documents and confirms unchanged ones by key, in one transaction. Returns the number of passages.

        Creates the collection if it is new. Raises ModelError, StorageError; then nothing was stored.
        """
        vectors = await self._embed([each.document for each in fresh])
        rows = await asyncio.to_thread(lambda: [(each, document_rows.passage_rows(each.document)) for each in fresh])

        def write(db: sa.Connection) -> None:
            if rows:
                stored = document_rows.open_collection(db, collection, self._backend)
                by = EmbeddingInfo(self._embedder.name, vectors.shape[1])
                passages = document_rows.replace_documents(db, stored.id, origin, by, rows)
                if passages:
                    BACKENDS[stored.form].add(db, stored.id, passages, vectors)
            document_rows.confirm_unchanged(db, collection, origin, unchanged)

        await self._database.write(write)
        return len(vectors)

    async def _question_vector(self, text: str) -> Floats:
        """Embeds a question. The user waits for it, so its deadline is shorter than that of added documents."""
        try:
            async with asyncio.timeout(QUESTION_LIMIT_S):
                vector: Floats = (await self._embedder.embed([text]))[0]
        except TimeoutError as exc:
            raise ModelUnavailable(f"{self._embedder.name} made no embedding within {QUESTION_LIMIT_S:g} s") from exc
        return vector

    async def _embed(self, documents: Sequence[Document]) -> Floats:
        """Returns a row for each passage of each document."""
        texts = [embedded_text(each, passage) for each in documents for passage in each.passages]
        return await self._embedder.embed(texts) if texts else np.empty((0, 0), dtype=np.float32)

    async def count(self, collection: str, origin: str) -> int:
        """Counts the documents from an origin."""
        return await self._database.read(lambda db: document_rows.count_documents(db, collection, origin))

    async def remove_missing(
        self, collection: str, origin: str, keys: Set[str], retention: Retention | None = None
    ) -> int:
        """Removes the origin's documents that are not in `keys`, unless they are retained. Returns how many."""
        now = self._now()
        return await self._remove_in_batches(
            lambda db: document_rows.remove_missing(db, collection, origin, keys, retention, now)
        )

    async def embed_again(self, collection: str) -> None:
        """Embeds documents that people added, if another embedder made their vectors: no sync reads them again."""
        name = self._embedder.name
        while outdated := await self._database.read(
            lambda db: document_rows.other_embeddings(db, collection, name, EXPORT_DOCUMENTS)
        ):
            for origin, document in outdated:
                await self.replace(collection, origin, [document], {})

    async def added(self, collection: str) -> list[AddedDocument]:
        """Returns the documents that people added, oldest first."""
        return await self._database.read(lambda db: document_rows.added_documents(db, collection))

    async def index(self, collection: str) -> None:
        """Makes searching fast after documents were added. Other writers may have to wait meanwhile."""
        stored = await self._database.read(lambda db: document_rows.find_collection(db, collection))
        if stored is not None:
            await self._database.write(lambda db: BACKENDS[stored.form].index(db, stored.id))

    async def remove(self, collection: str, document: str | None = None) -> int:
        """Removes the collection, or the documents with this path, URL or origin. Returns how many. Raises NotFound."""
        stored = await self._require(collection)
        if document is None:
            await self._database.write(lambda db: BACKENDS[stored.form].unindex(db, stored.id))
        removed = await self._remove_in_batches(lambda db: document_rows.remove_documents(db, collection, document))
        if document is not None and not removed:
            raise NotFound(
                f"collection {collection} has no document {document}; `csps-llm facts export` names them all"
            )
        return removed

    async def _remove_in_batches(self, some: Callable[[sa.Connection], int]) -> int:
        """Removes in several transactions, so that conversations are written in between. Returns how many."""
        total = 0
        while removed := await self._database.write(some):
            total += removed
        return total

    # ---------------------------------------------------------------- listing

    async def collections(self) -> list[CollectionSize]:
        return await self._database.read(document_rows.collection_sizes)

    async def export(self, collection: str) -> AsyncGenerator[StoredDocument, None]:
        """Yields every document, by key. Raises NotFound."""
        await self._require(collection)
        after = ""
        while page := await self._database.read(
            partial(document_rows.document_page, name=collection, after=after, limit=EXPORT_DOCUMENTS)
        ):
            for document in page:
                yield document
            after = page[-1].key

    async def _require(self, collection: str) -> sa.Row[Any]:
        return await self._database.read(lambda db: document_rows.require_collection(db, collection))


def embedded_text(document: Document, passage: Passage) -> str:
    """Adds the title and heading: a passage alone seldom says what it is about."""
    return ". ".join(part for part in (document.title, passage.heading, passage.text) if part)
