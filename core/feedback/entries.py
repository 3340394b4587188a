"""Reads people's verdicts from the database: the page's ratings and the bots' feedback.

The receipt joins a bot's answer to its exchange, its personality and its model. Verdicts on answers from before there
were receipts have their channel, verdict and comment alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.conversation.tables import conversations, exchange_ratings, exchanges
from core.feedback.filters import FeedbackFilter
from core.storage.bot_tables import deliveries
from core.storage.bot_tables import feedback as bot_feedback
from core.storage.database import Database

WEB = "web"
QUESTION = "message"  # the kind of a delivery that answers one


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """One person's verdict. `question` and `answer`: as long as the conversation is kept."""

    at: datetime
    channel: str
    verdict: str
    comment: str
    personality: str | None = None
    model: str | None = None
    receipt: str | None = None
    question: str | None = None
    answer: str | None = None


async def load_feedback(database: Database, chosen: FeedbackFilter) -> tuple[FeedbackEntry, ...]:
    """The verdicts that the filter chooses, the newest first. Raises StorageError."""

    def read(db: sa.Connection) -> tuple[FeedbackEntry, ...]:
        found = (*page_entries(db, chosen), *bot_entries(db, chosen))
        return tuple(sorted(found, key=lambda each: each.at, reverse=True))

    return await database.read(read)


def page_entries(db: sa.Connection, chosen: FeedbackFilter) -> Iterator[FeedbackEntry]:
    if chosen.channel not in (None, WEB):
        return
    ratings = exchange_ratings.c
    same = sa.and_(ratings.conversation == exchanges.c.conversation, ratings.number == exchanges.c.number)
    joined = exchange_ratings.join(exchanges, same).join(conversations)
    columns = (ratings.verdict, ratings.comment, ratings.rated_at.label("at"), *EXCHANGE_COLUMNS)
    query = sa.select(*columns).select_from(joined).where(*conditions(chosen, ratings.verdict, ratings.rated_at))
    for row in db.execute(query):
        yield build_entry(row, WEB)


def bot_entries(db: sa.Connection, chosen: FeedbackFilter) -> Iterator[FeedbackEntry]:
    feedback = bot_feedback.c
    joined = (
        bot_feedback.outerjoin(
            deliveries, sa.and_(deliveries.c.answer == feedback.answer, deliveries.c.kind == QUESTION)
        )
        .outerjoin(exchanges, exchanges.c.receipt == feedback.answer)
        .outerjoin(conversations, conversations.c.id == exchanges.c.conversation)
    )
    columns = (feedback.value.label("verdict"), feedback.comment, feedback.at, deliveries.c.platform, *EXCHANGE_COLUMNS)
    query = sa.select(*columns).select_from(joined).where(*conditions(chosen, feedback.value, feedback.at))
    if chosen.channel:
        query = query.where(deliveries.c.platform == chosen.channel)
    for row in db.execute(query):
        yield build_entry(row, row.platform or "")


EXCHANGE_COLUMNS = (
    conversations.c.personality,
    *(exchanges.c[name] for name in ("model", "receipt", "question", "answer")),
)


def conditions(chosen: FeedbackFilter, verdict: Any, at: Any) -> list[sa.ColumnElement[bool]]:
    """The filter's conditions. The tables' own columns of verdict and time are given."""
    found = []
    if chosen.verdict:
        found.append(verdict == chosen.verdict)
    if chosen.since is not None:
        found.append(at >= chosen.since)
    if chosen.personality:
        found.append(conversations.c.personality == chosen.personality)
    if chosen.model:
        found.append(sa.func.lower(exchanges.c.model) == chosen.model.lower())
    return found


def build_entry(row: Any, channel: str) -> FeedbackEntry:
    at = datetime.fromtimestamp(row.at, UTC)
    exchange = (row.personality, row.model, row.receipt, row.question, row.answer)
    return FeedbackEntry(at, channel, row.verdict, row.comment, *exchange)
