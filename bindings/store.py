"""What the bots remember: which events were taken, how far each is, and what people chose and judged.

A delivery is a message and the answer to it. It is written down before anything is done, under the event's key, so that
a repeat is known as one; as long as it is "received", a process that starts takes it up again. That makes the table the
queue of all work, the long jobs included. Its columns are in `bindings.tables`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bindings.incoming import CommandName, Incoming, Place
from bindings.tables import (
    NOTHING_SAID,
    acquaintances,
    chosen,
    deliveries,
    feedback,
    resumed,
    source_of,
    workspace_of,
)
from core.contract import Turn
from core.runtime.digest import hash_id
from core.storage.database import Database, put, put_new
from core.strict_json import storable

Kind = Literal["message", "limited", "refused"] | CommandName  # what becomes of it was decided when it was taken
State = Literal["received", "done", "gone", "failed"]
Feedback = Literal["good", "bad"]
Told = Literal["privacy", "refused"]  # what a person is told once
ANSWER_BYTES = 12
COMMENT_LIMIT_CHARS = 2000
BLANK = {"payload": NOTHING_SAID, "heard": None}


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that was taken. Small: what it says stays in the database until its turn comes."""

    number: int
    answer: str
    kind: Kind
    conversation: str
    source: str
    deaths: int = 0  # of processes that took it up after another had left it


@dataclass(frozen=True, slots=True)
class Record:
    """A delivery as it stands."""

    delivery: Delivery
    incoming: Incoming
    refs: tuple[str, ...]
    heard: tuple[Turn, ...] | None  # None: not looked up yet
    uploaded: bool


class Store:
    """One per process. `clock` gives seconds since 1970. Every method may raise StorageError."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._process = secrets.token_hex(8)

    async def take(self, incoming: Incoming, kind: Kind, state: State = "received") -> Delivery | None:
        """Durable when it returns. None: this event was taken before."""
        row = {**row_of(incoming, kind), "state": state, "process": self._process, "at": self._clock()}
        return await self._database.write(lambda db: insert(db, row))

    async def unfinished(self, platform: str) -> list[Delivery]:
        """What a process that is gone took and did not bring to its end, in order of arrival."""
        columns = deliveries.c
        left = (columns.platform == platform, columns.state == "received", columns.process != self._process)
        counted = deliveries.outerjoin(resumed, resumed.c.answer == columns.answer)
        waiting = sa.select(deliveries, resumed.c.times).select_from(counted).where(*left).order_by(columns.number)
        rows = await self._database.read(lambda db: db.execute(waiting).all())
        return [replace(delivery_of(row), deaths=row.times or 0) for row in rows]

    async def taken_up(self, answer: str) -> int:
        """How many processes took it up that died or may die with it, this one included. Durable when it returns."""
        return await self._database.write(lambda db: count_up(db, answer))

    async def put_down(self, answer: str) -> None:
        """This process will not die with it."""
        less = resumed.update().where(resumed.c.answer == answer).values(times=resumed.c.times - 1)
        await self._database.write(lambda db: db.execute(less))

    async def record(self, number: int) -> Record | None:
        """None: it was forgotten meanwhile."""
        wanted = sa.select(deliveries).where(deliveries.c.number == number)
        return record_of(await self._database.read(lambda db: db.execute(wanted).first()))

    async def latest(self, place: Place, before: int, answer: str = "") -> Record | None:
        """The answer of that id, or the last one before delivery `before`, if it was given in this conversation."""
        columns = deliveries.c
        wanted = sa.select(deliveries).where(
            columns.conversation == hash_id(place.conversation),
            columns.kind == "message",
            columns.state.in_(("done", "failed")),
            columns.number < before,
            *([columns.answer == answer] if answer else []),
        )
        newest = wanted.order_by(columns.number.desc()).limit(1)
        return record_of(await self._database.read(lambda db: db.execute(newest).first()))

    async def answer_at(self, place: Place, ref: str) -> str | None:
        """The id of the answer that is in that message."""
        columns = deliveries.c
        wanted = sa.select(columns.answer).where(
            columns.conversation == hash_id(place.conversation),
            columns.kind == "message",
            columns.refs.contains(json.dumps(ref), autoescape=True),
        )
        newest = wanted.order_by(columns.number.desc()).limit(1)
        return await self._database.read(lambda db: db.execute(newest).scalar())

    async def taking_part(self, place: Place) -> bool:
        """Whether the bot was asked in this conversation, and answers there."""
        columns = deliveries.c
        asked = sa.select(columns.number).where(
            columns.conversation == hash_id(place.conversation), columns.kind == "message", columns.state != "gone"
        )
        return await self._database.read(lambda db: db.execute(asked.limit(1)).first() is not None)

    async def refer(self, number: int, refs: list[str]) -> None:
        """The messages that an answer is in. Durable when it returns."""
        await self._update(number, refs=json.dumps(refs))

    async def heard(self, number: int, heard: tuple[Turn, ...]) -> None:
        """Kept, for once the bot has begun to answer, the platform tells another story of what came before."""
        await self._update(number, heard=json.dumps([asdict(turn) for turn in heard]))

    async def uploaded(self, number: int) -> None:
        await self._update(number, uploaded=True)

    async def means(self, number: int, incoming: Incoming) -> None:
        """What turned out to be meant, so that a process which takes it up later means the same."""
        await self._update(number, payload=payload_of(incoming))

    async def limit(self, number: int) -> None:
        """Its answer is that there were too many."""
        await self._update(number, kind="limited")

    async def finish(self, delivery: Delivery, state: State) -> None:
        """Only of a message is anything needed later: to answer it again."""
        kept = {} if delivery.kind == "message" and state != "gone" else BLANK
        finished = update(delivery.number, state=state, **kept)
        counted = resumed.delete().where(resumed.c.answer == delivery.answer)

        def write(db: sa.Connection) -> None:
            db.execute(finished)
            db.execute(counted)

        await self._database.write(write)

    async def _update(self, number: int, **values: Any) -> None:
        change = update(number, **values)
        await self._database.write(lambda db: db.execute(change))

    async def settle(self, place: Place, personality: str) -> str:
        """The personality of a conversation: the one that it has, else this one from now on."""
        return await self._database.write(lambda db: settle(db, place, personality, self._clock()))

    async def chosen(self, place: Place) -> str | None:
        """For the conversation, else for those that begin in its channel."""
        own, beginnings = hash_id(place.conversation), hash_id(place.beginnings)
        columns = chosen.c.conversation, chosen.c.personality
        wanted = sa.select(*columns).where(chosen.c.conversation.in_((own, beginnings)))
        rows = await self._database.read(lambda db: db.execute(wanted).all())
        found = {row.conversation: row.personality for row in rows}
        return found.get(own) or found.get(beginnings)

    async def choose(self, place: Place, personality: str) -> None:
        """Where conversations are threads, and none is named, also for those that begin there."""
        names = [place.conversation, *([place.beginnings] if place.threaded else [])]
        rows = [choice(place, name, personality, self._clock()) for name in names]

        def write(db: sa.Connection) -> None:
            for row in rows:
                put(db, chosen, row)

        await self._database.write(write)

    async def was_told(self, incoming: Incoming, what: Told) -> bool:
        known = sa.select(acquaintances.c.at).where(*is_acquaintance(incoming, what))
        return await self._database.read(lambda db: db.execute(known).first() is not None)

    async def told(self, incoming: Incoming, what: Told) -> None:
        row = {
            "speaker": hash_id(incoming.speaker),
            "told": what,
            "workspace": workspace_of(incoming.place.platform, incoming.place.tenant),
            "at": self._clock(),
        }
        await self._database.write(lambda db: put(db, acquaintances, row))

    async def judge(self, answer: str, speaker: str, value: Feedback, comment: str) -> bool:
        """The latest of one person counts. False: there is no such answer."""
        row = {"answer": answer, "speaker": hash_id(speaker), "value": value, "at": self._clock()}
        row["comment"] = storable(comment[:COMMENT_LIMIT_CHARS])
        return await self._database.write(lambda db: judge(db, row))

    async def forget(self, place: Place, before: int | None = None) -> None:
        """All that was said, chosen and judged in a conversation goes; with `before`, what was before that delivery.

        What stays is that these events were taken.
        """
        await self._database.write(lambda db: forget(db, place, before))

    async def places(self, platform: str, tenant: str) -> list[Place]:
        """Those of a workspace in which something was said; one for each time."""
        columns = deliveries.c
        said = sa.select(columns.payload).where(
            columns.workspace == workspace_of(platform, tenant), columns.payload != NOTHING_SAID
        )
        rows = await self._database.read(lambda db: db.execute(said).scalars().all())
        return [Incoming.of_json(json.loads(payload)).place for payload in rows]

    async def uninstalled(self, platform: str, tenant: str) -> None:
        """Nothing of a workspace stays."""
        workspace = workspace_of(platform, tenant)
        await self._database.write(lambda db: delete_workspace(db, workspace))

    async def purge(self, older_than: timedelta) -> int:
        """Deletes what is older; how many deliveries that were."""
        last = self._clock() - older_than.total_seconds()

        def write(db: sa.Connection) -> int:
            for table in (feedback, acquaintances, chosen):
                db.execute(table.delete().where(table.c.at < last))
            purged = db.execute(deliveries.delete().where(deliveries.c.at < last)).rowcount
            drop_counts(db)
            return purged

        return await self._database.write(write)


class DeliveryLedger:
    """Implements `bindings.delivery.outlet.Ledger`: refs are durable when a method returns."""

    def __init__(self, store: Store, record: Record, *, begun_before: bool) -> None:
        self.refs = list(record.refs)
        self.begun_before = begun_before
        self._store = store
        self._number = record.delivery.number

    async def posted(self, ref: str) -> None:
        self.refs.append(ref)
        await self._store.refer(self._number, self.refs)

    async def removed(self, ref: str) -> None:
        self.refs.remove(ref)
        await self._store.refer(self._number, self.refs)


def row_of(incoming: Incoming, kind: Kind) -> dict[str, Any]:
    place = incoming.place
    return {
        "event": hash_id(incoming.event),
        "answer": secrets.token_urlsafe(ANSWER_BYTES),
        "platform": place.platform,
        "workspace": workspace_of(place.platform, place.tenant),
        "conversation": hash_id(place.conversation),
        "source": source_of(place, incoming.message),
        "kind": kind,
        "payload": payload_of(incoming),
        "refs": "[]",
        "uploaded": False,
    }


def payload_of(incoming: Incoming) -> str:
    return json.dumps(incoming.to_json())  # in ASCII, which also carries half characters and NUL


def update(number: int, **values: Any) -> sa.Update:
    return deliveries.update().where(deliveries.c.number == number).values(**values)


def count_up(db: sa.Connection, answer: str) -> int:
    put_new(db, resumed, {"answer": answer, "times": 0})
    more = resumed.update().where(resumed.c.answer == answer).values(times=resumed.c.times + 1)
    return int(db.execute(more.returning(resumed.c.times)).scalar_one())


def drop_counts(db: sa.Connection) -> None:
    """Of what nobody will take up again."""
    left = sa.select(deliveries.c.answer).where(deliveries.c.state == "received")
    db.execute(resumed.delete().where(resumed.c.answer.not_in(left)))


def insert(db: sa.Connection, row: dict[str, Any]) -> Delivery | None:
    new = put_new(db, deliveries, row)
    return new and Delivery(new.number, row["answer"], row["kind"], row["conversation"], row["source"])


def delivery_of(row: Any) -> Delivery:
    return Delivery(row.number, row.answer, row.kind, row.conversation, row.source)


def record_of(row: Any) -> Record | None:
    if row is None or row.payload == NOTHING_SAID:
        return None
    incoming = Incoming.of_json(json.loads(row.payload))
    heard = None if row.heard is None else tuple(Turn(**turn) for turn in json.loads(row.heard))
    return Record(delivery_of(row), incoming, tuple(json.loads(row.refs)), heard, row.uploaded)


def settle(db: sa.Connection, place: Place, personality: str, now: float) -> str:
    put_new(db, chosen, choice(place, place.conversation, personality, now))
    mine = chosen.c.conversation == hash_id(place.conversation)
    # What is in use is not old.
    db.execute(chosen.update().where(chosen.c.conversation == hash_id(place.beginnings)).values(at=now))
    kept = chosen.update().where(mine).values(at=now).returning(chosen.c.personality)
    return str(db.execute(kept).scalar_one())


def choice(place: Place, name: str, personality: str, now: float) -> dict[str, Any]:
    workspace = workspace_of(place.platform, place.tenant)
    return {"conversation": hash_id(name), "workspace": workspace, "personality": personality, "at": now}


def is_acquaintance(incoming: Incoming, what: Told) -> tuple[Any, Any]:
    return acquaintances.c.speaker == hash_id(incoming.speaker), acquaintances.c.told == what


def judge(db: sa.Connection, row: dict[str, Any]) -> bool:
    of = deliveries.c
    known = sa.select(of.number).where(of.answer == row["answer"], of.kind == "message", of.conversation != "")
    if db.execute(known).first() is None:
        return False
    put(db, feedback, row)
    return True


def forget(db: sa.Connection, place: Place, before: int | None) -> None:
    conversation = hash_id(place.conversation)
    of = [deliveries.c.conversation == conversation, *([] if before is None else [deliveries.c.number < before])]
    db.execute(feedback.delete().where(feedback.c.answer.in_(sa.select(deliveries.c.answer).where(*of))))
    db.execute(chosen.delete().where(chosen.c.conversation == conversation))
    blank = {**BLANK, "refs": "[]", "conversation": "", "state": "done"}
    db.execute(deliveries.update().where(*of).values(**blank))
    drop_counts(db)


def delete_workspace(db: sa.Connection, workspace: str) -> None:
    of = deliveries.c.workspace == workspace
    db.execute(feedback.delete().where(feedback.c.answer.in_(sa.select(deliveries.c.answer).where(of))))
    for table in (deliveries, acquaintances, chosen):
        db.execute(table.delete().where(table.c.workspace == workspace))
    drop_counts(db)
