"""The tables of version 0.1.0.

Creates those that are missing. Before revisions existed, each process created its own tables. A database of that time
has all or some of them, and is adopted if they are the same as these.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pgvector.sqlalchemy import HALFVEC

from core.errors import ConfigError

revision = "0001"
down_revision = None

TABLES = sa.MetaData()
Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

# ---------------------------------------------------------------- conversations

sa.Table(
    "conversations",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("personality", sa.String(100), nullable=False),
    sa.Column("user_key", sa.String(64)),
    sa.Column("context", sa.Text),
    sa.Column("used_at", sa.Float, nullable=False, index=True),
    sa.UniqueConstraint("key", "personality"),
)
sa.Table(
    "turns",
    TABLES,
    sa.Column("conversation", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("attachments", sa.Text, nullable=False),
    sa.Column("heard", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("reason", sa.String(16)),
)
sa.Table(
    "turn_sources",
    TABLES,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sources", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
sa.Table(
    "turn_keys",
    TABLES,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(["conversation", "number"], ["turns.conversation", "turns.number"], ondelete="CASCADE"),
)
sa.Table(
    "readings",
    TABLES,
    sa.Column("conversation", sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("reading", sa.Text, nullable=False),
)

# ---------------------------------------------------------------- bots

sa.Table(
    "deliveries",
    TABLES,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("event", sa.String(64), nullable=False, unique=True),
    sa.Column("answer", sa.String(40), nullable=False, index=True),
    sa.Column("platform", sa.String(16), nullable=False),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("conversation", sa.String(64), nullable=False, index=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("process", sa.String(16), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("refs", sa.Text, nullable=False),
    sa.Column("heard", sa.Text),
    sa.Column("uploaded", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
sa.Table(
    "feedback",
    TABLES,
    sa.Column("answer", sa.String(40), primary_key=True),
    sa.Column("speaker", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(8), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
sa.Table(
    "acquaintances",
    TABLES,
    sa.Column("speaker", sa.String(64), primary_key=True),
    sa.Column("told", sa.String(16), primary_key=True),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
sa.Table(
    "chosen",
    TABLES,
    sa.Column("conversation", sa.String(64), primary_key=True),
    sa.Column("workspace", sa.String(64), nullable=False, index=True),
    sa.Column("personality", sa.String(100), nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
sa.Table(
    "resumed",
    TABLES,
    sa.Column("answer", sa.String(40), primary_key=True),
    sa.Column("times", sa.Integer, nullable=False),
)

# ---------------------------------------------------------------- facts

sa.Table(
    "fact_collections",
    TABLES,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("form", sa.String(16), nullable=False),
    sqlite_autoincrement=True,
)
sa.Table(
    "fact_documents",
    TABLES,
    sa.Column("id", Id, primary_key=True),
    sa.Column("collection", sa.ForeignKey("fact_collections.id", ondelete="CASCADE"), nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("language", sa.String(2)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("embedder", sa.String(200), nullable=False),
    sa.Column("dimensions", sa.Integer),
    sa.Column("fetched_at", sa.Float, nullable=False),
    sa.UniqueConstraint("collection", "key"),
    sqlite_autoincrement=True,
)
sa.Table(
    "fact_passages",
    TABLES,
    sa.Column("id", Id, primary_key=True),
    sa.Column("document", sa.ForeignKey("fact_documents.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("heading", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("link", sa.Text),
    sa.Column("stems", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Table(
    "fact_vectors",
    TABLES,
    sa.Column(
        "passage", Id, sa.ForeignKey("fact_passages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("collection", Id, nullable=False),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Index("fact_vectors_of", "collection", "passage"),
)
# Compared with what is there, and not created: the fact store creates it where the server has pgvector.
HALFVECS = sa.Table(
    "fact_halfvecs",
    TABLES,
    sa.Column(
        "passage", Id, sa.ForeignKey("fact_passages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("collection", Id, nullable=False),
    sa.Column("dimensions", sa.Integer, nullable=False),
    sa.Column("vector", HALFVEC, nullable=False),
    sa.Index("fact_halfvecs_of", "collection", "dimensions"),
)
# The database itself keeps full text, from the column `stems`: by triggers in SQLite, by an index in PostgreSQL. So
# there is no moment at which a passage is stored and not found, or found and not stored, whenever a process is killed.
FULL_TEXT = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS fact_words USING fts5("
        "stems, content='fact_passages', content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
        "CREATE VIRTUAL TABLE IF NOT EXISTS fact_word_counts USING fts5vocab('fact_words', 'row')",
        "CREATE TRIGGER IF NOT EXISTS fact_passages_added AFTER INSERT ON fact_passages BEGIN "
        "INSERT INTO fact_words(rowid, stems) VALUES (new.id, new.stems); END",
        "CREATE TRIGGER IF NOT EXISTS fact_passages_removed AFTER DELETE ON fact_passages BEGIN "
        "INSERT INTO fact_words(fact_words, rowid, stems) VALUES ('delete', old.id, old.stems); END",
    ),
    "postgresql": (
        # Without fastupdate's list of entries that are not indexed yet, which each word of a question would search.
        "CREATE INDEX IF NOT EXISTS fact_passages_words ON fact_passages USING gin (to_tsvector('simple', stems)) "
        "WITH (fastupdate = off)",
    ),
}


def upgrade() -> None:
    """Raises ConfigError if a table has one of these names and another form."""
    db = op.get_bind()
    existing = TABLES.tables.keys() & set(sa.inspect(db).get_table_names())
    if other := sorted(differing(db, existing)) if existing else ():
        raise ConfigError(
            f"DATABASE_URL: the tables {', '.join(other)} are not those of csps-llm 0.1.0, so this version cannot use "
            "them. If they are another program's, use a database of its own for csps-llm. If an earlier state of "
            "csps-llm made them, rename or delete them, then start again"
        )
    TABLES.create_all(db, tables=[table for table in TABLES.sorted_tables if table is not HALFVECS])
    for statement in FULL_TEXT[db.dialect.name]:
        db.exec_driver_sql(statement)


def differing(db: sa.Connection, existing: set[str]) -> set[str]:
    """The existing tables that lack something, have another type, or have a column or constraint too many."""
    indexes = {index.name for table in TABLES.tables.values() for index in table.indexes}

    def is_compared(name: str | None, kind: str, _parents: Any) -> bool:
        # Not an index that an operator added.
        return {"table": name in existing, "index": name in indexes}.get(kind, True)

    context = MigrationContext.configure(db, opts={"include_name": is_compared})
    differences = (each[0] if isinstance(each, list) else each for each in compare_metadata(context, TABLES))
    return {table_of(each) for each in differences} & existing


def table_of(difference: Any) -> str:
    """The table that a difference, as Alembic writes it, is about."""
    subject = difference[2] if difference[1] is None else difference[1]
    name = subject if isinstance(subject, str) else getattr(subject, "table", subject).name
    return str(name)
