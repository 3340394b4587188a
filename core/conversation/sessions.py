"""Stores conversations and their turns. Ids are of two kinds: "web:…", which only `open` issues, and the platforms'.

A "web:" id alone gives access to its conversation, so the database contains only its hash. Platforms issue their own
ids ("slack:T1:C2:1712.5") and identify the speaker; such a conversation starts with its first message.

A row of `turns` is a question and its answer. The question is durable before the model is asked. `reason` tells how the
answer ended: "stop" or "length" by the model, "stopped" by the person, "failed" by an error. It is null during the
answer, and stays null if the process is killed.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from core.contract import Attachment, Ending, Source, Turn
from core.conversation.tables import conversations, readings, turn_keys, turn_sources, turns
from core.conversation.turns import Conversation, Exchange, Question, RunningTurn
from core.errors import SessionUnknown
from core.rag.candidates import RetrievedDocument
from core.runtime.digest import hash_id
from core.storage.database import Database, put_new
from core.strict_json import storable

ISSUED_PREFIX = "web:"
TOKEN_BYTES = 32
EXCHANGES_KEPT_IN_VIEW = 400  # the latest ones; a context window has room for far fewer

READING = TypeAdapter(RetrievedDocument)
SOURCES = TypeAdapter(tuple[Source, ...])


class Sessions:
    """`clock` returns seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def open(self, personality: str, user: str | None = None) -> str:
        """Starts a conversation. Returns its id of 256 random bits, which cannot be read back from the database."""
        conversation = ISSUED_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        row = {"key": hash_id(conversation), "personality": personality, "user_key": user and hash_id(user)}
        await self._database.write(lambda db: db.execute(conversations.insert().values(**row, used_at=self._clock())))
        return conversation

    async def resume(self, conversation: str, personality: str, user: str | None = None) -> Conversation:
        """A conversation that `open` started. Raises SessionUnknown, also for another personality or user."""
        name = require_issued_id(conversation)
        return await self._database.read(lambda db: view(db, find(db, name, personality, user)))

    async def enter(
        self, conversation: str, personality: str, user: str | None = None, key: str | None = None
    ) -> Conversation:
        """Resumes a platform's conversation, or starts it if it is new. `key`: the key of the next turn."""
        if conversation.startswith(ISSUED_PREFIX):
            return await self._database.read(lambda db: view(db, find(db, conversation, personality, user), key))
        name, now = hash_id(conversation), self._clock()
        return await self._database.write(lambda db: view(db, find_or_insert(db, name, personality, now), key))

    async def forget(self, conversation: str) -> None:
        """Deletes a conversation. Raises SessionUnknown if there is none."""
        deletion = conversations.delete().where(conversations.c.key == hash_id(conversation))
        if not await self._database.write(lambda db: db.execute(deletion).rowcount):
            raise SessionUnknown("no such session; it may have expired or been deleted")

    async def begin_turn(
        self, conversation: int, question: Question, context: str | None = None, key: str | None = None
    ) -> RunningTurn:
        """Stores a question durably. `context`: the lead context, stored with a conversation's first turn.

        An earlier turn with the same `key` is replaced and loses its answer. Raises SessionUnknown if the conversation
        was deleted meanwhile.
        """
        now = self._clock()
        return await self._database.write(lambda db: write_turn(db, conversation, question, context, key, now))

    async def finish_turn(self, turn: RunningTurn, answer: str, reason: Ending, sources: Sequence[Source] = ()) -> None:
        """Stores an answer. Does nothing if the conversation was deleted meanwhile."""
        ended = turns.update().where(*turn_matches(turn)).values(answer=storable(answer), reason=reason)
        used = conversations.update().where(conversations.c.id == turn.conversation).values(used_at=self._clock())

        def write(db: sa.Connection) -> None:
            if db.execute(ended).rowcount:
                write_sources(db, turn, sources)
            db.execute(used)

        await self._database.write(write)

    async def keep_readings(self, conversation: int, documents: Sequence[RetrievedDocument]) -> None:
        """Stores the documents that every turn of the conversation is based on, in place of earlier ones."""
        rows = [
            {"conversation": conversation, "number": number, "reading": READING.dump_json(each).decode()}
            for number, each in enumerate(documents, 1)
        ]

        def write(db: sa.Connection) -> None:
            db.execute(readings.delete().where(readings.c.conversation == conversation))
            if rows and db.execute(sa.select(conversations.c.id).where(conversations.c.id == conversation)).first():
                db.execute(readings.insert(), rows)

        await self._database.write(write)

    async def withdraw_turn(self, turn: RunningTurn) -> None:
        """Deletes a turn whose question was refused. It would have the next question refused too."""

        def write(db: sa.Connection) -> None:
            db.execute(turns.delete().where(*turn_matches(turn)))
            if turn.number == 1:
                db.execute(readings.delete().where(readings.c.conversation == turn.conversation))
                db.execute(conversations.update().where(conversations.c.id == turn.conversation).values(context=None))

        await self._database.write(write)

    async def purge(self, older_than: timedelta) -> int:
        """Deletes the conversations without a turn for `older_than`. Returns their number."""
        last = self._clock() - older_than.total_seconds()
        deletion = conversations.delete().where(conversations.c.used_at < last)
        return await self._database.write(lambda db: db.execute(deletion).rowcount)


def require_issued_id(conversation: str) -> str:
    """The id, if `open` can have issued it. For callers that prove nothing except that they have the id.

    A platform's ids can be guessed, so only its adapter, which identifies the speaker, may use them. Raises
    SessionUnknown.
    """
    if not conversation.startswith(ISSUED_PREFIX):
        raise SessionUnknown("no such session; it may have expired or been deleted")
    return conversation


def find(db: sa.Connection, conversation: str, personality: str, user: str | None) -> Any:
    """The conversation's row. All refusals have one message, so that guessing an id teaches nothing."""
    row = find_row(db, hash_id(conversation), personality)
    if row is None or row.user_key not in (None, user and hash_id(user)):
        raise SessionUnknown("no such session; it may have expired or been deleted")
    return row


def find_row(db: sa.Connection, key: str, personality: str) -> Any:
    columns = conversations.c
    return db.execute(sa.select(conversations).where(columns.key == key, columns.personality == personality)).first()


def find_or_insert(db: sa.Connection, key: str, personality: str, now: float) -> Any:
    if row := find_row(db, key, personality):
        return row
    put_new(db, conversations, {"key": key, "personality": personality, "used_at": now})
    return find_row(db, key, personality)


def view(db: sa.Connection, row: Any, key: str | None = None) -> Conversation:
    number = None if key is None else find_turn_number(db, row.id, key)
    before = [turns.c.conversation == row.id, *([] if number is None else [turns.c.number < number])]
    latest = turns_with_sources().where(*before).order_by(turns.c.number.desc())
    rows = db.execute(latest.limit(EXCHANGES_KEPT_IN_VIEW)).all()
    count = db.execute(sa.select(sa.func.count()).select_from(turns).where(*before)).scalar_one()
    exchanges = tuple(parse_exchange(turn) for turn in reversed(rows))
    return Conversation(
        row.id,
        row.context,
        exchanges,
        earlier=count - len(exchanges),
        repeated=None if number is None else load_exchange(db, RunningTurn(row.id, number)),
        readings=load_readings(db, row.id),
    )


def load_readings(db: sa.Connection, conversation: int) -> tuple[RetrievedDocument, ...]:
    stored = sa.select(readings.c.reading).where(readings.c.conversation == conversation).order_by(readings.c.number)
    return tuple(READING.validate_json(text) for text in db.execute(stored).scalars())


def load_exchange(db: sa.Connection, turn: RunningTurn) -> Exchange:
    return parse_exchange(db.execute(turns_with_sources().where(*turn_matches(turn))).one())


def find_turn_number(db: sa.Connection, conversation: int, key: str) -> int | None:
    """The number of the turn that has this key."""
    named = (turn_keys.c.conversation == conversation, turn_keys.c.key == hash_id(key))
    return db.execute(sa.select(turn_keys.c.number).where(*named)).scalar()


def turns_with_sources() -> sa.Select[Any]:
    """The turns with the sources of their answers."""
    return sa.select(turns, turn_sources.c.sources).outerjoin(turn_sources)


def parse_exchange(row: Any) -> Exchange:
    attachments = tuple(Attachment(**each) for each in json.loads(row.attachments))
    thread_messages = tuple(Turn(**each) for each in json.loads(row.heard))
    sources = SOURCES.validate_json(row.sources) if row.sources else ()
    return Exchange(Question(row.question, attachments, thread_messages), row.answer, row.reason, sources)


def write_turn(
    db: sa.Connection, conversation: int, question: Question, context: str | None, key: str | None, now: float
) -> RunningTurn:
    # On PostgreSQL the row stays locked until the end, so that two turns cannot get one number.
    locked = sa.select(conversations.c.id).where(conversations.c.id == conversation).with_for_update()
    if db.execute(locked).first() is None:
        raise SessionUnknown("this session was deleted")
    number = None if key is None else find_turn_number(db, conversation, key)
    turn = RunningTurn(conversation, number or next_number(db, conversation))
    row_values = {
        "question": question.text,
        "attachments": dump_values(question.attachments),
        "heard": dump_values(question.thread_messages),
        "answer": "",
        "reason": None,
    }
    if number:
        db.execute(turns.update().where(*turn_matches(turn)).values(row_values))
        write_sources(db, turn, ())
    else:
        db.execute(turns.insert().values(conversation=conversation, number=turn.number, **row_values))
        if key is not None:
            db.execute(turn_keys.insert().values(conversation=conversation, key=hash_id(key), number=turn.number))
    lead = {"context": context} if turn.number == 1 else {}
    db.execute(conversations.update().where(conversations.c.id == conversation).values(used_at=now, **lead))
    return turn


def write_sources(db: sa.Connection, turn: RunningTurn, sources: Iterable[Source]) -> None:
    """Replaces the turn's sources."""
    db.execute(turn_sources.delete().where(*turn_matches(turn, turn_sources)))
    stored = tuple(replace(each, title=storable(each.title), url=each.url and storable(each.url)) for each in sources)
    if stored:
        db.execute(turn_sources.insert().values(**asdict(turn), sources=SOURCES.dump_json(stored).decode()))


def next_number(db: sa.Connection, conversation: int) -> int:
    last = db.execute(sa.select(sa.func.max(turns.c.number)).where(turns.c.conversation == conversation)).scalar()
    return (last or 0) + 1


def dump_values(values: Iterable[Attachment | Turn]) -> str:
    return json.dumps([asdict(value) for value in values], ensure_ascii=False)


def turn_matches(turn: RunningTurn, table: sa.Table = turns) -> tuple[Any, Any]:
    return table.c.conversation == turn.conversation, table.c.number == turn.number
