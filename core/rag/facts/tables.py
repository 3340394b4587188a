"""What is stored of facts, and what full text needs in each database. Creates it; asks it nothing.

Full text is kept by the database itself, from the column `stems`: by triggers in SQLite, by an index in PostgreSQL. So
there is no moment at which a passage is stored and not found, or found and not stored, whenever a process is killed.
"""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.storage import Database

STORED = np.float16  # vectors: half the space; cosines differ in the fourth place

tables = sa.MetaData()
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

collections = sa.Table(
    "fact_collections",
    tables,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("version", sa.BigInteger, nullable=False),  # another one whenever a passage came or went
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
    sa.Column("collection", sa.ForeignKey("fact_collections.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("link", sa.Text),
    sa.Column("stems", sa.Text, nullable=False),  # of title, heading and text, each after `word_mark`
    sa.Column("vector", sa.LargeBinary, nullable=False),  # STORED
    sqlite_autoincrement=True,
)

FULL_TEXT = {
    sqlite.dialect.name: (
        "CREATE VIRTUAL TABLE IF NOT EXISTS fact_words USING fts5("
        "stems, content='fact_passages', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
        "CREATE VIRTUAL TABLE IF NOT EXISTS fact_word_counts USING fts5vocab('fact_words', 'row')",
        "CREATE TRIGGER IF NOT EXISTS fact_passages_added AFTER INSERT ON fact_passages BEGIN "
        "INSERT INTO fact_words(rowid, stems) VALUES (new.id, new.stems); END",
        "CREATE TRIGGER IF NOT EXISTS fact_passages_removed AFTER DELETE ON fact_passages BEGIN "
        "INSERT INTO fact_words(fact_words, rowid, stems) VALUES ('delete', old.id, old.stems); END",
    ),
    postgresql.dialect.name: (
        "CREATE INDEX IF NOT EXISTS fact_passages_words ON fact_passages USING gin (to_tsvector('simple', stems))",
    ),
}
CREATION_LOCK = 8_262_015  # PostgreSQL's "IF NOT EXISTS" is not safe for two at once


def word_mark(collection: int) -> str:
    """What each word of a collection begins with in the index, so that none of another one is looked at."""
    return f"c{collection}x"


async def create(database: Database) -> None:
    """Creates what is not there yet; several processes may do so at once."""

    def work(db: sa.Connection) -> None:
        if db.dialect.name == postgresql.dialect.name:
            db.execute(sa.select(sa.func.pg_advisory_xact_lock(CREATION_LOCK)))
        tables.create_all(db)
        for statement in FULL_TEXT[db.dialect.name]:
            db.exec_driver_sql(statement)

    await database.write(work)
