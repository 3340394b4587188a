"""Every kind of stored data, with its tables and folders: the list that retention, deletion and exports go by.

Whoever adds a table that holds data of people adds it here, or to NOT_KEPT with the reason; a test compares this list
with the tables that the revisions make.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from core.configuration.record_section import RecordKind
from core.conversation.deletion import delete_conversations, is_conversation_held
from core.conversation.tables import conversations, exchange_ratings
from core.holds.bots import is_delivery_held, is_feedback_held
from core.receipts.store import expire as expire_receipts
from core.receipts.tables import receipts
from core.records.accesses import expire as expire_accesses
from core.records.tables import accesses, deletion_proofs
from core.statistics import tables as statistics
from core.storage import bot_tables

Condition = Callable[[], sa.ColumnElement[bool]]
Expire = Callable[[sa.Connection, float, float], int]  # what was used before a time, now; returns the number of rows


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table whose rows expire. Rows of other tables that go with them (ON DELETE CASCADE) need no entry."""

    table: sa.Table
    expire: Expire


@dataclass(frozen=True, slots=True)
class StoredFolder:
    """A folder of the data folder whose files expire: the pattern of the entries that are deleted as a whole."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Kind:
    name: RecordKind
    tables: tuple[StoredTable, ...] = ()
    folders: tuple[StoredFolder, ...] = ()


def by_age(used_at: sa.Column[float], is_held: Condition = sa.false) -> StoredTable:
    """A table whose rows are deleted by the time of their last use, unless they are held."""

    def expire(db: sa.Connection, before: float, _now: float) -> int:
        return db.execute(used_at.table.delete().where(used_at < before, sa.not_(is_held()))).rowcount

    assert isinstance(used_at.table, sa.Table)
    return StoredTable(used_at.table, expire)


def expire_conversations(db: sa.Connection, before: float, now: float) -> int:
    return delete_conversations(db, now, conversations.c.used_at < before, sa.not_(is_conversation_held()))


def expire_deliveries(db: sa.Connection, before: float, _now: float) -> int:
    old = bot_tables.deliveries.c.at < before
    count = db.execute(bot_tables.deliveries.delete().where(old, sa.not_(is_delivery_held()))).rowcount
    bot_tables.delete_unused_attempts(db)
    return count


def is_rating_held() -> sa.ColumnElement[bool]:
    """Selects the ratings in held conversations."""
    rated = conversations.c.id == exchange_ratings.c.conversation
    return sa.select(conversations.c.id).where(rated, is_conversation_held()).correlate(exchange_ratings).exists()


KINDS = (
    # Before the deliveries that they refer to.
    Kind(
        "feedback",
        (by_age(bot_tables.feedback.c.at, is_feedback_held), by_age(exchange_ratings.c.rated_at, is_rating_held)),
    ),
    Kind(
        "conversations",
        (
            StoredTable(conversations, expire_conversations),
            StoredTable(bot_tables.deliveries, expire_deliveries),
            by_age(bot_tables.one_time_notices.c.at),
            by_age(bot_tables.personality_choices.c.at),
        ),
        (StoredFolder("parcels/*/*"),),
    ),
    Kind("receipts", (StoredTable(receipts, lambda db, before, _now: expire_receipts(db, before)),)),
    Kind("jobs", folders=(StoredFolder("jobs/*/*"),)),
    Kind("pages", folders=(StoredFolder("pages/*"),)),
    # Each worker deletes its old states by itself; this covers models that no longer run.
    Kind("states", folders=(StoredFolder("suspended/*/*"),)),
    Kind(
        "accesses",
        (
            StoredTable(accesses, lambda db, before, _now: expire_accesses(db, before)),
            by_age(deletion_proofs.c.at),
        ),
    ),
    Kind("statistics", tuple(StoredTable(table, expire) for table, expire in statistics.EXPIRING)),
)

NOT_KEPT = {
    "alembic_version": "the revision of the tables",
    "api_key_days": "sums of a program's key, deleted after two months",
    "api_keys": "programs' keys, as hashes, with the times of their creation and last use",
    "bot_processes": "leases of seconds",
    "fact_collections": "documents that an operator or an editor publishes; `csps-llm facts remove` deletes them",
    "fact_documents": "as fact_collections",
    "fact_passages": "as fact_collections",
    "fact_refreshes": "one row for each collection",
    "forgotten_states": "hashes, deleted when the model process has forgotten the state",
    "held_copies": "kept until their hold is released",
    "record_hold_keys": "as record_holds",
    "record_holds": "the administrators' decisions, which explain why other rows are kept",
    "record_state": "single values",
    "resumed": "goes with its delivery",
    "turn_claims": "hashes and tokens, deleted with their turn",
    "turn_processes": "leases of seconds",
}
