"""Reads what is stored of a person, a conversation or a period, as values for an export. One transaction for each part.

Includes copies of held records that their owners deleted. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.conversation.tables import (
    conversations,
    exchange_documents,
    exchange_ratings,
    exchange_sources,
    exchanges,
    lead_documents,
)
from core.holds.copies import Rows, select_rows
from core.holds.tables import held_copies
from core.records.subjects import Subject, conversations_of, deliveries_of, feedback_of, with_speakers
from core.storage.bot_tables import EMPTY_PAYLOAD, deliveries, feedback
from core.storage.database import Database

Record = dict[str, Any]
BATCH_ROWS = 200
PARTS = (exchanges, exchange_sources, exchange_documents, exchange_ratings, lead_documents)


@dataclass(frozen=True, slots=True)
class Selection:
    """`since` (included) and `until` (excluded) are seconds since 1970; None: no limit."""

    subject: Subject
    since: float | None = None
    until: float | None = None

    def within(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        limits = []
        if self.since is not None:
            limits.append(column >= self.since)
        if self.until is not None:
            limits.append(column < self.until)
        return sa.and_(sa.true(), *limits)


class RecordsReader:
    """Raises StorageError."""

    def __init__(self, database: Database, selection: Selection) -> None:
        self._database = database
        self._selection = selection

    async def resolve(self) -> None:
        """Finds further names of the subject. Call it first."""
        selection = self._selection
        subject = await self._database.read(lambda db: with_speakers(db, selection.subject))
        self._selection = Selection(subject, selection.since, selection.until)

    async def conversations(self) -> AsyncIterator[Record]:
        """Conversations with an exchange in the period, and those exchanges, oldest use first."""
        asked = sa.select(exchanges.c.number).where(exchanges.c.conversation == conversations.c.id)
        in_period = asked.where(self._selection.within(asked_at())).correlate(conversations).exists()
        query = sa.select(conversations.c.id).where(conversations_of(self._selection.subject), in_period)
        ordered = query.order_by(conversations.c.used_at, conversations.c.id)
        for number in await self._database.read(lambda db: db.execute(ordered).scalars().all()):
            record = await self._database.read(lambda db, number=number: self._read_conversation(db, number))  # type: ignore[misc]
            if record:
                yield record

    def _read_conversation(self, db: sa.Connection, number: int) -> Record | None:
        rows = {table.name: select_rows(db, table, table.c.conversation == number) for table in PARTS}
        found = select_rows(db, conversations, conversations.c.id == number)
        if not found:  # deleted meanwhile
            return None
        record = describe_conversation(found[0], rows)
        record["exchanges"] = [each for each in record["exchanges"] if self._is_within(each)]
        return record

    def _is_within(self, exchange: Record) -> bool:
        since, until = self._selection.since, self._selection.until
        at = exchange["asked_at"] and datetime.fromisoformat(exchange["asked_at"]).timestamp()
        return not at or ((since is None or at >= since) and (until is None or at < until))

    async def deliveries(self) -> AsyncIterator[Record]:
        """The bots' messages and their feedback, in order of arrival."""
        where = (deliveries_of(self._selection.subject), self._selection.within(deliveries.c.at))
        async for row in self._rows(deliveries, deliveries.c.number, *where):
            yield describe_delivery(row)

    async def feedback(self) -> AsyncIterator[Record]:
        where = (feedback_of(self._selection.subject), self._selection.within(feedback.c.at))
        for row in await self._database.read(lambda db: select_rows(db, feedback, *where)):
            yield describe_feedback(row)

    async def copies(self) -> AsyncIterator[Record]:
        """Held records that their owners deleted."""
        keys = self._selection.subject.keys
        covers = sa.or_(*(held_copies.c.known_as.contains(key) for key in sorted(keys))) if keys else sa.true()
        async for row in self._rows(held_copies, held_copies.c.id, covers, self._selection.within(held_copies.c.at)):
            yield describe_copy(row)

    async def _rows(
        self, table: sa.Table, key: sa.Column[int], *where: sa.ColumnElement[bool]
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Reads rows in batches, so that no transaction is long."""
        last = -1
        while True:
            query = sa.select(table).where(*where, key > last).order_by(key).limit(BATCH_ROWS)
            rows = await self._database.read(lambda db, query=query: db.execute(query).mappings().all())  # type: ignore[misc]
            for row in rows:
                yield row
            if len(rows) < BATCH_ROWS:
                return
            last = rows[-1][key.name]


def asked_at() -> sa.ColumnElement[Any]:
    """When a question was asked; before revision 0006 it was not stored, and its conversation's last use counts."""
    return sa.func.coalesce(exchanges.c.asked_at, conversations.c.used_at)


def describe_conversation(row: Mapping[str, Any], parts: Mapping[str, Rows]) -> Record:
    return {
        "conversation": row["key"],
        "id": row["issued_id"],
        "owner": row["user_key"],
        "personality": row["personality"],
        "title": row["title"],
        "pinned": bool(row["pinned"]),
        "context": row["context"],
        "used_at": format_time(row["used_at"]),
        "lead_documents": [json.loads(each["reading"]) for each in parts.get(lead_documents.name, ())],
        "exchanges": describe_exchanges(parts),
    }


def describe_exchanges(parts: Mapping[str, Rows]) -> list[Record]:
    sources = by_number(parts.get(exchange_sources.name, ()))
    documents = by_number(parts.get(exchange_documents.name, ()))
    ratings = by_number(parts.get(exchange_ratings.name, ()))
    return [
        {
            "number": row["number"],
            "asked_at": format_time(row["asked_at"]),
            "question": row["question"],
            "attachments": json.loads(row["attachments"]),
            "thread_messages": json.loads(row["heard"]),
            "answer": row["answer"],
            "ended": row["reason"],
            "model": row["model"],
            "sources": json.loads(sources[row["number"]]["sources"]) if row["number"] in sources else [],
            "documents": json.loads(documents[row["number"]]["documents"]) if row["number"] in documents else [],
            "rating": describe_rating(ratings.get(row["number"])),
        }
        for row in sorted(parts.get(exchanges.name, ()), key=lambda each: each["number"])
    ]


def by_number(rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    return {row["number"]: row for row in rows}


def describe_rating(row: Mapping[str, Any] | None) -> Record | None:
    if row is None:
        return None
    return {"verdict": row["verdict"], "comment": row["comment"], "rated_at": format_time(row["rated_at"])}


def describe_delivery(row: Mapping[str, Any]) -> Record:
    return {
        "answer": row["answer"],
        "conversation": row["conversation"],
        "author": row["author"],
        "platform": row["platform"],
        "kind": row["kind"],
        "state": row["state"],
        "at": format_time(row["at"]),
        "problem": row["reason"],
        "message": None if row["payload"] == EMPTY_PAYLOAD else json.loads(row["payload"]),
        "thread_messages": row["heard"] and json.loads(row["heard"]),
    }


def describe_feedback(row: Mapping[str, Any]) -> Record:
    return {**{name: row[name] for name in ("answer", "speaker", "value", "comment")}, "at": format_time(row["at"])}


def describe_copy(row: Mapping[str, Any]) -> Record:
    """A copy in the form of the original, and when it was deleted."""
    content = json.loads(row["content"])
    record: Record = {
        "kind": row["kind"],
        "used_at": format_time(row["at"]),
        "deleted_at": format_time(row["copied_at"]),
    }
    if row["kind"] == "delivery":
        given = [describe_feedback(each) for each in content.get(feedback.name, ())]
        return {**record, "delivery": describe_delivery(content[deliveries.name][0]), "feedback": given}
    return {**record, "conversation": describe_conversation(content[conversations.name][0], content)}


def format_time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
