"""Vectors stored as bytes, which a process loads and compares in its memory. Works with every database.

Loading reads only vectors that are new since the last time. 100,000 passages of 512 dimensions take 200 MB in each
process that searches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from core.rag.facts.tables import STORED, Cosines, Floats, Id, passages, tables

Ids = NDArray[np.int64]

# The index finds a collection's rows in order, so listing its ids reads no vector.
vectors = sa.Table(
    "fact_vectors",
    tables,
    sa.Column("passage", Id, sa.ForeignKey(passages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("collection", Id, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # STORED
    sa.Index("fact_vectors_of", "collection", "passage"),
)


@dataclass(frozen=True, slots=True)
class MemoryVectors:
    """A collection's vectors by passage, in ascending order."""

    collection: int
    dimensions: int
    ids: Ids
    rows: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def nearest(self, _db: sa.Connection, question: Floats, limit: int) -> Cosines:
        cosines = self.rows @ question
        best = np.argpartition(-cosines, limit)[:limit] if len(cosines) > limit else np.arange(len(cosines))
        return dict(zip(self.ids[best].tolist(), cosines[best].tolist(), strict=True))

    def cosines(self, _db: sa.Connection, passage_ids: Sequence[int], question: Floats) -> Cosines:
        ids = np.array(passage_ids, dtype=np.int64)
        places = np.minimum(self.at(ids), len(self.ids) - 1)
        here = self.ids[places] == ids
        return dict(zip(ids[here].tolist(), (self.rows[places[here]] @ question).tolist(), strict=True))

    def at(self, ids: Ids) -> Ids:
        return np.searchsorted(self.ids, ids)


def add(db: sa.Connection, collection: int, passages: Sequence[int], rows: Floats) -> None:
    stored = [vector.tobytes() for vector in rows.astype(STORED)]
    placed = zip(passages, stored, strict=True)
    db.execute(vectors.insert(), [{"passage": at, "collection": collection, "vector": each} for at, each in placed])


def load(db: sa.Connection, collection: int, dimensions: int, before: object) -> MemoryVectors:
    """Loads the vectors, and takes those that `before` has from it."""
    mine = vectors.c.collection == collection
    passage_ids = db.execute(sa.select(vectors.c.passage).where(mine).order_by(vectors.c.passage)).scalars().all()
    ids = np.array(passage_ids, dtype=np.int64)
    rows = np.empty((len(ids), dimensions), dtype=np.float32)
    reused = np.zeros(len(ids), dtype=bool)
    if isinstance(before, MemoryVectors) and before.dimensions == dimensions:
        reused = np.isin(ids, before.ids)
        rows[reused] = before.rows[before.at(ids[reused])]
    if not reused.all():
        rows[~reused] = load_rows(db, mine, ids[~reused], dimensions)
    return MemoryVectors(collection, dimensions, ids, rows)


def load_rows(db: sa.Connection, mine: sa.ColumnElement[bool], ids: Ids, dimensions: int) -> Floats:
    """Returns the vectors in the order of `ids`, which ascend."""
    passage_ids = set(ids.tolist())
    since = sa.select(vectors.c.passage, vectors.c.vector).where(mine, vectors.c.passage >= int(ids[0]))
    rows = db.execute(since.order_by(vectors.c.passage))
    stored = b"".join(bytes(vector) for passage, vector in rows if passage in passage_ids)
    return np.frombuffer(stored, dtype=STORED).reshape(len(ids), dimensions).astype(np.float32)


def index(_db: sa.Connection, _collection: int) -> None:
    """Does nothing: a search compares all vectors."""


def unindex(_db: sa.Connection, _collection: int) -> None:
    """Does nothing, as `index` does."""
