"""What is stored of facts, but for the vectors, which `memory` and `pgvector` have. Asks it nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cosines = Mapping[int, float]  # by passage
STORED = np.float16  # half the space; cosines differ in the fourth place

tables = sa.MetaData()
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

collections = sa.Table(
    "fact_collections",
    tables,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("version", sa.BigInteger, nullable=False),  # another one whenever a passage came or went
    sa.Column("form", sa.String(16), nullable=False),  # of its vectors, in `vectors.FORMS`
    sqlite_autoincrement=True,
)
documents = sa.Table(
    "fact_documents",
    tables,
    sa.Column("id", Id, primary_key=True),
    sa.Column("collection", sa.ForeignKey("fact_collections.id", ondelete="CASCADE"), nullable=False),
    sa.Column("origin", sa.Text, nullable=False),  # what was added: a folder, a sitemap, a file, a URL
    sa.Column("key", sa.Text, nullable=False),  # what names it there: its path or URL
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("language", sa.String(2)),
    sa.Column("digest", sa.String(64), nullable=False),  # of what it was read from
    sa.Column("embedder", sa.String(200), nullable=False),
    sa.Column("dimensions", sa.Integer),  # of its vectors; none if it has no passage
    sa.Column("fetched_at", sa.Float, nullable=False),  # seconds since 1970
    sa.UniqueConstraint("collection", "key"),
    sqlite_autoincrement=True,
)
# An id is never given twice: a process that keeps vectors in memory tells by the ids what is new.
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
    """What each word of a collection begins with in the index, so that none of another one is looked at."""
    return f"c{collection}x"
