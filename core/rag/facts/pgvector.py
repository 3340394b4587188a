"""Vectors that PostgreSQL keeps and compares, by its extension pgvector: no process holds any.

Small collections are compared exactly. Large ones get an HNSW index, which finds nearly all of the nearest in some
milliseconds. It is made when many passages have been added and not before: made at once, 10,000 of them take 6 s;
kept up while they come, four times as long.

A collection has an index of its own, over its vectors of one number of dimensions, because pgvector indexes no others
together and because in an index of all collections, a small one would be found by luck.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
import structlog
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from core.rag.facts.tables import STORED, Cosines, Floats, Id, passages
from core.storage.database import lock_schema, reason

log = structlog.get_logger()

# Passages of a collection. Fewer are compared in 50 ms, and none is missed; with an index, PostgreSQL would not use it.
INDEX_MIN_VECTORS = 40_000
INDEX_DIMENSIONS_LIMIT = 4000  # pgvector indexes no more
# The neighbours of a vector in the index, and the candidates for them. With pgvector's own 16 and 64 it is made in 40 %
# of the time; of the nearest ten among 40,000 passages of documentation, a question's LOOKED_AT candidates would
# then find 92 % instead of 96 %. Made-up passages (`benchmarks.facts`) are harder: none is nearer than all the others.
NEIGHBOURS, NEIGHBOUR_CANDIDATES = 24, 128
SEARCH_CANDIDATES = 600
INDEX_BYTES = 1536  # of memory for a vector while its index is made, beside itself
INDEX_MEMORY_BYTES = 2**30  # beyond that, it takes three times as long

halfvecs = sa.Table(
    "fact_halfvecs",
    sa.MetaData(),  # of its own: it can be created only where the extension is
    sa.Column("passage", Id, sa.ForeignKey(passages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("collection", Id, nullable=False),
    sa.Column("dimensions", sa.Integer, nullable=False),
    sa.Column("vector", HALFVEC, nullable=False),
    sa.Index("fact_halfvecs_of", "collection", "dimensions"),
)
# In the row, up to a page; elsewhere, to compare vectors of 1536 dimensions would take five times as long.
STORE_INLINE = "ALTER TABLE fact_halfvecs ALTER COLUMN vector SET STORAGE MAIN"

# 0.8 is the first that goes on searching an index when what it found there has been deleted since.
USABLE = sa.text(
    "SELECT (regexp_match(extversion, '^(\\d+)\\.(\\d+)'))::int[] >= '{0,8}' AND to_regtype('halfvec') IS NOT NULL "
    "FROM pg_extension WHERE extname = 'vector'"
)
AVAILABLE = sa.text("SELECT installed_version, default_version FROM pg_available_extensions WHERE name = 'vector'")
SET_SEARCH_OPTIONS = sa.text(
    "SELECT set_config('hnsw.ef_search', :candidates, true), set_config('hnsw.iterative_scan', 'strict_order', true)"
)
# Workers would share that memory, and containers have little that is shared.
SET_INDEX_OPTIONS = sa.text(
    "SELECT set_config('max_parallel_maintenance_workers', '0', true), set_config('maintenance_work_mem', "
    "greatest(pg_size_bytes(current_setting('maintenance_work_mem')), :bytes) / 1024 || 'kB', true)"
)
INDEX_NAME = re.compile(r"fact_halfvecs_(\d+)_(\d+)")


# ---------------------------------------------------------------- whether it is there


def create(db: sa.Connection) -> bool:
    """Creates the table if the database has a pgvector that can be used. False if it has not.

    Not a revision of the schema: the extension may come at any time. Several processes may call it at once.
    """
    if db.dialect.name != postgresql.dialect.name:
        return False
    lock_schema(db)
    if not is_usable(db):
        return False
    if not sa.inspect(db).has_table(halfvecs.name):
        halfvecs.create(db)
        db.exec_driver_sql(STORE_INLINE)
    return True


def is_usable(db: sa.Connection) -> bool:
    """Creates the extension if it is installed and this user may."""
    available = db.execute(AVAILABLE).first()
    if available is None:
        return False
    usable = bool(db.execute(USABLE).scalar()) if available.installed_version else create_extension(db)
    if not usable:
        log.info("pgvector_not_used", installed=available.default_version, created=available.installed_version,
                 needed="0.8, in a schema of the search_path, created by who may: CREATE EXTENSION vector")  # fmt: skip
    return usable


def create_extension(db: sa.Connection) -> bool:
    savepoint = db.begin_nested()
    try:
        db.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
    except DBAPIError as exc:
        savepoint.rollback()
        log.info("pgvector_not_created", problem=reason(exc))
        return False
    usable = bool(db.execute(USABLE).scalar())
    if usable:
        savepoint.commit()
    else:
        savepoint.rollback()
    return usable


# ---------------------------------------------------------------- comparing


@dataclass(frozen=True, slots=True)
class PgVectors:
    """How many there were; they themselves are in the database."""

    collection: int
    dimensions: int
    size: int

    def __len__(self) -> int:
        return self.size

    def nearest(self, db: sa.Connection, question: Floats, limit: int) -> Cosines:
        db.execute(SET_SEARCH_OPTIONS, {"candidates": str(SEARCH_CANDIDATES)})
        return fetch_cosines(db, nearest_query(self.collection, question, limit))

    def cosines(self, db: sa.Connection, wanted: Sequence[int], question: Floats) -> Cosines:
        return fetch_cosines(db, distance_query(self.collection, question).where(halfvecs.c.passage.in_(wanted)))


def nearest_query(collection: int, question: Floats, limit: int) -> sa.Select[Any]:
    """Lowest distances first."""
    asked = distance_query(collection, question)
    return asked.order_by(sa.literal_column("distance")).limit(limit)


def distance_query(collection: int, question: Floats) -> sa.Select[Any]:
    """Passages with their distances, which are their cosines with the sign turned, as vectors have length 1."""
    kind = HALFVEC(len(question))
    # A vector and not a text that is cast to one: that PostgreSQL would do again for every row.
    distance = sa.cast(halfvecs.c.vector, kind).op("<#>", return_type=sa.Float())(sa.literal(question, kind))
    return sa.select(halfvecs.c.passage, distance.label("distance")).where(
        halfvecs.c.collection == literal_number(collection), halfvecs.c.dimensions == literal_number(len(question))
    )


def literal_number(value: int) -> sa.ColumnElement[int]:
    """In the statement itself: PostgreSQL must see that an index is of this collection."""
    return sa.literal(value, sa.Integer, literal_execute=True)


def fetch_cosines(db: sa.Connection, asked: sa.Select[Any]) -> Cosines:
    return {passage: -distance for passage, distance in db.execute(asked)}


# ---------------------------------------------------------------- keeping


def add(db: sa.Connection, collection: int, passages: Sequence[int], rows: Floats) -> None:
    place = {"collection": collection, "dimensions": rows.shape[1]}
    placed = [{"at": at, "written": each, **place} for at, each in zip(passages, to_literals(rows), strict=True)]
    vector = sa.cast(sa.bindparam("written", type_=sa.Text), HALFVEC)
    db.execute(halfvecs.insert().values(passage=sa.bindparam("at"), vector=vector), placed)


def to_literals(rows: Floats) -> list[str]:
    """As PostgreSQL reads them; pgvector's own writer takes three times as long. Five digits tell any STORED."""
    pattern = f"[{','.join(['%.5g'] * rows.shape[1])}]"
    return [pattern % tuple(row) for row in rows.astype(STORED).tolist()]


def load(db: sa.Connection, collection: int, dimensions: int, _before: object) -> PgVectors:
    mine = sa.and_(halfvecs.c.collection == collection, halfvecs.c.dimensions == dimensions)
    counted = sa.select(sa.func.count()).select_from(halfvecs).where(mine)
    return PgVectors(collection, dimensions, db.execute(counted).scalar_one())


def index(db: sa.Connection, collection: int) -> None:
    """One for each number of dimensions that many vectors have, or that had one and has vectors still."""
    # Adding waits meanwhile, and searching does not. It comes first: two who had read already could not both go on.
    db.exec_driver_sql("LOCK TABLE fact_halfvecs IN SHARE ROW EXCLUSIVE MODE")
    sizes = vector_counts(db, collection)
    there = indexed_dimensions(db, collection)
    surplus = there - sizes.keys()
    many = {each for each, size in sizes.items() if size >= INDEX_MIN_VECTORS and each <= INDEX_DIMENSIONS_LIMIT}
    for dimensions in surplus:
        drop_index(db, collection, dimensions)
    for dimensions in many - there:
        create_index(db, collection, dimensions, sizes[dimensions])
    # Plans go by how many rows are thought to be a collection's.
    db.exec_driver_sql("ANALYZE fact_halfvecs (collection, dimensions)")


def create_index(db: sa.Connection, collection: int, dimensions: int, size: int) -> None:
    needed = size * (dimensions * np.dtype(STORED).itemsize + INDEX_BYTES)
    db.execute(SET_INDEX_OPTIONS, {"bytes": min(needed, INDEX_MEMORY_BYTES)})
    db.exec_driver_sql(
        f"CREATE INDEX IF NOT EXISTS {index_name(collection, dimensions)} ON fact_halfvecs "
        f"USING hnsw ((vector::halfvec({dimensions:d})) halfvec_ip_ops) "
        f"WITH (m = {NEIGHBOURS:d}, ef_construction = {NEIGHBOUR_CANDIDATES:d}) "
        f"WHERE collection = {collection:d} AND dimensions = {dimensions:d}"
    )
    log.info("facts_indexed", collection=collection, dimensions=dimensions, passages=size)


def unindex(db: sa.Connection, collection: int) -> None:
    for dimensions in indexed_dimensions(db, collection):
        drop_index(db, collection, dimensions)


def drop_index(db: sa.Connection, collection: int, dimensions: int) -> None:
    db.exec_driver_sql(f"DROP INDEX IF EXISTS {index_name(collection, dimensions)}")


def vector_counts(db: sa.Connection, collection: int) -> dict[int, int]:
    """The number of vectors by the number of their dimensions."""
    counted = sa.select(halfvecs.c.dimensions, sa.func.count().label("size"))
    mine = counted.where(halfvecs.c.collection == collection)
    return {row.dimensions: row.size for row in db.execute(mine.group_by(halfvecs.c.dimensions))}


def indexed_dimensions(db: sa.Connection, collection: int) -> set[int]:
    """The numbers of dimensions that the collection has an index for."""
    names = (INDEX_NAME.fullmatch(each["name"] or "") for each in sa.inspect(db).get_indexes(halfvecs.name))
    return {int(name[2]) for name in names if name and int(name[1]) == collection}


def index_name(collection: int, dimensions: int) -> str:
    return f"fact_halfvecs_{collection:d}_{dimensions:d}"
