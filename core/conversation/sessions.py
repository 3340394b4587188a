"""Stores conversations and their exchanges.

Ids are of two kinds: "web:…", which only `open` issues, and the platforms'.

A "web:" id alone gives access to its conversation, so the database contains only its hash. Platforms issue their own
ids ("slack:T1:C2:1712.5") and identify the speaker; such a conversation starts with its first message.

An exchange is a question and its answer: a row of the table "turns". The question is durable before the model is asked.
`reason` tells how the answer ended: "stop" or "length" by the model, "stopped" by the person, "failed" by an error. It
is null during the answer, and stays null if the process is killed.
"""

from __future__ import annotations

import asyncio
import copy
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

import sqlalchemy as sa
from pydantic import TypeAdapter

from core.contract import Attachment, Ending, Source, Turn
from core.conversation import forgotten_states
from core.conversation.deletion import addresses_of, copy_held_exchange, delete_conversations
from core.conversation.exchanges import Conversation, Exchange, ExchangeKey, Question
from core.conversation.revisions import StoredExchange, copy_exchange, put_back
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
from core.conversation.turn_claims import Turn as ClaimedTurn
from core.errors import SessionUnknown
from core.rag.rendering import NumberedDocument
from core.rag.retrieved import RetrievedDocument
from core.runtime.digest import hash_id
from core.storage.database import Database, put_new
from core.strict_json import storable

ISSUED_PREFIX = "web:"
TOKEN_BYTES = 32
MODEL_LIMIT_CHARS = 200
EXCHANGES_KEPT_IN_VIEW = 400  # the latest ones; a context window has room for far fewer

DOCUMENT = TypeAdapter(RetrievedDocument)
SOURCES = TypeAdapter(tuple[Source, ...])
SHOWN = TypeAdapter(tuple[NumberedDocument, ...])


ForgetPages = Callable[[Collection[str]], Awaitable[None]]


class AnswerRecord(Protocol):
    """A record about an answer, which is stored with it."""

    id: str

    def write(self, db: sa.Connection, conversation: int, reason: Ending) -> None: ...


async def keep_pages(addresses: Collection[str]) -> None:
    """Does nothing: for a service without a cache of pages."""


class Sessions:
    """`clock` returns seconds since 1970. `deleted` is set after each deletion of conversations.

    `forget_pages`: deletes cached pages by their addresses, when the conversations that used them are deleted.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time, forget_pages: ForgetPages = keep_pages
    ) -> None:
        self._forget_pages = forget_pages
        self._database = database
        self._clock = clock
        self.deleted = asyncio.Event()

    def within(self, turn: ClaimedTurn | None) -> Sessions:
        """The same conversations for one turn: its writes fail once another process took its conversation over."""
        if turn is None:
            return self
        sessions = copy.copy(self)
        sessions._database = self._database.fenced(turn.check)
        return sessions

    async def open(self, personality: str, owner: str | None = None) -> str:
        """Starts a conversation. Returns its id of 256 random bits.

        The id of a conversation without an owner cannot be read back from the database, because it opens it.
        """
        conversation = ISSUED_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        owned = {"user_key": hash_id(owner), "issued_id": conversation} if owner else {}
        row = {"key": hash_id(conversation), "personality": personality, **owned}
        now = self._clock()
        await self._database.write(lambda db: put_new(db, conversations, {**row, "used_at": now}), repeatable=True)
        return conversation

    async def resume(self, conversation: str, personality: str, owner: str | None = None) -> Conversation:
        """A conversation that `open` started. Raises SessionUnknown, also for another personality or owner."""
        name = require_issued_id(conversation)
        return await self._database.read(lambda db: view(db, find(db, name, personality, owner)))

    async def enter(
        self,
        conversation: str,
        personality: str,
        owner: str | None = None,
        key: str | None = None,
        *,
        revises: bool = False,
    ) -> Conversation:
        """Resumes a conversation, or starts a platform's if it is new.

        `key`: the caller's key of this prompt. `revises`: the prompt replaces the last exchange.
        """
        if conversation.startswith(ISSUED_PREFIX):
            return await self._database.read(
                lambda db: view(db, find(db, conversation, personality, owner), key, revises=revises)
            )
        name, now = hash_id(conversation), self._clock()
        return await self._database.write(
            lambda db: view(db, find_or_insert(db, name, personality, now), key, revises=revises), repeatable=True
        )

    async def before(self, key: ExchangeKey) -> Conversation | None:
        """The conversation as this exchange found it; the exchange itself is `repeated`. None: it is gone."""

        def read(db: sa.Connection) -> Conversation | None:
            row = db.execute(sa.select(conversations).where(conversations.c.id == key.conversation)).first()
            answer = sa.select(exchanges.c.number).where(*exchange_matches(key))
            return view_before(db, row, key.number) if row and db.execute(answer).first() else None

        return await self._database.read(read)

    async def forget(self, conversation: str, owner: str | None = None) -> None:
        """Deletes a conversation. Raises SessionUnknown if there is none, or if it is another owner's."""
        if not await self._delete(is_named(conversation), is_open_to(owner)):
            raise SessionUnknown("no such session; it may have expired or been deleted")

    async def forget_all(self, owner: str) -> int:
        """Deletes the owner's conversations. Returns their number."""
        return await self._delete(conversations.c.user_key == hash_id(owner))

    async def begin_exchange(
        self,
        conversation: int,
        question: Question,
        context: str | None = None,
        key: str | None = None,
        *,
        revised: int | None = None,
    ) -> ExchangeKey:
        """Stores a question durably. `context`: the lead context, stored with a conversation's first exchange.

        An earlier exchange with the same `key`, or with the number `revised`, is replaced and loses its answer. Raises
        SessionUnknown if the conversation was deleted meanwhile.
        """
        now = self._clock()
        return await self._database.write(
            lambda db: write_exchange(db, conversation, question, context, key, revised, now),
            repeatable=key is not None,
        )

    async def finish_exchange(
        self,
        key: ExchangeKey,
        answer: str,
        reason: Ending,
        sources: Sequence[Source] = (),
        shown: Sequence[NumberedDocument] = (),
        model: str | None = None,
        record: AnswerRecord | None = None,
    ) -> None:
        """Stores an answer, with a record about it. Does nothing if the conversation was deleted meanwhile."""
        row_values = {
            "answer": storable(answer),
            "reason": reason,
            "model": model and storable(model[:MODEL_LIMIT_CHARS]),
            "receipt": record and record.id,
        }
        ended = exchanges.update().where(*exchange_matches(key)).values(row_values)
        used = conversations.update().where(conversations.c.id == key.conversation).values(used_at=self._clock())

        def write(db: sa.Connection) -> None:
            if db.execute(ended).rowcount:
                write_sources(db, key, sources)
                write_shown(db, key, shown)
                if record:
                    record.write(db, key.conversation, reason)
            db.execute(used)

        await self._database.write(write, repeatable=True)

    async def store_lead_documents(self, conversation: int, documents: Sequence[RetrievedDocument]) -> None:
        """Stores the documents that every answer of the conversation is based on, in place of earlier ones."""
        rows = [
            {"conversation": conversation, "number": number, "reading": DOCUMENT.dump_json(each).decode()}
            for number, each in enumerate(documents, 1)
        ]

        def write(db: sa.Connection) -> None:
            db.execute(lead_documents.delete().where(lead_documents.c.conversation == conversation))
            if rows and db.execute(sa.select(conversations.c.id).where(conversations.c.id == conversation)).first():
                db.execute(lead_documents.insert(), rows)

        await self._database.write(write, repeatable=True)

    async def copy_exchange(self, key: ExchangeKey) -> StoredExchange:
        """Copies an exchange that is about to be replaced."""
        return await copy_exchange(self._database, key)

    async def put_back(self, stored: StoredExchange) -> None:
        """Puts a copied exchange in the place of the one that replaced it."""
        await put_back(self._database, stored)

    async def withdraw_exchange(self, key: ExchangeKey) -> None:
        """Deletes an exchange whose question was refused. It would have the next question refused too."""
        now = self._clock()

        def write(db: sa.Connection) -> None:
            copy_held_exchange(db, key, now)
            db.execute(exchanges.delete().where(*exchange_matches(key)))
            if key.number == 1:
                db.execute(lead_documents.delete().where(lead_documents.c.conversation == key.conversation))
                db.execute(conversations.update().where(conversations.c.id == key.conversation).values(context=None))

        await self._database.write(write, repeatable=True)

    async def _delete(self, *matching: sa.ColumnElement[bool]) -> int:
        now = self._clock()

        def delete(db: sa.Connection) -> tuple[set[str], int]:
            return addresses_of(db, *matching), delete_conversations(db, now, *matching)

        addresses, count = await self._database.erase(delete)
        if addresses:
            await self._forget_pages(addresses)
        if count:
            self.deleted.set()
        return count


def require_issued_id(conversation: str) -> str:
    """The id, if `open` can have issued it. For callers that prove nothing except that they have the id.

    A platform's ids can be guessed, so only its adapter, which identifies the speaker, may use them. Raises
    SessionUnknown.
    """
    if not conversation.startswith(ISSUED_PREFIX):
        raise SessionUnknown("no such session; it may have expired or been deleted")
    return conversation


def find(db: sa.Connection, conversation: str, personality: str, owner: str | None) -> Any:
    """The conversation's row. All refusals have one message, so that guessing an id teaches nothing."""
    row = find_row(db, hash_id(conversation), personality)
    if row is None or row.user_key not in (None, owner and hash_id(owner)):
        raise SessionUnknown("no such session; it may have expired or been deleted")
    return row


def is_named(conversation: str) -> sa.ColumnElement[bool]:
    return conversations.c.key == hash_id(conversation)


def is_owned_by(owner: str) -> sa.ColumnElement[bool]:
    return conversations.c.user_key == hash_id(owner)


def is_open_to(owner: str | None) -> sa.ColumnElement[bool]:
    """Selects the conversations without an owner, and the owner's."""
    return sa.or_(conversations.c.user_key.is_(None), conversations.c.user_key == (hash_id(owner) if owner else ""))


def find_row(db: sa.Connection, key: str, personality: str) -> Any:
    columns = conversations.c
    return db.execute(sa.select(conversations).where(columns.key == key, columns.personality == personality)).first()


def find_or_insert(db: sa.Connection, key: str, personality: str, now: float) -> Any:
    if row := find_row(db, key, personality):
        return row
    put_new(db, conversations, {"key": key, "personality": personality, "used_at": now})
    return find_row(db, key, personality)


def view(db: sa.Connection, row: Any, key: str | None = None, *, revises: bool = False) -> Conversation:
    number = None if key is None else find_exchange_number(db, row.id, key)
    if revises and number is None:
        number = last_number(db, row.id)
    return view_before(db, row, number, revises=revises)


def view_before(db: sa.Connection, row: Any, number: int | None, *, revises: bool = False) -> Conversation:
    """The conversation before the exchange of this number. None: after its last one."""
    is_beginning = revises and number == 1  # its context was that of the question that is replaced
    before = [exchanges.c.conversation == row.id, *([] if number is None else [exchanges.c.number < number])]
    latest = exchanges_with_sources().where(*before).order_by(exchanges.c.number.desc())
    rows = db.execute(latest.limit(EXCHANGES_KEPT_IN_VIEW)).all()
    count = db.execute(sa.select(sa.func.count()).select_from(exchanges).where(*before)).scalar_one()
    found = [parse_exchange(each) for each in reversed(rows)]
    if rows:
        found[-1] = replace(found[-1], shown=load_shown(db, ExchangeKey(row.id, rows[0].number)))
    return Conversation(
        row.id,
        None if is_beginning else row.context,
        tuple(found),
        earlier=count - len(rows),
        repeated=None if number is None else load_exchange(db, ExchangeKey(row.id, number)),
        lead_documents=() if is_beginning else load_lead_documents(db, row.id),
        cache_key=forgotten_states.cache_key(row.key, row.personality),
    )


def load_lead_documents(db: sa.Connection, conversation: int) -> tuple[RetrievedDocument, ...]:
    stored = (
        sa.select(lead_documents.c.reading)
        .where(lead_documents.c.conversation == conversation)
        .order_by(lead_documents.c.number)
    )
    return tuple(DOCUMENT.validate_json(text) for text in db.execute(stored).scalars())


def load_exchange(db: sa.Connection, key: ExchangeKey) -> Exchange:
    return parse_exchange(db.execute(exchanges_with_sources().where(*exchange_matches(key))).one())


def find_exchange_number(db: sa.Connection, conversation: int, key: str) -> int | None:
    """The number of the exchange that has the caller's `key`."""
    named = (exchange_keys.c.conversation == conversation, exchange_keys.c.key == hash_id(key))
    return db.execute(sa.select(exchange_keys.c.number).where(*named)).scalar()


def exchanges_with_sources() -> sa.Select[Any]:
    """The exchanges with the sources and the ratings of their answers."""
    beside = (exchange_sources.c.sources, exchange_ratings.c.verdict)
    is_rating = sa.and_(*(exchange_ratings.c[key] == exchanges.c[key] for key in ("conversation", "number")))
    joined = exchanges.outerjoin(exchange_sources).outerjoin(exchange_ratings, is_rating)
    return sa.select(exchanges, *beside).select_from(joined)


def parse_exchange(row: Any) -> Exchange:
    attachments = tuple(Attachment.from_json(each) for each in json.loads(row.attachments))
    thread_messages = tuple(Turn(**each) for each in json.loads(row.heard))
    sources = SOURCES.validate_json(row.sources) if row.sources else ()
    question = Question(row.question, attachments, thread_messages)
    return Exchange(
        question,
        row.answer,
        row.reason,
        sources,
        asked_at=row.asked_at,
        model=row.model,
        number=row.number,
        receipt=row.receipt,
        rating=row.verdict,
    )


def write_exchange(
    db: sa.Connection,
    conversation: int,
    question: Question,
    context: str | None,
    key: str | None,
    revised: int | None,
    now: float,
) -> ExchangeKey:
    # On PostgreSQL the row stays locked until the end, so that two exchanges cannot get one number.
    locked = sa.select(conversations.c.id).where(conversations.c.id == conversation).with_for_update()
    if db.execute(locked).first() is None:
        raise SessionUnknown("this session was deleted")
    number = None if key is None else find_exchange_number(db, conversation, key)
    if number is None and revised == last_number(db, conversation):
        number = revised
    target = ExchangeKey(conversation, number or (last_number(db, conversation) or 0) + 1)
    row_values = {
        "question": question.text,
        "attachments": dump_values(question.attachments),
        "heard": dump_values(question.thread_messages),
        "answer": "",
        "reason": None,
        "asked_at": now,
        "model": None,
        "receipt": None,
    }
    if number:
        copy_held_exchange(db, target, now)
        db.execute(exchanges.update().where(*exchange_matches(target)).values(row_values))
        write_sources(db, target, ())
        write_shown(db, target, ())
        db.execute(exchange_ratings.delete().where(*exchange_matches(target, exchange_ratings)))
        if number == 1:
            db.execute(lead_documents.delete().where(lead_documents.c.conversation == conversation))
    else:
        db.execute(exchanges.insert().values(conversation=conversation, number=target.number, **row_values))
        if key is not None:
            db.execute(exchange_keys.insert().values(conversation=conversation, key=hash_id(key), number=target.number))
    lead = {"context": context} if target.number == 1 else {}
    db.execute(conversations.update().where(conversations.c.id == conversation).values(used_at=now, **lead))
    return target


def write_sources(db: sa.Connection, key: ExchangeKey, sources: Iterable[Source]) -> None:
    """Replaces the exchange's sources."""
    db.execute(exchange_sources.delete().where(*exchange_matches(key, exchange_sources)))
    stored = tuple(replace(each, title=storable(each.title), url=each.url and storable(each.url)) for each in sources)
    if stored:
        db.execute(exchange_sources.insert().values(**asdict(key), sources=SOURCES.dump_json(stored).decode()))


def write_shown(db: sa.Connection, key: ExchangeKey, shown: Sequence[NumberedDocument]) -> None:
    """Replaces the exchange's documents."""
    db.execute(exchange_documents.delete().where(*exchange_matches(key, exchange_documents)))
    if shown:
        documents = storable(SHOWN.dump_json(tuple(shown)).decode())
        db.execute(exchange_documents.insert().values(**asdict(key), documents=documents))


def load_shown(db: sa.Connection, key: ExchangeKey) -> tuple[NumberedDocument, ...]:
    stored = sa.select(exchange_documents.c.documents).where(*exchange_matches(key, exchange_documents))
    documents = db.execute(stored).scalar()
    return SHOWN.validate_json(documents) if documents else ()


def last_number(db: sa.Connection, conversation: int) -> int | None:
    """The number of the last exchange; None: there is none."""
    numbers = sa.select(sa.func.max(exchanges.c.number)).where(exchanges.c.conversation == conversation)
    return db.execute(numbers).scalar()


def dump_values(values: Iterable[Attachment | Turn]) -> str:
    fields = [value.to_json() if isinstance(value, Turn) else asdict(value) for value in values]
    return json.dumps(fields, ensure_ascii=False)
