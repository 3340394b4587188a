"""Statistics of answers: how each one ended, kept over restarts, added up by several processes, without people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest
import sqlalchemy as sa

from core.contract import Done, Event, Prompt, Text, Usage
from core.errors import ModelUnavailable, PersonalityUnknown
from core.statistics import tables
from core.statistics.figures import Figures, Price
from core.statistics.reading import Period, read_figures
from core.statistics.recorder import AnswerStatistics
from core.storage.database import Database

NOW = 1_800_000_000.0
USAGE = Usage(prompt_tokens=100, completion_tokens=20, cached_tokens=60)
ASKED = Prompt("whisper", "Where is Ottawa?", user="slack:T1:U1", channel="slack")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.upgrade()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def statistics(database: Database, clock: Clock) -> AnswerStatistics:
    return AnswerStatistics(database, clock, clock)


async def answer(clock: Clock, *, model: str = "Ministral") -> AsyncGenerator[Event, None]:
    clock.now += 0.4
    yield Text("Ottawa is")
    clock.now += 2.0
    yield Text(" in Ontario.")
    yield Done("stop", model, USAGE)


async def failure(error: Exception) -> AsyncGenerator[Event, None]:
    yield Text("Ott")
    raise error


async def drain(events: AsyncGenerator[Event, None]) -> list[Event]:
    return [event async for event in events]


async def figures(database: Database, clock: Clock, period: Period = "hour") -> Figures:
    return await read_figures(database, period, clock.now, {"Ministral": Price(10.0, 100.0)})


async def test_an_answer_counts_with_its_times_and_tokens(
    database: Database, clock: Clock, statistics: AnswerStatistics
) -> None:
    assert len(await drain(statistics.observe(ASKED, answer(clock)))) == 3
    await statistics.flush()

    found = await figures(database, clock)
    assert (found.sums.answers, found.sums.failures, found.sums.stopped, found.people) == (1, 0, 0, 1)
    assert found.sums.tokens_per_s == pytest.approx(10.0)
    assert found.sums.cached_share == pytest.approx(0.6)
    assert found.cost == pytest.approx((100 * 10 + 20 * 100) / 1_000_000)
    assert 0.35 <= (found.first_text_s["median"] or 0) <= 0.5
    assert [group.name for group in found.channels] == ["slack"]
    assert [group.name for group in found.models] == ["Ministral"]


async def test_how_an_answer_ends_counts(database: Database, clock: Clock, statistics: AnswerStatistics) -> None:
    """An error counts with its code, a caller that leaves as stopped, a made-up personality not at all."""
    with pytest.raises(ModelUnavailable):
        await drain(statistics.observe(ASKED, failure(ModelUnavailable("away"))))
    with pytest.raises(ZeroDivisionError):
        await drain(statistics.observe(ASKED, failure(ZeroDivisionError())))
    with pytest.raises(PersonalityUnknown):
        await drain(statistics.observe(ASKED, failure(PersonalityUnknown("no such personality"))))
    async with aclosing(statistics.observe(ASKED, answer(clock))) as events:
        await anext(events)
    async with aclosing(statistics.observe(ASKED, answer(clock))) as events:
        async for event in events:
            if isinstance(event, Done):
                break  # the answer is whole
    await statistics.flush()

    found = await figures(database, clock)
    assert (found.sums.answers, found.sums.failures, found.sums.stopped) == (1, 2, 1)
    assert found.errors == {ModelUnavailable("").code: 1, "internal": 1}


async def test_processes_add_to_the_same_rows(database: Database, clock: Clock) -> None:
    """Two processes that flush at once lose nothing, and what a process has flushed survives it."""
    both = [AnswerStatistics(database, clock, clock) for _ in range(2)]
    for each in both:
        await drain(each.observe(ASKED, answer(clock)))
    await asyncio.gather(*(each.flush() for each in both))
    await asyncio.gather(*(each.flush() for each in both))

    found = await figures(database, clock)
    assert (found.sums.answers, found.sums.prompt_tokens, found.people) == (2, 200, 1)


async def test_counts_wait_for_a_database_that_is_away(
    database: Database, clock: Clock, statistics: AnswerStatistics
) -> None:
    await drain(statistics.observe(ASKED, answer(clock)))
    await database.write(lambda db: db.execute(sa.text("ALTER TABLE answer_statistics RENAME TO away")))
    await statistics.flush()
    await drain(statistics.observe(ASKED, answer(clock)))
    await database.write(lambda db: db.execute(sa.text("ALTER TABLE away RENAME TO answer_statistics")))
    await statistics.flush()

    assert (await figures(database, clock)).sums.answers == 2


async def test_periods_show_each_part(database: Database, clock: Clock, statistics: AnswerStatistics) -> None:
    """A period has a point for each of its parts, with nothing where nobody asked."""
    await drain(statistics.observe(ASKED, answer(clock)))
    clock.now += 3 * 60 * 60
    await drain(statistics.observe(ASKED, answer(clock)))
    await statistics.flush()

    hour, day, month = [await figures(database, clock, period) for period in ("hour", "day", "month")]
    assert [hour.sums.answers, day.sums.answers, month.sums.answers] == [1, 2, 2]
    assert [len(hour.points), len(day.points), len(month.points)] == [12, 24, 30]
    assert [point.sums.answers for point in day.points][-4:] == [1, 0, 0, 1]


async def test_no_person_is_stored_or_recognised_tomorrow(
    database: Database, clock: Clock, statistics: AnswerStatistics
) -> None:
    for _ in range(2):
        await drain(statistics.observe(ASKED, answer(clock)))
        clock.now += 24 * 60 * 60
    await statistics.flush()

    rows = await database.read(lambda db: db.execute(sa.select(tables.people)).all())
    assert len({row.person for row in rows}) == 2
    assert "U1" not in str(rows)


async def test_old_statistics_are_deleted(database: Database, clock: Clock, statistics: AnswerStatistics) -> None:
    await drain(statistics.observe(ASKED, answer(clock)))
    await statistics.flush()
    clock.now += 3 * 24 * 60 * 60
    await drain(statistics.observe(ASKED, answer(clock)))
    await statistics.flush()

    before = clock.now - 2 * 24 * 60 * 60
    deleted = [
        await database.write(lambda db, expire=expire: expire(db, before, clock.now))
        for _table, expire in tables.EXPIRING
    ]

    assert deleted == [1, 1, 0, 1]
    assert (await figures(database, clock, "month")).sums.answers == 1
