"""Vectors that PostgreSQL stores and compares, by its extension pgvector. No process holds any in memory.

Small collections are compared exactly. Large ones get an HNSW index, which finds nearly all nearest vectors in some
milliseconds. It is built after many passages were added, not during that: built at once, 10,000 passages take 6 s;
kept up to date meanwhile, four times as long.

Each collection and number of dimensions has an index of its own: pgvector cannot index several numbers of dimensions
together, and an index of all collections would find a small one by luck only.
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

# Passages of a collection. Fewer are compared exactly in 50 ms, and PostgreSQL would not use an index.
INDEX_MIN_VECTORS = 40_000
INDEX_DIMENSIONS_LIMIT = 4000  # a limit of pgvector
# Neighbours of a vector in the index, and candidates for them. pgvector's defaults, 16 and 64, build it in 40 % of the
# time; SEARCH_CANDIDATES would find 92 % instead of 96 % of the nearest ten among 40,000 passages of documentation.
# Random passages (`benchmarks.facts`) are harder: none is nearer than all others.
NEIGHBOURS, NEIGHBOUR_CANDIDATES = 24, 128
SEARCH_CANDIDATES = 600
INDEX_BYTES = 1536  # of memory for each vector while its index is built, beside the vector itself
INDEX_MEMORY_BYTES = 2**30  # with less memory than needed, building takes three times as long

halfvecs = sa.Table(
    "fact_halfvecs",
    sa.MetaData(),  # its own: the table can be created only where the extension is
    sa.Column("passage", Id, sa.ForeignKey(passages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("collection", Id, nullable=False),
    sa.Column("dimensions", sa.Integer, nullable=False),
    sa.Column("vector", HALFVEC, nullable=False),
    sa.Index("fact_halfvecs_of", "collection", "dimensions"),
)
# Stored in the row, up to a page; elsewhere, comparing vectors of 1536 dimensions takes five times as long.
STORE_INLINE = "ALTER TABLE fact_halfvecs ALTER COLUMN vector SET STORAGE MAIN"

# pgvector 0.8 is the first version that continues the search after deleted rows of the index.
USABLE = sa.text(
    "SELECT (regexp_match(extversion, '^(\\d+)\\.(\\d+)'))::int[] >= '{0,8}' AND to_regtype('halfvec') IS NOT NULL "
    "FROM pg_extension WHERE extname = 'vector'"
)
AVAILABLE = sa.text("SELECT installed_version, default_version FROM pg_available_extensions WHERE name = 'vector'")
SET_SEARCH_OPTIONS = sa.text(
    "SELECT set_config('hnsw.ef_search', :candidates, true), set_config('hnsw.iterative_scan', 'strict_order', true)"
)
# Parallel workers would share that memory, and containers have little shared memory.
SET_INDEX_OPTIONS = sa.text(
    "SELECT set_config('max_parallel_maintenance_workers', '0', true), set_config('maintenance_work_mem', "
    "greatest(pg_size_bytes(current_setting('maintenance_work_mem')), :bytes) / 1024 || 'kB', true)"
)
INDEX_NAME = re.compile(r"fact_halfvecs_(\d+)_(\d+)")


# ---------------------------------------------------------------- the extension


def create(db: sa.Connection) -> bool:
    """Creates the table if the database has a usable pgvector. Returns whether it has.

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
        log.info("pgvector_unavailable", installed=available.default_version, created=available.installed_version,
                 needed="0.8, in the search_path; as a superuser: CREATE EXTENSION vector")  # fmt: skip
    return usable


def create_extension(db: sa.Connection) -> bool:
    savepoint = db.begin_nested()
    try:
        db.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")
    except DBAPIError as exc:
        savepoint.rollback()
        log.info("pgvector_creation_failed", problem=reason(exc))
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
    """The number of vectors; they themselves are in the database."""

    collection: int
    dimensions: int
    size: int

    def __len__(self) -> int:
        return self.size

    def nearest(self, db: sa.Connection, question: Floats, limit: int) -> Cosines:
        db.execute(SET_SEARCH_OPTIONS, {"candidates": str(SEARCH_CANDIDATES)})
        query = distance_query(self.collection, question).order_by(sa.literal_column("distance"))
        return fetch_cosines(db, query.limit(limit))

    def cosines(self, db: sa.Connection, passage_ids: Sequence[int], question: Floats) -> Cosines:
        return fetch_cosines(db, distance_query(self.collection, question).where(halfvecs.c.passage.in_(passage_ids)))


def distance_query(collection: int, question: Floats) -> sa.Select[Any]:
    """Selects passages with distances: the negative cosines, because vectors have length 1."""
    kind = HALFVEC(len(question))
    # The parameter has the type of a vector: PostgreSQL would cast a text anew for every row.
    distance = sa.cast(halfvecs.c.vector, kind).op("<#>", return_type=sa.Float())(sa.literal(question, kind))
    return sa.select(halfvecs.c.passage, distance.label("distance")).where(
        halfvecs.c.collection == literal_number(collection), halfvecs.c.dimensions == literal_number(len(question))
    )


def literal_number(value: int) -> sa.ColumnElement[int]:
    """Writes the value into the statement: PostgreSQL must see that an index covers this collection."""
    return sa.literal(value, sa.Integer, literal_execute=True)


def fetch_cosines(db: sa.Connection, query: sa.Select[Any]) -> Cosines:
    return {passage: -distance for passage, distance in db.execute(query)}


# ---------------------------------------------------------------- storing


def add(db: sa.Connection, collection: int, passages: Sequence[int], rows: Floats) -> None:
    place = {"collection": collection, "dimensions": rows.shape[1]}
    placed = [{"at": at, "written": each, **place} for at, each in zip(passages, to_literals(rows), strict=True)]
    vector = sa.cast(sa.bindparam("written", type_=sa.Text), HALFVEC)
    db.execute(halfvecs.insert().values(passage=sa.bindparam("at"), vector=vector), placed)


def to_literals(rows: Floats) -> list[str]:
    """Returns PostgreSQL literals. Five digits keep a float16; pgvector's own writer takes three times as long."""
    pattern = f"[{','.join(['%.5g'] * rows.shape[1])}]"
    return [pattern % tuple(row) for row in rows.astype(STORED).tolist()]


def load(db: sa.Connection, collection: int, dimensions: int, _before: object) -> PgVectors:
    mine = sa.and_(halfvecs.c.collection == collection, halfvecs.c.dimensions == dimensions)
    counted = sa.select(sa.func.count()).select_from(halfvecs).where(mine)
    return PgVectors(collection, dimensions, db.execute(counted).scalar_one())


def index(db: sa.Connection, collection: int) -> None:
    """Builds an index for each number of dimensions with many vectors, and drops those without vectors."""
    # Adding waits for this lock, searching does not. It is taken first: two that had read before it would deadlock.
    db.exec_driver_sql("LOCK TABLE fact_halfvecs IN SHARE ROW EXCLUSIVE MODE")
    sizes = vector_counts(db, collection)
    existing = indexed_dimensions(db, collection)
    surplus = existing - sizes.keys()
    many = {each for each, size in sizes.items() if size >= INDEX_MIN_VECTORS and each <= INDEX_DIMENSIONS_LIMIT}
    for dimensions in surplus:
        drop_index(db, collection, dimensions)
    for dimensions in many - existing:
        create_index(db, collection, dimensions, sizes[dimensions])
    # PostgreSQL plans queries by its estimate of a collection's rows.
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
    """Counts the vectors by their number of dimensions."""
    counted = sa.select(halfvecs.c.dimensions, sa.func.count().label("size"))
    mine = counted.where(halfvecs.c.collection == collection)
    return {row.dimensions: row.size for row in db.execute(mine.group_by(halfvecs.c.dimensions))}


def indexed_dimensions(db: sa.Connection, collection: int) -> set[int]:
    """Returns the numbers of dimensions with an index of this collection."""
    names = (INDEX_NAME.fullmatch(each["name"] or "") for each in sa.inspect(db).get_indexes(halfvecs.name))
    return {int(name[2]) for name in names if name and int(name[1]) == collection}


def index_name(collection: int, dimensions: int) -> str:
    return f"fact_halfvecs_{collection:d}_{dimensions:d}"
