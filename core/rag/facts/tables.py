"""The tables of facts, except the vectors', which are in `memory_vectors` and `pgvector`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cosines = Mapping[int, float]  # by passage
STORED = np.float16  # half the space of float32; cosines differ in the fourth decimal

tables = sa.MetaData()
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

collections = sa.Table(
    "fact_collections",
    tables,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("version", sa.BigInteger, nullable=False),  # raised whenever a passage is added or removed
    sa.Column("form", sa.String(16), nullable=False),  # of its vectors: a key of `vector_backends.BACKENDS`
    sqlite_autoincrement=True,
)
documents = sa.Table(
    "fact_documents",
    tables,
    sa.Column("id", Id, primary_key=True),
    sa.Column("collection", sa.ForeignKey("fact_collections.id", ondelete="CASCADE"), nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # a folder, a sitemap, a file or a URL
    sa.Column("key", sa.Text, nullable=False),  # its path or URL in the origin
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("language", sa.String(2)),
    sa.Column("digest", sa.String(64), nullable=False),  # of the content that was read
    sa.Column("embedder", sa.String(200), nullable=False),
    sa.Column("dimensions", sa.Integer),  # of its vectors; NULL without passages
    sa.Column("fetched_at", sa.Float, nullable=False),  # seconds since 1970
    sa.Column("added_by", sa.String(64)),  # the hash of the person who added it; NULL: it came by an origin
    sa.UniqueConstraint("collection", "key"),
    sqlite_autoincrement=True,
)
# The collections of config/facts.toml; `refresh_ledger` explains the columns.
refreshes = sa.Table(
    "fact_refreshes",
    tables,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("succeeded_at", sa.Float),  # seconds since 1970 by the database's clock, as the next ones
    sa.Column("failed_at", sa.Float),
    sa.Column("problem", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("retry_at", sa.Float),
    sa.Column("holder", sa.String(16)),
    sa.Column("held_until", sa.Float),
    sa.Column("origins", sa.Text, nullable=False),  # JSON: the names of origins at the last success
)
# An id is never reused: a process that caches vectors recognises new ones by their ids.
passages = sa.Table(
    "fact_passages",
    tables,
    sa.Column("id", Id, primary_key=True),
    sa.Column("document", sa.ForeignKey("fact_documents.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),  # in reading order, from 0
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("link", sa.Text),
    sa.Column("stems", sa.Text, nullable=False),  # of title, heading and text, each after `word_mark`
    sqlite_autoincrement=True,
)


def word_mark(collection: int) -> str:
    """Returns the prefix of the collection's words in the index, which keeps searches out of other collections."""
    return f"c{collection}x"
