"""A collection's vectors in whatever form it has them: as they are now, and only if they can be compared.

A collection keeps the form that it began with; its row says which. So processes agree without asking each other, also
when pgvector is installed while they run. Its version tells whether anything changed, in whatever process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import sqlalchemy as sa

from core.errors import ConfigError
from core.rag.facts import memory, pgvector
from core.rag.facts.documents import require
from core.rag.facts.forms import Form, Held
from core.rag.facts.tables import documents

MEMORY, PGVECTOR = "memory", "pgvector"  # in the database
FORMS: Mapping[str, Form] = {MEMORY: memory, PGVECTOR: pgvector}


@dataclass(frozen=True, slots=True)
class Read:
    """What was held of a collection at a version of it."""

    version: int
    held: Held


class VectorCache:
    """One per process; for several threads. `embedder` names whose vectors are compared."""

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._read: dict[str, Read] = {}
        self._lock = Lock()

    def load(self, db: sa.Connection, name: str, dimensions: int) -> Held:
        """As it is now. Raises NotFound, ConfigError if its vectors are another embedder's or of other dimensions."""
        stored = require(db, name)
        with self._lock:
            read = self._read.get(name)
            before = read.held if read and read.held.collection == stored.id else None
            if read and before and (read.version, before.dimensions) == (stored.version, dimensions):
                return before
            self._refuse_others(db, stored.id, name, dimensions)
            held = FORMS[stored.form].read(db, stored.id, dimensions, before)
            self._read[name] = Read(stored.version, held)
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
