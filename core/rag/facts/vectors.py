"""Passages by their embeddings: a collection's vectors, held in memory and kept as the database has them.

A collection's version tells whether anything changed, in whatever process; then only the vectors that are new are
read. 100,000 passages of 512 dimensions take 200 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from core.errors import ConfigError
from core.rag.facts.documents import require
from core.rag.facts.tables import STORED, documents, passages

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Held:
    """A collection's passages, by id, as they were at a version."""

    collection: int
    version: int
    ids: Ids
    rows: Floats

    def nearest(self, question: Floats, limit: int) -> dict[int, float]:
        """The cosine by passage, of the `limit` highest."""
        cosines = self.rows @ question
        best = np.argpartition(-cosines, limit)[:limit] if len(cosines) > limit else np.arange(len(cosines))
        return dict(zip(self.ids[best].tolist(), cosines[best].tolist(), strict=True))

    def cosines(self, wanted: Sequence[int], question: Floats) -> dict[int, float]:
        """By passage, of those that are here."""
        asked = np.array(wanted, dtype=np.int64)
        places = np.minimum(self.at(asked), len(self.ids) - 1)
        here = self.ids[places] == asked
        return dict(zip(asked[here].tolist(), (self.rows[places[here]] @ question).tolist(), strict=True))

    def at(self, ids: Ids) -> Ids:
        return np.searchsorted(self.ids, ids)


class VectorCache:
    """One per process; for several threads. `embedder` names whose vectors are compared."""

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._held: dict[int, Held] = {}
        self._lock = Lock()

    def load(self, db: sa.Connection, name: str, dimensions: int) -> Held:
        """As it is now. Raises NotFound, ConfigError if its vectors are another embedder's."""
        stored = require(db, name)
        with self._lock:
            held = self._held.get(stored.id)
            if held is None or held.version != stored.version:
                self._refuse_others(db, stored.id, name)
                held = self._held[stored.id] = read(db, stored.id, stored.version, held)
        if len(held.ids) and held.rows.shape[1] != dimensions:
            raise ConfigError(
                f"collection {name}: its embeddings have {held.rows.shape[1]} dimensions and the question's has "
                f"{dimensions}: the embedder changed under its name; remove the collection and add it again"
            )
        return held

    def _refuse_others(self, db: sa.Connection, collection: int, name: str) -> None:
        asked = sa.select(documents.c.embedder, documents.c.origin).where(
            documents.c.collection == collection, documents.c.embedder != self._embedder
        )
        if other := db.execute(asked.limit(1)).first():
            raise ConfigError(
                f"collection {name}: what was added from {other.origin} has embeddings of {other.embedder}, and this "
                f"service uses {self._embedder}; add it again: csps-llm facts add {name} {other.origin}"
            )


def read(db: sa.Connection, collection: int, version: int, before: Held | None) -> Held:
    """What `before` has is taken from there."""
    mine = passages.c.collection == collection
    listed = db.execute(sa.select(passages.c.id).where(mine).order_by(passages.c.id)).scalars().all()
    ids = np.array(listed, dtype=np.int64)
    kept = np.isin(ids, before.ids) if before is not None else np.zeros(len(ids), dtype=bool)
    fresh = read_vectors(db, mine, ids[~kept])
    if before is None or not kept.any():
        return Held(collection, version, ids, fresh)
    rows = np.empty((len(ids), before.rows.shape[1]), dtype=np.float32)
    rows[kept] = before.rows[before.at(ids[kept])]
    if len(fresh):
        rows[~kept] = fresh
    return Held(collection, version, ids, rows)


def read_vectors(db: sa.Connection, mine: sa.ColumnElement[bool], ids: Ids) -> Floats:
    """In the order of `ids`, which ascend."""
    if not len(ids):
        return np.empty((0, 0), dtype=np.float32)
    wanted = set(ids.tolist())
    since = sa.select(passages.c.id, passages.c.vector).where(mine, passages.c.id >= int(ids[0]))
    stored = [bytes(vector) for passage, vector in db.execute(since.order_by(passages.c.id)) if passage in wanted]
    return np.frombuffer(b"".join(stored), dtype=STORED).reshape(len(ids), -1).astype(np.float32)
