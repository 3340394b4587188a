"""A collection's vectors in whatever form it has them: as they are now, and only if they can be compared.

A collection keeps the form that it began with; its row says which. So processes agree without asking each other, also
when pgvector is installed while they run. Its version tells whether anything changed, in whatever process.
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
    """A collection's vectors as they were when it was read, all of `dimensions`. Its length is their number."""

    @property
    def collection(self) -> int: ...

    @property
    def dimensions(self) -> int: ...

    def __len__(self) -> int: ...

    def nearest(self, db: sa.Connection, question: Floats, limit: int) -> Cosines:
        """Of the `limit` highest, or of nearly those."""
        ...

    def cosines(self, db: sa.Connection, wanted: Sequence[int], question: Floats) -> Cosines:
        """Of those passages that are here; exact."""
        ...


class VectorBackend(Protocol):
    """Vectors vanish with their passages; the database sees to that."""

    def add(self, db: sa.Connection, collection: int, passages: Sequence[int], rows: Floats) -> None:
        """A row, of length 1, for each passage."""
        ...

    def load(self, db: sa.Connection, collection: int, dimensions: int, before: LoadedVectors | None) -> LoadedVectors:
        """`before` is what was read last of this collection."""
        ...

    def index(self, db: sa.Connection, collection: int) -> None:
        """When many were added: what makes searching them fast. A transaction by itself, as it may lock the table."""
        ...

    def unindex(self, db: sa.Connection, collection: int) -> None:
        """Before a collection is removed: takes back `index`. A transaction by itself."""
        ...


MEMORY, PGVECTOR = "memory", "pgvector"  # in the database
BACKENDS: Mapping[str, VectorBackend] = {MEMORY: memory_vectors, PGVECTOR: pgvector}


@dataclass(frozen=True, slots=True)
class CachedVectors:
    """What was held of a collection at a version of it."""

    version: int
    held: LoadedVectors


class VectorCache:
    """One per process; for several threads. `embedder` names whose vectors are compared."""

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._read: dict[str, CachedVectors] = {}
        self._lock = Lock()

    def load(self, db: sa.Connection, name: str, dimensions: int) -> LoadedVectors:
        """As it is now. Raises NotFound, ConfigError if its vectors are another embedder's or of other dimensions."""
        stored = require_collection(db, name)
        with self._lock:
            read = self._read.get(name)
            before = read.held if read and read.held.collection == stored.id else None
            if read and before and (read.version, before.dimensions) == (stored.version, dimensions):
                return before
            self._refuse_others(db, stored.id, name, dimensions)
            held = BACKENDS[stored.form].load(db, stored.id, dimensions, before)
            self._read[name] = CachedVectors(stored.version, held)
            return held

    def _refuse_others(self, db: sa.Connection, collection: int, name: str, dimensions: int) -> None:
        others = sa.or_(documents.c.embedder != self._embedder, documents.c.dimensions != dimensions)
        asked = sa.select(documents.c.embedder, documents.c.origin, documents.c.dimensions)
        other = db.execute(asked.where(documents.c.collection == collection, others).limit(1)).first()
        if other is not None:
            by, origin, stored = other
            raise ConfigError(
                f"collection {name}: what was added from {origin} has embeddings of {by}, and this "
                f"service uses {self._embedder}; add it again: csps-llm facts add {name} {origin}"
                if by != self._embedder
                else f"collection {name}: its embeddings have {stored} dimensions and the question's has {dimensions}: "
                "the embedder changed under its name; remove the collection and add it again"
            )
