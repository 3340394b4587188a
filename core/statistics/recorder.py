"""Counts answers in memory, and adds the counts to the database every few seconds, so that they survive restarts.

A process that is killed loses the counts since the last addition, FLUSH_S at most. Several processes may add to the
same rows. A count holds no text; a person becomes a hash that no other day has.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from core.contract import Channel, Done, Prompt, Task, Text, TextDiscarded, ToilResult, Usage
from core.errors import CspsError, PersonalityUnknown, StorageError
from core.runtime import traces
from core.runtime.digest import hash_id
from core.statistics import tables
from core.statistics.figures import Sums, bucket_of
from core.storage.database import Database
from core.storage.rows import INSERT

log = structlog.get_logger()

FLUSH_S = 10.0
MODEL_CHARS = 200  # an engine behind a URL names its models as it likes
WAITING_ROWS = 20_000  # while the database is away; then further counts are dropped

SpanKey = tuple[int, str, str, str]  # beginning, channel, personality, model
AnyEvent = TypeVar("AnyEvent")


@dataclass(slots=True)
class Counts:
    """What was counted since the last addition to the database."""

    sums: dict[SpanKey, Sums] = field(default_factory=dict)
    first_texts: Counter[tuple[SpanKey, int]] = field(default_factory=Counter)
    errors: Counter[tuple[SpanKey, str]] = field(default_factory=Counter)
    people: set[tuple[int, str, str]] = field(default_factory=set)

    @property
    def rows(self) -> int:
        return len(self.sums) + len(self.first_texts) + len(self.errors) + len(self.people)

    def merge(self, other: Counts) -> None:
        for key, sums in other.sums.items():
            self.sums[key] = self.sums.get(key, Sums()) + sums
        self.first_texts.update(other.first_texts)
        self.errors.update(other.errors)
        self.people |= other.people


class AnswerStatistics:
    """One per process. `run` adds the counts while the process runs, `flush` at its end."""

    def __init__(
        self, database: Database, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._now = now
        self._clock = clock
        self._counts = Counts()

    async def observe(
        self, asked: Prompt | Task, events: AsyncGenerator[AnyEvent, None]
    ) -> AsyncGenerator[AnyEvent, None]:
        """The same events. Counts how they end: by the last event, an error, or a caller that closes them."""
        began, first_text, is_complete = self._clock(), None, False
        with traces.span("answer", channel=asked.channel, personality=asked.personality) as span:
            try:
                async with aclosing(events):
                    async for event in events:
                        if isinstance(event, Text) and event.text and first_text is None:
                            first_text = self._clock()
                            span.event("first_text")
                        elif isinstance(event, TextDiscarded):
                            first_text = None
                        elif isinstance(event, Done | ToilResult):
                            is_complete = True  # a caller that leaves now has the whole answer
                            self._count_answer(asked, event.model, event.usage, began, first_text)
                            span.set(model=event.model, **asdict(event.usage))
                        yield event
            except BaseException as exc:
                if not is_complete:
                    self._count_end(asked, exc)
                raise

    def _count_end(self, asked: Prompt | Task, exc: BaseException) -> None:
        if isinstance(exc, PersonalityUnknown):
            return  # strangers may send any name, and each would be a row
        if isinstance(exc, (asyncio.CancelledError, GeneratorExit)):
            self._count(asked, "", Sums(stopped=1))
            return
        key = self._count(asked, "", Sums(failures=1))
        self._counts.errors[key, exc.code if isinstance(exc, CspsError) else "internal"] += 1

    def _count_answer(
        self, asked: Prompt | Task, model: str, usage: Usage, began: float, first_text: float | None
    ) -> None:
        now = self._clock()
        key = self._count(
            asked,
            model,
            Sums(
                answers=1,
                prompt_tokens=usage.prompt_tokens,
                cached_tokens=usage.cached_tokens,
                answer_tokens=usage.completion_tokens,
                writing_s=now - (began if first_text is None else first_text),
            ),
        )
        self._counts.first_texts[key, bucket_of((now if first_text is None else first_text) - began)] += 1

    def _count(self, asked: Prompt | Task, model: str, sums: Sums) -> SpanKey:
        now = int(self._now())
        key = (now - now % tables.SPAN_S, asked.channel, asked.personality[:100], model[:MODEL_CHARS])
        self._counts.sums[key] = self._counts.sums.get(key, Sums()) + sums
        if person := asked.owner or asked.user:
            self._counts.people.add(person_of_day(now // tables.DAY_S, asked.channel, person))
        return key

    async def run(self) -> None:
        """Adds the counts every FLUSH_S seconds, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Adds the counts to the database. Keeps them for the next time if it refuses."""
        counts, self._counts = self._counts, Counts()
        if not counts.rows:
            return
        try:
            await self._database.write(lambda db: add(db, counts))
        except StorageError as exc:
            log.warning("statistics_not_stored", rows=counts.rows, problem=exc.message)
            if counts.rows + self._counts.rows <= WAITING_ROWS:
                counts.merge(self._counts)
                self._counts = counts


def person_of_day(day: int, channel: Channel, person: str) -> tuple[int, str, str]:
    return day, channel, hash_id(f"{day}\n{person}")


# ---------------------------------------------------------------- rows


def add(db: sa.Connection, counts: Counts) -> None:
    """Adds the counts to the rows that are there. In the order of their keys: two processes cannot block each other."""
    sums = [{**span(key), **asdict(counts.sums[key])} for key in sorted(counts.sums)]
    add_up(db, tables.answers, sums)
    buckets = [{**span(key), "bucket": bucket, "answers": n} for (key, bucket), n in sorted(counts.first_texts.items())]
    add_up(db, tables.first_texts, buckets)
    add_up(
        db, tables.errors, [{**span(key), "code": code, "count": n} for (key, code), n in sorted(counts.errors.items())]
    )
    for day, channel, person in sorted(counts.people):
        row = {"day": day, "channel": channel, "person": person}
        db.execute(INSERT[db.dialect.name](tables.people).values(row).on_conflict_do_nothing())


def span(key: SpanKey) -> dict[str, Any]:
    return dict(zip(("began_at", "channel", "personality", "model"), key, strict=True))


def add_up(db: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    keys = list(table.primary_key.columns)
    for row in rows:
        insert = INSERT[db.dialect.name](table).values(row)
        summed = {each.name: each + insert.excluded[each.name] for each in table.columns if each not in keys}
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=summed))
