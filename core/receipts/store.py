"""Keeps receipts: with their conversations, or by days of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from core.contract import Ending
from core.conversation.exchanges import ExchangeKey
from core.conversation.tables import exchanges
from core.errors import StorageError
from core.receipts.draft import ReceiptDraft
from core.receipts.receipt import Receipt, parse_receipt, plain_id
from core.receipts.tables import receipts
from core.storage.database import Database, put

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReceiptPolicy:
    """`follows_conversation`: a receipt is deleted with it, not after days of its own (`core.records.kinds`).

    `unstored`: answers without a stored conversation have one too.
    """

    follows_conversation: bool = True
    unstored: bool = True


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """`exchange`: of the answer; None: it was never stored, or is deleted, or another answer replaced it."""

    receipt: Receipt
    exchange: ExchangeKey | None = None


class ReceiptStore:
    """One per engine. Every method may raise StorageError."""

    def __init__(self, database: Database, policy: ReceiptPolicy | None = None) -> None:
        self.policy = policy or ReceiptPolicy()
        self._database = database

    async def keep_unstored(self, draft: ReceiptDraft, reason: Ending = "stop") -> str | None:
        """Stores the receipt of an answer whose conversation is not stored. The receipt's id; None: none is kept.

        A full disk must not take an answer from a person that is not stored anyway.
        """
        if not self.policy.unstored:
            return None
        try:
            await self._database.write(lambda db: insert(db, draft.finish(reason, is_stored=False), None))
        except StorageError as exc:
            log.warning("receipt_store_failed", problem=exc.message)
            return None
        return draft.id

    def insert(self, db: sa.Connection, receipt: Receipt, conversation: int) -> None:
        """Stores the receipt of an exchange, in the transaction that stores its answer."""
        insert(db, receipt, conversation if self.policy.follows_conversation else None)

    async def load(self, receipt: str) -> StoredReceipt | None:
        """The receipt of this id, or of the object of /v1 with this id. None: there is none."""
        return await self._database.read(lambda db: find(db, plain_id(receipt)))


def insert(db: sa.Connection, receipt: Receipt, conversation: int | None) -> None:
    """Replaces the receipt of an answer that was generated again in its place."""
    content = json.dumps(receipt.to_json(), ensure_ascii=False)
    put(db, receipts, {"id": receipt.id, "conversation": conversation, "at": receipt.done_at, "receipt": content})


def find(db: sa.Connection, receipt: str) -> StoredReceipt | None:
    content = db.execute(sa.select(receipts.c.receipt).where(receipts.c.id == receipt)).scalar()
    if content is None:
        return None
    answer = sa.select(exchanges.c.conversation, exchanges.c.number).where(exchanges.c.receipt == receipt)
    row = db.execute(answer).first()
    return StoredReceipt(parse_receipt(content), row and ExchangeKey(row.conversation, row.number))


def expire(db: sa.Connection, before: float) -> int:
    """Deletes the receipts from before a time that follow no conversation. Returns their number."""
    return db.execute(receipts.delete().where(receipts.c.conversation.is_(None), receipts.c.at < before)).rowcount
