"""The conversations of one owner: their list, titles and pins, and the ratings of their answers.

An owner is a person whom the platform identified, or a browser's secret. The database contains only its hash.
`core.conversation.sessions` has what happens inside a conversation.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from core.contract import ConversationSummary, Rating
from core.conversation.exchanges import ExchangeKey
from core.conversation.sessions import is_open_to
from core.conversation.tables import conversations, exchange_ratings, exchanges
from core.errors import SessionUnknown
from core.rag.context import CONTEXT_END
from core.runtime.digest import hash_id
from core.storage.database import Database, put
from core.strict_json import storable

LISTED = 500  # conversations
TITLE_LIMIT_CHARS = 80
COMMENT_LIMIT_CHARS = 2000
PLAIN = str.maketrans({"œ": "oe", "æ": "ae", "’": "'"})
COMBINING = re.compile("[\u0300-\u036f]")  # what NFKD leaves of accents


class OwnedConversations:
    """`clock` returns seconds since 1970. Every method may raise StorageError."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def list(self, owner: str, search: str = "") -> tuple[ConversationSummary, ...]:
        """Lists the conversations that have an exchange: pinned ones first, then by their last use, newest first.

        `search`: only those whose title, questions or answers contain these words, in any letter case, with or without
        accents.
        """
        return await self._database.read(lambda db: select_summaries(db, owner, search))

    async def get(self, conversation: str, owner: str) -> ConversationSummary:
        """Raises SessionUnknown."""
        return await self._database.read(lambda db: summarize(find_owned(db, hash_id(conversation), owner)))

    async def change(
        self, conversation: str, owner: str, title: str | None = None, pinned: bool | None = None
    ) -> ConversationSummary:
        """Raises SessionUnknown."""
        changes: dict[str, Any] = {} if pinned is None else {"pinned": pinned}
        if title is not None:
            changes["title"] = shorten(storable(title)) or None
        name = hash_id(conversation)

        def write(db: sa.Connection) -> ConversationSummary:
            row = find_owned(db, name, owner)
            if changes:
                db.execute(conversations.update().where(conversations.c.id == row.id).values(changes))
            return summarize(find_owned(db, name, owner))

        return await self._database.write(write)

    async def personality_of(self, conversation: str, owner: str | None = None) -> str:
        """The personality of a conversation, which may have no owner. Raises SessionUnknown."""
        named = sa.select(conversations.c.personality).where(
            conversations.c.key == hash_id(conversation), is_open_to(owner)
        )
        name = await self._database.read(lambda db: db.execute(named).scalar())
        if name is None:
            raise SessionUnknown("no such conversation; it may have expired or been deleted")
        return str(name)

    async def rate(self, rating: Rating, owner: str | None = None) -> None:
        """Stores a verdict in place of the earlier one. Raises SessionUnknown."""
        name, now = hash_id(rating.conversation), self._clock()

        def write(db: sa.Connection) -> None:
            answers = (
                sa.select(exchanges.c.conversation)
                .join(conversations)
                .where(conversations.c.key == name, is_open_to(owner), exchanges.c.number == rating.exchange)
            )
            conversation = db.execute(answers).scalar()
            if conversation is None:
                raise SessionUnknown("no such answer; its conversation may have expired or been deleted")
            key = asdict(ExchangeKey(conversation, rating.exchange))
            comment = storable(rating.comment[:COMMENT_LIMIT_CHARS])
            put(db, exchange_ratings, {**key, "verdict": rating.verdict, "comment": comment, "rated_at": now})

        await self._database.write(write)


def first_questions() -> sa.Select[Any]:
    """The conversations with their first question."""
    return sa.select(conversations, exchanges.c.question).join(exchanges).where(exchanges.c.number == 1)


def select_summaries(db: sa.Connection, owner: str, search: str) -> tuple[ConversationSummary, ...]:
    columns = conversations.c
    owned = first_questions().where(columns.user_key == hash_id(owner), columns.issued_id.is_not(None))
    rows = db.execute(owned.order_by(columns.pinned.desc(), columns.used_at.desc()).limit(LISTED)).all()
    if words := fold(search).split():
        rows = [row for row in rows if contains_all(db, row, words)]
    return tuple(map(summarize, rows))


def contains_all(db: sa.Connection, conversation: Any, words: list[str]) -> bool:
    """True if each word stands in the title, in a question or in an answer."""
    missing = remove_found(words, conversation.title or "")
    texts = sa.select(exchanges.c.question, exchanges.c.answer).where(exchanges.c.conversation == conversation.id)
    for question, answer in db.execute(texts) if missing else ():
        missing = remove_found(missing, f"{question}\n{answer}")
    return not missing


def remove_found(words: list[str], text: str) -> list[str]:
    folded = fold(text) if words else ""
    return [word for word in words if word not in folded]


def fold(text: str) -> str:
    """Removes accents, ligatures and letter case. SQLite's LIKE knows the case of ASCII letters alone."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(PLAIN))
    return COMBINING.sub("", decomposed)


def find_owned(db: sa.Connection, key: str, owner: str) -> Any:
    owned = first_questions().where(conversations.c.key == key, conversations.c.user_key == hash_id(owner))
    if (row := db.execute(owned).first()) is None:
        raise SessionUnknown("no such conversation; it may have expired or been deleted")
    return row


def summarize(row: Any) -> ConversationSummary:
    title = row.title or shorten(row.question.rpartition(CONTEXT_END)[2])
    used_at = datetime.fromtimestamp(row.used_at, UTC)
    return ConversationSummary(row.issued_id, row.personality, title, used_at, bool(row.pinned))


def shorten(text: str) -> str:
    """Joins the text to one line, and ends it after a word."""
    line = " ".join(text.split())
    if len(line) <= TITLE_LIMIT_CHARS:
        return line
    beginning = line[:TITLE_LIMIT_CHARS]
    return f"{beginning.rpartition(' ')[0] or beginning}…"
