"""Creates what facts are stored in, and says which form new collections' vectors take there.

Full text is kept by the database itself, from the column `stems`: by triggers in SQLite, by an index in PostgreSQL. So
there is no moment at which a passage is stored and not found, or found and not stored, whenever a process is killed.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from core.rag.facts import pgvector
from core.rag.facts.tables import tables
from core.rag.facts.vectors import MEMORY, PGVECTOR
from core.storage.database import Database, lock_creation

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
        # Without fastupdate's list of what is not indexed yet, which every word of a question would be looked for in.
        "CREATE INDEX IF NOT EXISTS fact_passages_words ON fact_passages USING gin (to_tsvector('simple', stems)) "
        "WITH (fastupdate = off)",
    ),
}


async def create(database: Database) -> str:
    """Creates what is not there yet; several processes may do so at once. The form of new collections."""
    return await database.write(created)


def created(db: sa.Connection) -> str:
    lock_creation(db)
    tables.create_all(db)
    for statement in FULL_TEXT[db.dialect.name]:
        db.exec_driver_sql(statement)
    return PGVECTOR if pgvector.create(db) else MEMORY
