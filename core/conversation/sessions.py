"""Conversations and their turns. Two kinds of id: "web:…" ones, which only `open` issues, and those of platforms.

Whoever holds a "web:" id holds the conversation, so the database knows only its hash. Platforms ("slack:T1:C2:1712.5")
issue their own ids and vouch for who speaks; their conversations begin when they are first heard of.

A row of `turns` is a question and its answer. The question is durable before the model is asked, and `reason` says how
the answer ended: "stop" and "length" by the model, "stopped" by the person, "failed" by an error. It is null while the
answer is being written, and stays null if the process was killed.
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
EXCHANGES_KEPT_IN_VIEW = 400  # the latest; a context window holds far fewer

READING = TypeAdapter(RetrievedDocument)
SOURCES = TypeAdapter(tuple[Source, ...])


class Sessions:
    """`clock` gives seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def open(self, personality: str, user: str | None = None) -> str:
        """A new conversation's id: 256 random bits. It is shown this once and cannot be read back."""
        conversation = ISSUED_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        row = {"key": hash_id(conversation), "personality": personality, "user_key": user and hash_id(user)}
        await self._database.write(lambda db: db.execute(conversations.insert().values(**row, used_at=self._clock())))
        return conversation

    async def resume(self, conversation: str, personality: str, user: str | None = None) -> Conversation:
        """Of those that `open` began. Raises SessionUnknown, also for one of another personality or user."""
        name = issued(conversation)
        return await self._database.read(lambda db: view(db, find(db, name, personality, user)))

    async def enter(
        self, conversation: str, personality: str, user: str | None = None, key: str | None = None
    ) -> Conversation:
        """As `resume`, but a platform's conversation is begun if it is new. `key`: of the turn that is to be asked."""
        if conversation.startswith(ISSUED_PREFIX):
            return await self._database.read(lambda db: view(db, find(db, conversation, personality, user), key))
        name, now = hash_id(conversation), self._clock()
        return await self._database.write(lambda db: view(db, find_or_begin(db, name, personality, now), key))

    async def forget(self, conversation: str) -> None:
        """Raises SessionUnknown if there is nothing to forget."""
        gone = conversations.delete().where(conversations.c.key == hash_id(conversation))
        if not await self._database.write(lambda db: db.execute(gone).rowcount):
            raise SessionUnknown("no such session; it may have expired or been deleted")

    async def begin_turn(
        self, conversation: int, question: Question, context: str | None = None, key: str | None = None
    ) -> RunningTurn:
        """The question is durable when this returns. `context` is kept if this is the conversation's first turn.

        A turn that was begun under the same `key` is begun again, and loses its answer. Raises SessionUnknown if the
        conversation was forgotten meanwhile.
        """
        now = self._clock()
        return await self._database.write(lambda db: write_turn(db, conversation, question, context, key, now))

    async def finish_turn(self, turn: RunningTurn, answer: str, reason: Ending, sources: Sequence[Source] = ()) -> None:
        """A conversation that was forgotten meanwhile stays forgotten."""
        ended = turns.update().where(*is_turn(turn)).values(answer=storable(answer), reason=reason)
        used = conversations.update().where(conversations.c.id == turn.conversation).values(used_at=self._clock())

        def write(db: sa.Connection) -> None:
            if db.execute(ended).rowcount:
                write_sources(db, turn, sources)
            db.execute(used)

        await self._database.write(write)

    async def keep_readings(self, conversation: int, kept: Sequence[RetrievedDocument]) -> None:
        """What every turn of this conversation is answered from; in place of what was kept before."""
        rows = [
            {"conversation": conversation, "number": number, "reading": READING.dump_json(each).decode()}
            for number, each in enumerate(kept, 1)
        ]

        def write(db: sa.Connection) -> None:
            db.execute(readings.delete().where(readings.c.conversation == conversation))
            if rows and db.execute(sa.select(conversations.c.id).where(conversations.c.id == conversation)).first():
                db.execute(readings.insert(), rows)

        await self._database.write(write)

    async def withdraw_turn(self, turn: RunningTurn) -> None:
        """As if it had not been asked: for a question that was refused, so that the next one is not refused with it."""

        def write(db: sa.Connection) -> None:
            db.execute(turns.delete().where(*is_turn(turn)))
            if turn.number == 1:
                db.execute(readings.delete().where(readings.c.conversation == turn.conversation))
                db.execute(conversations.update().where(conversations.c.id == turn.conversation).values(context=None))

        await self._database.write(write)

    async def purge(self, older_than: timedelta) -> int:
        """Deletes the conversations that nobody continued for so long; how many they were."""
        last = self._clock() - older_than.total_seconds()
        gone = conversations.delete().where(conversations.c.used_at < last)
        return await self._database.write(lambda db: db.execute(gone).rowcount)


def issued(conversation: str) -> str:
    """The id, if it has the form of those that `open` issues: for callers who prove nothing but that they have it.

    A platform's ids can be guessed; only its adapter, which knows who speaks, may ask by them. Raises SessionUnknown.
    """
    if not conversation.startswith(ISSUED_PREFIX):
        raise SessionUnknown("no such session; it may have expired or been deleted")
    return conversation


def find(db: sa.Connection, conversation: str, personality: str, user: str | None) -> Any:
    """The conversation's row. One message for every refusal: a guesser learns nothing."""
    row = row_of(db, hash_id(conversation), personality)
    if row is None or row.user_key not in (None, user and hash_id(user)):
        raise SessionUnknown("no such session; it may have expired or been deleted")
    return row


def row_of(db: sa.Connection, key: str, personality: str) -> Any:
    columns = conversations.c
    return db.execute(sa.select(conversations).where(columns.key == key, columns.personality == personality)).first()


def find_or_begin(db: sa.Connection, key: str, personality: str, now: float) -> Any:
    if row := row_of(db, key, personality):
        return row
    put_new(db, conversations, {"key": key, "personality": personality, "used_at": now})
    return row_of(db, key, personality)


def view(db: sa.Connection, row: Any, key: str | None = None) -> Conversation:
    number = number_of(db, row.id, key)
    before = [turns.c.conversation == row.id, *([] if number is None else [turns.c.number < number])]
    latest = told_turns().where(*before).order_by(turns.c.number.desc())
    rows = db.execute(latest.limit(EXCHANGES_KEPT_IN_VIEW)).all()
    count = db.execute(sa.select(sa.func.count()).select_from(turns).where(*before)).scalar_one()
    exchanges = tuple(exchange_of(turn) for turn in reversed(rows))
    return Conversation(
        row.id,
        row.context,
        exchanges,
        earlier=count - len(exchanges),
        repeated=repeated_of(db, row.id, number),
        readings=readings_of(db, row.id),
    )


def readings_of(db: sa.Connection, conversation: int) -> tuple[RetrievedDocument, ...]:
    stored = sa.select(readings.c.reading).where(readings.c.conversation == conversation).order_by(readings.c.number)
    return tuple(READING.validate_json(text) for text in db.execute(stored).scalars())


def repeated_of(db: sa.Connection, conversation: int, number: int | None) -> Exchange | None:
    if number is None:
        return None
    return exchange_of(db.execute(told_turns().where(*is_turn(RunningTurn(conversation, number)))).one())


def number_of(db: sa.Connection, conversation: int, key: str | None) -> int | None:
    """Of the turn that was asked under this key."""
    if key is None:
        return None
    named = (turn_keys.c.conversation == conversation, turn_keys.c.key == hash_id(key))
    return db.execute(sa.select(turn_keys.c.number).where(*named)).scalar()


def told_turns() -> sa.Select[Any]:
    """Turns with the sources of their answers."""
    return sa.select(turns, turn_sources.c.sources).outerjoin(turn_sources)


def exchange_of(row: Any) -> Exchange:
    attachments = tuple(Attachment(**each) for each in json.loads(row.attachments))
    thread_messages = tuple(Turn(**each) for each in json.loads(row.heard))
    sources = SOURCES.validate_json(row.sources) if row.sources else ()
    return Exchange(Question(row.question, attachments, thread_messages), row.answer, row.reason, sources)


def write_turn(
    db: sa.Connection, conversation: int, question: Question, context: str | None, key: str | None, now: float
) -> RunningTurn:
    # The row is locked until the end, where there are row locks, so that no two turns get one number.
    locked = sa.select(conversations.c.id).where(conversations.c.id == conversation).with_for_update()
    if db.execute(locked).first() is None:
        raise SessionUnknown("this session was deleted")
    number = number_of(db, conversation, key)
    turn = RunningTurn(conversation, number or next_number(db, conversation))
    written = {
        "question": question.text,
        "attachments": packed(question.attachments),
        "heard": packed(question.thread_messages),
        "answer": "",
        "reason": None,
    }
    if number:
        db.execute(turns.update().where(*is_turn(turn)).values(written))
        write_sources(db, turn, ())
    else:
        db.execute(turns.insert().values(conversation=conversation, number=turn.number, **written))
        if key is not None:
            db.execute(turn_keys.insert().values(conversation=conversation, key=hash_id(key), number=turn.number))
    kept = {"context": context} if turn.number == 1 else {}
    db.execute(conversations.update().where(conversations.c.id == conversation).values(used_at=now, **kept))
    return turn


def write_sources(db: sa.Connection, turn: RunningTurn, sources: Iterable[Source]) -> None:
    """In place of those that were there."""
    db.execute(turn_sources.delete().where(*is_turn(turn, turn_sources)))
    told = tuple(replace(each, title=storable(each.title), url=each.url and storable(each.url)) for each in sources)
    if told:
        db.execute(turn_sources.insert().values(**asdict(turn), sources=SOURCES.dump_json(told).decode()))


def next_number(db: sa.Connection, conversation: int) -> int:
    last = db.execute(sa.select(sa.func.max(turns.c.number)).where(turns.c.conversation == conversation)).scalar()
    return (last or 0) + 1


def packed(values: Iterable[Attachment | Turn]) -> str:
    return json.dumps([asdict(value) for value in values], ensure_ascii=False)


def is_turn(turn: RunningTurn, table: sa.Table = turns) -> tuple[Any, Any]:
    return table.c.conversation == turn.conversation, table.c.number == turn.number
