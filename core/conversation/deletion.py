"""Deletes conversations: keeps copies of held ones, and records that model processes are to forget their states.

Every deletion of conversations goes through `delete_conversations`.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

from core.conversation import forgotten_states
from core.conversation.exchanges import ExchangeKey
from core.conversation.tables import (
    conversations,
    exchange_documents,
    exchange_matches,
    exchange_ratings,
    exchange_sources,
    exchanges,
    lead_documents,
)
from core.holds.bots import is_in_held_conversation
from core.holds.conditions import any_hold, is_held
from core.holds.copies import CopyKind, Rows, keep_copy, select_rows
from core.storage.bot_tables import deliveries

ADDRESS = re.compile(r"""https?://[^\s"'<>\\]+""")
PARTS = (exchanges, exchange_sources, exchange_documents, exchange_ratings)


def delete_conversations(db: sa.Connection, now: float, *matching: sa.ColumnElement[bool]) -> int:
    """Returns the number of deleted conversations."""
    if any_hold(db):
        for row in select_rows(db, conversations, *matching, is_conversation_held()):
            copy_conversation(db, row["id"], now)
    deletion = conversations.delete().where(*matching).returning(conversations.c.key, conversations.c.personality)
    rows = db.execute(deletion).all()
    forgotten_states.record(db, (forgotten_states.cache_key(*row) for row in rows), now)
    return len(rows)


def addresses_of(db: sa.Connection, *matching: sa.ColumnElement[bool]) -> set[str]:
    """The addresses that conversations name, or that their answers are based on."""
    theirs = sa.select(conversations.c.id).where(*matching)
    addresses: set[str] = set()
    for column in (exchanges.c.question, exchange_sources.c.sources, lead_documents.c.reading):
        assert isinstance(column.table, sa.Table)
        for text in db.execute(sa.select(column).where(column.table.c.conversation.in_(theirs))).scalars():
            addresses.update(match.rstrip(".,;:!?)") for match in ADDRESS.findall(text))
    return addresses


def is_conversation_held() -> sa.ColumnElement[bool]:
    columns = conversations.c
    return sa.or_(
        is_held(columns.used_at, columns.user_key, columns.key), is_in_held_conversation(columns.key, columns.used_at)
    )


def copy_conversation(db: sa.Connection, conversation: int, now: float) -> None:
    parts = {table.name: select_rows(db, table, table.c.conversation == conversation) for table in PARTS}
    lead = select_rows(db, lead_documents, lead_documents.c.conversation == conversation)
    keep(db, "conversation", conversation, {**parts, lead_documents.name: lead}, now)


def copy_held_exchange(db: sa.Connection, key: ExchangeKey, now: float) -> None:
    """Keeps a copy of an exchange that is about to be replaced or withdrawn, if its conversation is held."""
    this = conversations.c.id == key.conversation
    if any_hold(db) and select_rows(db, conversations, this, is_conversation_held()):
        parts = {table.name: select_rows(db, table, *exchange_matches(key, table)) for table in PARTS}
        keep(db, "exchange", key.conversation, parts, now)


def keep(db: sa.Connection, kind: CopyKind, conversation: int, parts: dict[str, Rows], now: float) -> None:
    [row] = select_rows(db, conversations, conversations.c.id == conversation)
    asked = sa.select(deliveries.c.author).where(deliveries.c.conversation == row["key"]).distinct()
    keys = (row["key"], row["user_key"], *db.execute(asked).scalars())
    keep_copy(db, kind, keys, row["used_at"], {conversations.name: [row], **parts}, now)
