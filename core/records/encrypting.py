"""Encrypts stored texts with the first key: those from before encryption was on, and those of older keys.

In small transactions beside the running service. Several processes may do it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
import structlog

import core.conversation.tables
import core.holds.tables
import core.storage.bot_tables
from core.errors import StorageError
from core.storage import encryption
from core.storage.database import Database
from core.storage.encryption import EMPTY, EncryptedText, KeyRing

log = structlog.get_logger()

METADATA = (core.conversation.tables.tables, core.holds.tables.tables, core.storage.bot_tables.tables)
BATCH_ROWS = 100
PAUSE_S = 0.02  # between two batches: answers need the database too
RETRY_S = 60.0


def encrypted_tables() -> Iterator[tuple[sa.Table, list[str]]]:
    """The tables with encrypted columns, and the names of these columns."""
    for metadata in METADATA:
        for table in metadata.sorted_tables:
            if names := [column.name for column in table.columns if isinstance(column.type, EncryptedText)]:
                yield table, names


async def run(database: Database) -> None:
    """Encrypts what is left to encrypt, then returns. Tries again while the database refuses."""
    while database.keys and await is_pending(database):
        try:
            count = await encrypt_all(database, database.keys)
        except StorageError as exc:
            log.warning("records_not_encrypted_yet", problem=exc.message)
            await asyncio.sleep(RETRY_S)
        else:
            log.info("records_encrypted", rows=count)


async def is_pending(database: Database) -> bool:
    try:
        return await database.read(encryption.is_pending)
    except StorageError:
        return True


async def encrypt_all(database: Database, keys: KeyRing) -> int:
    """Returns the number of rows. Passes until one finds nothing: others may have written with an older key."""
    total = 0
    while count := await encrypt_once(database, keys):
        total += count
    await database.erase(lambda db: encryption.finish(db, keys.fingerprints[:1]))
    return total


async def encrypt_once(database: Database, keys: KeyRing) -> int:
    count = 0
    for table, names in encrypted_tables():
        while rows := await database.write(lambda db, table=table, names=names: encrypt_batch(db, table, names, keys)):  # type: ignore[misc]
            count += rows
            await asyncio.sleep(PAUSE_S)
    return count


def encrypt_batch(db: sa.Connection, table: sa.Table, names: list[str], keys: KeyRing) -> int:
    """Encrypts some rows that need it. Returns their number."""
    raw = sa.table(table.name, *(sa.column(column.name) for column in table.columns))
    prefix = keys.prefix
    needed = sa.or_(*(needs_key(raw.c[name], prefix) for name in names))
    rows = db.execute(sa.select(raw).where(needed).limit(BATCH_ROWS).with_for_update()).mappings().all()
    for row in rows:
        key = [raw.c[column.name] == row[column.name] for column in table.primary_key]
        db.execute(raw.update().where(*key).values({name: encrypt_again(row[name], prefix, keys) for name in names}))
    return len(rows)


def needs_key(column: sa.ColumnElement[Any], prefix: str) -> sa.ColumnElement[bool]:
    has_text = sa.and_(column.is_not(None), column.not_in(EMPTY))
    return sa.and_(has_text, sa.func.substr(column, 1, len(prefix)) != prefix)


def encrypt_again(stored: str | None, prefix: str, keys: KeyRing) -> str | None:
    if stored is None or stored in EMPTY or stored.startswith(prefix):
        return stored
    return keys.encrypt(keys.decrypt(stored) if stored.startswith(encryption.PREFIX) else stored)
