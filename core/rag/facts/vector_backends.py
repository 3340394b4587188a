"""The vectors of collections: where each collection keeps them, and the cache of those in memory.

A collection keeps the backend that it was created with; its row names it. So processes agree without talking to each
other, also when pgvector is installed while they run. A collection's version shows changes by any process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import sqlalchemy as sa

from core.errors import ConfigError
from core.rag.facts import memory_vectors, pgvector
from core.rag.facts.document_rows import require_collection
from core.rag.facts.tables import Cosines, Floats, documents


class LoadedVectors(Protocol):
    """A collection's vectors at the time of loading, all of `dimensions`. Its length is their number."""

    @property
    def collection(self) -> int: ...

    @property
    def dimensions(self) -> int: ...

    def __len__(self) -> int: ...

    def nearest(self, db: sa.Connection, question: Floats, limit: int) -> Cosines:
        """Returns the `limit` highest cosines, or nearly those."""

    def cosines(self, db: sa.Connection, passage_ids: Sequence[int], question: Floats) -> Cosines:
        """Returns exact cosines of those passages that are in the collection."""


class VectorBackend(Protocol):
    """Stores and loads vectors. The database deletes vectors together with their passages."""

    def add(self, db: sa.Connection, collection: int, passages: Sequence[int], rows: Floats) -> None:
        """Adds a row, of length 1, for each passage."""

    def load(self, db: sa.Connection, collection: int, dimensions: int, before: LoadedVectors | None) -> LoadedVectors:
        """Loads the collection's vectors. `before`: those loaded last."""

    def index(self, db: sa.Connection, collection: int) -> None:
        """Makes searching fast after many were added. Needs a transaction of its own, because it may lock the table."""

    def unindex(self, db: sa.Connection, collection: int) -> None:
        """Undoes `index` before the collection is removed. Needs a transaction of its own."""


MEMORY, PGVECTOR = "memory", "pgvector"  # as stored in the database
BACKENDS: Mapping[str, VectorBackend] = {MEMORY: memory_vectors, PGVECTOR: pgvector}


@dataclass(frozen=True, slots=True)
class CachedVectors:
    """The vectors of one version of a collection."""

    version: int
    vectors: LoadedVectors


class VectorCache:
    """The vectors of searched collections. One per process, for several threads. `embedder`: the required embedder."""

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._cached: dict[str, CachedVectors] = {}
        self._lock = Lock()

    def load(self, db: sa.Connection, name: str, dimensions: int) -> LoadedVectors:
        """Loads the vectors. Raises NotFound; ConfigError for vectors of another embedder or of other dimensions."""
        stored = require_collection(db, name)
        with self._lock:
            cached = self._cached.get(name)
            before = cached.vectors if cached and cached.vectors.collection == stored.id else None
            if cached and before and (cached.version, before.dimensions) == (stored.version, dimensions):
                return before
            self._refuse_others(db, stored.id, name, dimensions)
            vectors = BACKENDS[stored.form].load(db, stored.id, dimensions, before)
            self._cached[name] = CachedVectors(stored.version, vectors)
            return vectors

    def _refuse_others(self, db: sa.Connection, collection: int, name: str, dimensions: int) -> None:
        others = sa.or_(documents.c.embedder != self._embedder, documents.c.dimensions != dimensions)
        query = sa.select(documents.c.embedder, documents.c.origin, documents.c.dimensions)
        other = db.execute(query.where(documents.c.collection == collection, others).limit(1)).first()
        if other is not None:
            by, origin, stored = other
            raise ConfigError(
                f"collection {name}: documents from {origin} have embeddings of {by}, but this "
                f"service uses {self._embedder}; add them again: csps-llm facts add {name} {origin}"
                if by != self._embedder
                else f"collection {name}: its embeddings have {stored} dimensions and the question's has {dimensions}: "
                "the embedder changed under its name; remove the collection and add it again"
            )
