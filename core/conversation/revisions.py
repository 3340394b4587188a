"""Keeps the exchange that a revised question replaces, until it is sure that the new question is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.conversation.exchanges import ExchangeKey
from core.conversation.tables import (
    conversations,
    exchange_documents,
    exchange_keys,
    exchange_matches,
    exchange_ratings,
    exchange_sources,
    exchanges,
    lead_documents,
)
from core.storage.database import Database

PARTS = (exchanges, exchange_sources, exchange_documents, exchange_ratings, exchange_keys)  # the first has the others

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """All rows of an exchange, and the lead context if it is the first of its conversation."""

    key: ExchangeKey
    rows: tuple[Rows, ...]  # of each table of PARTS
    context: str | None
    lead_documents: Rows


async def copy_exchange(database: Database, key: ExchangeKey) -> StoredExchange:
    def read(db: sa.Connection) -> StoredExchange:
        rows = tuple(select_rows(db, table, *exchange_matches(key, table)) for table in PARTS)
        context = db.execute(sa.select(conversations.c.context).where(conversations.c.id == key.conversation)).scalar()
        lead = select_rows(db, lead_documents, lead_documents.c.conversation == key.conversation)
        return StoredExchange(key, rows, context, lead)

    return await database.read(read)


async def put_back(database: Database, stored: StoredExchange) -> None:
    """Puts an exchange in the place of the one that replaced it. Does nothing if that one is gone."""
    key = stored.key

    def write(db: sa.Connection) -> None:
        if not db.execute(exchanges.delete().where(*exchange_matches(key))).rowcount:
            return  # the conversation was deleted meanwhile
        for table, rows in zip(PARTS, stored.rows, strict=True):
            insert_rows(db, table, rows)
        if key.number == 1:
            this = conversations.c.id == key.conversation
            db.execute(conversations.update().where(this).values(context=stored.context))
            db.execute(lead_documents.delete().where(lead_documents.c.conversation == key.conversation))
            insert_rows(db, lead_documents, stored.lead_documents)

    await database.write(write, repeatable=True)


def select_rows(db: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> Rows:
    return [dict(row) for row in db.execute(sa.select(table).where(*where)).mappings()]


def insert_rows(db: sa.Connection, table: sa.Table, rows: Rows) -> None:
    if rows:
        db.execute(table.insert(), rows)
