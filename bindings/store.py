"""The bots' memory: which events were taken, the progress of each delivery, and people's choices and feedback.

A delivery is a message and its answer. It is stored under the event's key before any work on it, so that repeated
events are recognised. A new process resumes every delivery that is still "received": the table is the queue of all
work, including long jobs. `bindings.tables` defines its columns.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import sqlalchemy as sa

from bindings.delivery.outlet import PostedPage
from bindings.delivery_records import (
    Delivery,
    DeliveryKind,
    DeliveryRecord,
    DeliveryState,
    LedgerState,
    build_row,
    parse_delivery,
    parse_record,
    serialize_incoming,
)
from bindings.incoming import IncomingMessage, Place, ThreadMessages
from bindings.process_lease import ProcessLease
from bindings.tables import (
    EMPTY_PAYLOAD,
    attempts,
    deliveries,
    feedback,
    hash_workspace,
    one_time_notices,
    personality_choices,
)
from core.holds.bots import copy_held_deliveries
from core.runtime.digest import hash_id
from core.storage.bot_tables import delete_unused_attempts
from core.storage.database import Database, put, put_new
from core.strict_json import storable

FeedbackValue = Literal["good", "bad"]
OneTimeNotice = Literal["privacy", "refused"]  # each person gets it once
COMMENT_LIMIT_CHARS = 2000
REASON_LIMIT_CHARS = 500
TAKE_LOCK = 8_262_017  # with a hash of the conversation: the advisory lock under which a shared message is taken
NO_CONTENT = {"payload": EMPTY_PAYLOAD, "heard": None, "author": None}


class Store:
    """Reads and writes the bots' tables, once per process. `clock` gives seconds since 1970.

    `lease`: of a process that shares the database with others. Every method may raise StorageError.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time, lease: ProcessLease | None = None
    ) -> None:
        self.lease = lease
        self._database = database
        self._clock = clock
        self._process = secrets.token_hex(8)

    async def take(
        self, incoming: IncomingMessage, kind: DeliveryKind, state: DeliveryState = "received"
    ) -> Delivery | None:
        """Stores a new message; durable when it returns. None: this event was taken before."""
        process = self.lease.process if self.lease else self._process
        row = {**build_row(incoming, kind), "state": state, "process": process, "at": self._clock()}
        if self.lease:
            return await self._database.write(lambda db: insert(db, {**row, "process": choose_owner(db, row)}))
        return await self._database.write(lambda db: insert(db, row))

    async def unfinished(self, platform: str) -> list[Delivery]:
        """The deliveries that other processes took and did not finish, in order of arrival."""
        columns = deliveries.c
        open_elsewhere = (columns.platform == platform, columns.state == "received", columns.process != self._process)
        counted = deliveries.outerjoin(attempts, attempts.c.answer == columns.answer)
        query = sa.select(deliveries, attempts.c.times).select_from(counted).where(*open_elsewhere)
        rows = await self._database.read(lambda db: db.execute(query.order_by(columns.number)).all())
        return [replace(parse_delivery(row), crashes=row.times or 0) for row in rows]

    async def unfinished_answers(self, platform: str) -> set[str]:
        """The ids of all answers that are not finished, whichever process has them."""
        query = sa.select(deliveries.c.answer).where(
            deliveries.c.platform == platform, deliveries.c.state == "received"
        )
        return set(await self._database.read(lambda db: db.execute(query).scalars().all()))

    async def record_attempt(self, answer: str) -> int:
        """Counts the processes that resumed this delivery and may crash with it, this one included. Durable."""
        return await self._database.write(lambda db: increment_attempts(db, answer))

    async def clear_attempt(self, answer: str) -> None:
        """Uncounts this process: it ends its work on the delivery without a crash."""
        less = attempts.update().where(attempts.c.answer == answer).values(times=attempts.c.times - 1)
        await self._database.write(lambda db: db.execute(less))

    async def record(self, number: int) -> DeliveryRecord | None:
        """Reads a delivery with its content. None: it was forgotten meanwhile."""
        query = sa.select(deliveries).where(deliveries.c.number == number)
        return parse_record(await self._database.read(lambda db: db.execute(query).first()))

    async def latest_answer(self, place: Place, before: int, answer: str = "") -> DeliveryRecord | None:
        """The answer with that id, else the last one before delivery `before`. Both only from this conversation."""
        columns = deliveries.c
        query = sa.select(deliveries).where(
            columns.conversation == hash_id(place.conversation),
            columns.kind == "message",
            columns.state.in_(("done", "failed")),
            columns.number < before,
            *([columns.answer == answer] if answer else []),
        )
        newest = query.order_by(columns.number.desc()).limit(1)
        return parse_record(await self._database.read(lambda db: db.execute(newest).first()))

    async def find_answer(self, place: Place, ref: str) -> str | None:
        """The id of the answer that the platform message `ref` shows."""
        columns = deliveries.c
        query = sa.select(columns.answer).where(
            columns.conversation == hash_id(place.conversation),
            columns.kind == "message",
            columns.refs.contains(json.dumps(ref), autoescape=True),
        )
        newest = query.order_by(columns.number.desc()).limit(1)
        return await self._database.read(lambda db: db.execute(newest).scalar())

    async def is_participating(self, place: Place) -> bool:
        """True if somebody has already asked the bot in this conversation."""
        query = sa.select(deliveries.c.number).where(*questions_in(place))
        return await self._database.read(lambda db: db.execute(query.limit(1)).first() is not None)

    async def save_pages(self, number: int, pages: LedgerState) -> None:
        """Stores the messages that hold the answer. Durable when it returns."""
        await self._update(number, refs=pages.to_json())

    async def latest_question(self, place: Place) -> tuple[IncomingMessage, float] | None:
        """The latest question in a conversation, and its time in seconds since 1970."""
        columns = deliveries.c
        query = sa.select(deliveries).where(*questions_in(place)).order_by(columns.number.desc()).limit(1)
        row = await self._database.read(lambda db: db.execute(query).first())
        if row is None or (record := parse_record(row)) is None:
            return None
        return record.incoming, row.at

    def age_s(self, at: float) -> float:
        """The seconds since a stored time. Less than 0 if the clock was set back."""
        return self._clock() - at

    async def has_asked(self, incoming: IncomingMessage) -> bool:
        """True if the author of `incoming` has already asked the bot in this conversation."""
        query = sa.select(deliveries).where(*questions_in(incoming.place))
        rows = await self._database.read(lambda db: db.execute(query).all())
        records = [parse_record(row) for row in rows]
        return any(record.incoming.speaker == incoming.speaker for record in records if record)

    async def save_thread_messages(self, number: int, messages: ThreadMessages) -> None:
        """Stores the thread as it was at first: a later request would also return the bot's own new messages."""
        await self._update(number, heard=json.dumps(messages.to_json()))

    async def record_upload(self, number: int) -> None:
        await self._update(number, uploaded=True)

    async def save_incoming(self, number: int, incoming: IncomingMessage) -> None:
        """Stores the message with its resolved command, so that a later process resolves it the same way."""
        await self._update(number, payload=serialize_incoming(incoming))

    async def finish(self, delivery: Delivery, state: DeliveryState, reason: str | None = None) -> None:
        """Closes a delivery. Only an answered message keeps its content, for regenerate. `reason`: of a failure."""
        removed = {} if delivery.kind == "message" and state != "gone" else NO_CONTENT
        now = self._clock()
        reason = None if reason is None else storable(reason[:REASON_LIMIT_CHARS])
        finished = update_delivery(delivery.number, state=state, reason=reason, **removed)
        uncounted = attempts.delete().where(attempts.c.answer == delivery.answer_id)

        def write(db: sa.Connection) -> None:
            if removed:
                copy_held_deliveries(db, now, deliveries.c.number == delivery.number)
            db.execute(finished)
            db.execute(uncounted)

        await (self._database.erase(write) if state == "gone" else self._database.write(write))

    async def _update(self, number: int, **values: Any) -> None:
        change = update_delivery(number, **values)
        await self._database.write(lambda db: db.execute(change))

    async def pin_personality(self, place: Place, personality: str) -> str:
        """The personality of a conversation: its own if it has one, else this one from now on."""
        return await self._database.write(lambda db: pin_personality(db, place, personality, self._clock()))

    async def chosen_personality(self, place: Place) -> str | None:
        """The choice for the conversation, else the choice for new threads of its channel."""
        own, for_new_threads = hash_id(place.conversation), hash_id(place.new_threads_key)
        columns = personality_choices.c
        query = sa.select(columns.conversation, columns.personality)
        query = query.where(columns.conversation.in_((own, for_new_threads)))
        rows = await self._database.read(lambda db: db.execute(query).all())
        names = {row.conversation: row.personality for row in rows}
        return names.get(own) or names.get(for_new_threads)

    async def choose_personality(self, place: Place, personality: str) -> None:
        """Stores a choice. Where conversations are threads and none is named, it also covers new threads."""
        keys = [place.conversation, *([place.new_threads_key] if place.threaded else [])]
        rows = [build_choice(place, key, personality, self._clock()) for key in keys]

        def write(db: sa.Connection) -> None:
            for row in rows:
                put(db, personality_choices, row)

        await self._database.write(write)

    async def has_seen_notice(self, incoming: IncomingMessage, notice: OneTimeNotice) -> bool:
        columns = one_time_notices.c
        query = sa.select(columns.at).where(columns.speaker == hash_id(incoming.speaker), columns.told == notice)
        return await self._database.read(lambda db: db.execute(query).first() is not None)

    async def record_notice(self, incoming: IncomingMessage, notice: OneTimeNotice) -> None:
        row = {
            "speaker": hash_id(incoming.speaker),
            "told": notice,
            "workspace": hash_workspace(incoming.place.platform, incoming.place.tenant),
            "at": self._clock(),
        }
        await self._database.write(lambda db: put(db, one_time_notices, row))

    async def save_feedback(self, answer: str, speaker: str, value: FeedbackValue, comment: str) -> bool:
        """Stores one person's feedback in place of their previous one. False: no such answer exists."""
        row = {"answer": answer, "speaker": hash_id(speaker), "value": value, "at": self._clock()}
        row["comment"] = storable(comment[:COMMENT_LIMIT_CHARS])
        return await self._database.write(lambda db: insert_feedback(db, row))

    async def forget(self, place: Place, before: int | None = None) -> None:
        """Deletes a conversation's content, choice and feedback; with `before`, only what precedes that delivery.

        The event keys stay, so that repeats are still recognised.
        """
        await self._database.erase(lambda db: delete_conversation(db, place, before, self._clock()))

    async def places(self, platform: str, tenant: str) -> list[Place]:
        """The places of a workspace with stored content, once for each delivery."""
        columns = deliveries.c
        query = sa.select(columns.payload).where(
            columns.workspace == hash_workspace(platform, tenant), columns.payload != EMPTY_PAYLOAD
        )
        rows = await self._database.read(lambda db: db.execute(query).scalars().all())
        return [IncomingMessage.from_json(json.loads(payload)).place for payload in rows]

    async def delete_workspace(self, platform: str, tenant: str) -> None:
        """Deletes everything about a workspace."""
        workspace = hash_workspace(platform, tenant)
        await self._database.erase(lambda db: delete_workspace(db, workspace, self._clock()))


class DeliveryLedger:
    """Implements `bindings.delivery.outlet.PostLedger`."""

    def __init__(self, store: Store, record: DeliveryRecord, *, resumed: bool) -> None:
        self.form = record.pages.form
        self.refs = list(record.pages.refs)
        self.leftovers = list(record.pages.leftovers)
        self.resumed = resumed
        self._store = store
        self._number = record.delivery.number

    async def add(self, ref: str) -> None:
        self.refs.append(ref)
        self.leftovers = [page for page in self.leftovers if page.ref != ref]
        await self._save()

    async def discard(self, ref: str) -> None:
        self.refs.remove(ref)
        self.leftovers.append(PostedPage(self.form, ref))
        await self._save()

    async def change_form(self, form: str) -> None:
        self.leftovers += [PostedPage(self.form, ref) for ref in self.refs]
        self.form, self.refs = form, []
        await self._save()

    async def forget_leftover(self, page: PostedPage) -> None:
        self.leftovers.remove(page)
        await self._save()

    async def _save(self) -> None:
        pages = LedgerState(tuple(self.refs), self.form, tuple(self.leftovers))
        await self._store.save_pages(self._number, pages)


def update_delivery(number: int, **values: Any) -> sa.Update:
    return deliveries.update().where(deliveries.c.number == number).values(**values)


def increment_attempts(db: sa.Connection, answer: str) -> int:
    put_new(db, attempts, {"answer": answer, "times": 0})
    more = attempts.update().where(attempts.c.answer == answer).values(times=attempts.c.times + 1)
    return int(db.execute(more.returning(attempts.c.times)).scalar_one())


def choose_owner(db: sa.Connection, row: dict[str, Any]) -> str:
    """The process that runs the conversation, else the one that takes the message. One message at a time is taken."""
    conversation = row["conversation"]
    db.execute(sa.select(sa.func.pg_advisory_xact_lock(TAKE_LOCK, sa.func.hashtext(conversation))))
    unfinished = (deliveries.c.conversation == conversation, deliveries.c.state == "received")
    owner = sa.select(deliveries.c.process).where(*unfinished).order_by(deliveries.c.number).limit(1)
    first = db.execute(owner).scalar()
    return row["process"] if first is None else str(first)


def insert(db: sa.Connection, row: dict[str, Any]) -> Delivery | None:
    new = put_new(db, deliveries, row)
    return new and Delivery(new.number, row["answer"], row["kind"], row["conversation"], row["source"])


def questions_in(place: Place) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions for the questions of a conversation that were not forgotten."""
    columns = deliveries.c
    return columns.conversation == hash_id(place.conversation), columns.kind == "message", columns.state != "gone"


def pin_personality(db: sa.Connection, place: Place, personality: str, now: float) -> str:
    columns, update = personality_choices.c, personality_choices.update()
    put_new(db, personality_choices, build_choice(place, place.conversation, personality, now))
    # A choice that is used must not be purged as old.
    db.execute(update.where(columns.conversation == hash_id(place.new_threads_key)).values(at=now))
    own = update.where(columns.conversation == hash_id(place.conversation)).values(at=now)
    return str(db.execute(own.returning(columns.personality)).scalar_one())


def build_choice(place: Place, key: str, personality: str, now: float) -> dict[str, Any]:
    workspace = hash_workspace(place.platform, place.tenant)
    return {"conversation": hash_id(key), "workspace": workspace, "personality": personality, "at": now}


def insert_feedback(db: sa.Connection, row: dict[str, Any]) -> bool:
    columns = deliveries.c
    answer = (columns.answer == row["answer"], columns.kind == "message", columns.conversation != "")
    if db.execute(sa.select(columns.number).where(*answer)).first() is None:
        return False
    put(db, feedback, row)
    return True


def delete_conversation(db: sa.Connection, place: Place, before: int | None, now: float) -> None:
    key = hash_id(place.conversation)
    theirs = [deliveries.c.conversation == key, *([] if before is None else [deliveries.c.number < before])]
    copy_held_deliveries(db, now, *theirs)
    db.execute(feedback.delete().where(feedback.c.answer.in_(sa.select(deliveries.c.answer).where(*theirs))))
    db.execute(personality_choices.delete().where(personality_choices.c.conversation == key))
    blank = {**NO_CONTENT, "refs": "[]", "conversation": "", "state": "done"}
    db.execute(deliveries.update().where(*theirs).values(**blank))
    delete_unused_attempts(db)


def delete_workspace(db: sa.Connection, workspace: str, now: float) -> None:
    theirs = deliveries.c.workspace == workspace
    copy_held_deliveries(db, now, theirs)
    db.execute(feedback.delete().where(feedback.c.answer.in_(sa.select(deliveries.c.answer).where(theirs))))
    for table in (deliveries, one_time_notices, personality_choices):
        db.execute(table.delete().where(table.c.workspace == workspace))
    delete_unused_attempts(db)
