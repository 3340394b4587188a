"""The purge: what each kind keeps, one purge for several processes, and clocks that jump."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from core.configuration.record_section import RecordKind
from core.contract import Rating
from core.conversation.exchanges import Question
from core.conversation.owned import OwnedConversations
from core.conversation.sessions import Sessions
from core.conversation.tables import conversations
from core.records import purge
from core.records.clock import ClockReading
from core.records.kinds import KINDS, NOT_KEPT
from core.records.purge import RecordsPurge
from core.storage.database import Database
from tests.support.databases import dump_tables
from tests.support.purging import NO_FOLDER, same_period

DAY_S = 86_400.0
MONTH = same_period(timedelta(days=30))
NOW = ClockReading(1_700_000_000.0, 1000.0, "boot-1")


class Clock:
    """A machine's clock and uptime."""

    def __init__(self) -> None:
        self.reading = NOW

    def __call__(self) -> ClockReading:
        return self.reading

    def wall_s(self) -> float:
        return self.reading.wall_s

    def pass_days(self, days: float) -> None:
        self.jump_days(days)
        self.reading = replace(self.reading, uptime_s=self.reading.uptime_s + days * DAY_S)

    def jump_days(self, days: float) -> None:
        self.reading = replace(self.reading, wall_s=self.reading.wall_s + days * DAY_S)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(database: Database, clock: Clock) -> Sessions:
    await database.upgrade()
    return Sessions(database, clock.wall_s)


def process(database: Database, clock: Clock, retention: dict[RecordKind, timedelta] = MONTH) -> RecordsPurge:
    return RecordsPurge(database, retention, NO_FOLDER, clock)


async def count_conversations(database: Database) -> int:
    counted = sa.select(sa.func.count()).select_from(conversations)
    return await database.read(lambda db: db.execute(counted).scalar_one())


async def test_every_table_is_in_the_list_of_kinds(database: Database, database_url: str) -> None:
    """Or in the list of tables that are not kept as records, with the reason, or goes with one that is listed."""
    await database.upgrade()
    metadata = sa.MetaData()
    engine = sa.create_engine(database_url)
    with engine.connect() as db:
        metadata.reflect(db)
    engine.dispose()
    listed = {each.table.name for kind in KINDS for each in kind.tables} | NOT_KEPT.keys()
    full_text = ("fact_words", "fact_word_counts", "fact_vectors", "fact_passages_words")

    unlisted = {
        name
        for name, table in metadata.tables.items()
        if name not in listed and not name.startswith(full_text) and not goes_with_another(table)
    }

    assert unlisted == set()


def goes_with_another(table: sa.Table) -> bool:
    return any(key.ondelete == "CASCADE" for key in table.foreign_key_constraints)


async def test_processes_of_one_database_purge_once_a_day(sessions: Sessions, database: Database, clock: Clock) -> None:
    """A second process finds nothing to do until a day has passed."""
    first, second = process(database, clock), process(database, clock)
    assert await first.purge_when_due() == {}
    assert await second.purge_when_due() is None

    await sessions.open("whisper")
    clock.pass_days(31)

    assert await second.purge_when_due() == {"conversations": 1}
    assert await first.purge_when_due() is None


async def test_a_new_period_counts_at_once(sessions: Sessions, database: Database, clock: Clock) -> None:
    """A process that starts with a shorter period purges although another one did today."""
    await sessions.open("whisper")
    clock.pass_days(3)
    await process(database, clock).purge_when_due()
    shorter = process(database, clock, {**MONTH, "conversations": timedelta(days=2)})

    assert await shorter.purge_when_due() == {"conversations": 1}


async def test_a_purge_is_claimed(sessions: Sessions, database: Database, clock: Clock) -> None:
    """While one process purges, others do not; the claim of a process that died ends after CLAIM_S."""
    periods = {"conversations": 1.0}
    assert await database.write(lambda db: purge.claim(db, 1000.0, periods))
    assert not await database.write(lambda db: purge.claim(db, 1001.0, periods))
    assert await database.write(lambda db: purge.claim(db, 1002.0 + purge.CLAIM_S, periods))


async def test_feedback_has_its_own_period(sessions: Sessions, database: Database, clock: Clock) -> None:
    """The conversation stays without its rating."""
    name = await sessions.open("whisper")
    await sessions.begin_exchange((await sessions.enter(name, "whisper")).id, Question("hi"))
    await OwnedConversations(database, clock.wall_s).rate(Rating(name, 1, "bad", "wrong"))
    clock.pass_days(3)

    deleted = await process(database, clock, {**MONTH, "feedback": timedelta(days=2)}).purge_when_due()

    assert deleted == {"turn_ratings": 1}
    assert 1 == await count_conversations(database)


@pytest.mark.parametrize("days", [2, 31, 40, 4000])
async def test_a_clock_that_jumps_while_the_service_runs_purges_nothing(
    sessions: Sessions, database: Database, clock: Clock, days: float
) -> None:
    """It is logged with the way to confirm it. When the clock is right again, purges go on."""
    day = {**MONTH, "conversations": timedelta(days=1)}
    running = process(database, clock, day)
    await running.purge_when_due()
    await sessions.open("whisper")
    clock.jump_days(days)
    with capture_logs() as logs:
        assert await running.purge_when_due() is None
        assert await running.purge_when_due() is None
    assert [("purge_refused", float(days))] == [(each["event"], each["ahead_days"]) for each in logs]

    clock.jump_days(-days)
    clock.pass_days(1.5)

    assert await running.purge_when_due() == {"conversations": 1}


@pytest.mark.parametrize("boot", ["boot-1", "boot-2", ""])
async def test_a_clock_that_jumps_while_the_service_is_off_purges_nothing(
    sessions: Sessions, database: Database, clock: Clock, boot: str
) -> None:
    """On the same start of the machine, after a restart of the machine, and where no uptime is known."""
    await process(database, clock).purge_when_due()
    await sessions.open("whisper")
    clock.jump_days(40)
    clock.reading = replace(clock.reading, boot=boot)

    assert await process(database, clock).purge_when_due() is None
    assert 1 == await count_conversations(database)


async def test_a_database_that_was_never_purged_knows_its_newest_row(
    sessions: Sessions, database: Database, clock: Clock
) -> None:
    await sessions.open("whisper")
    clock.jump_days(40)

    assert await process(database, clock).purge_when_due() is None


async def test_a_clock_that_jumps_on_one_of_several_machines_purges_nothing(
    sessions: Sessions, database: Database, clock: Clock
) -> None:
    """Another machine's last known time is too near to tell; the process remembers its own."""
    short = {**MONTH, "conversations": timedelta(days=1)}
    other = Clock()
    other.reading = replace(NOW, boot="other")
    here, there = process(database, clock, short), process(database, other, short)
    await here.purge_when_due()
    await there.purge_when_due()
    await sessions.open("whisper")
    clock.jump_days(3)

    assert await here.purge_when_due() is None
    assert 1 == await count_conversations(database)


async def test_an_operator_confirms_the_clock(sessions: Sessions, database: Database, clock: Clock) -> None:
    """After a long pause the clock is right, and the purge goes on, also in a process that refused."""
    running = process(database, clock)
    await running.purge_when_due()
    await sessions.open("whisper")
    clock.jump_days(40)
    assert await running.purge_when_due() is None

    await process(database, clock).confirm_clock(clock())

    assert await running.purge_when_due() == {"conversations": 1}


async def test_old_files_are_deleted(database: Database, clock: Clock, tmp_path: Path) -> None:
    """A job's folder goes as a whole, and only if nothing in it is young; other files of the data folder stay."""
    await database.upgrade()
    old, young = NOW.wall_s - 8 * DAY_S, NOW.wall_s - DAY_S
    for name, used_at in {
        "pages/a.page": old,
        "pages/b.page": young,
        "jobs/slack/x/rows": old,
        "jobs/slack/x/plan": old,
        "jobs/slack/y/rows": old,
        "jobs/slack/y/plan": young,
        "suspended/key": old,
        "suspended/model/state": old,
        "models/owner--name/m.gguf": old,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (used_at, used_at))
    for folder in ("x", "y"):
        os.utime(tmp_path / "jobs" / "slack" / folder, (old, old))

    counts = await RecordsPurge(database, same_period(timedelta(days=7)), tmp_path, clock).purge(NOW)

    assert {"files": 3} == counts
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left - {"database/test.db"} == {
        "pages/b.page",
        "jobs/slack/y/rows",
        "jobs/slack/y/plan",
        "suspended/key",
        "models/owner--name/m.gguf",
    } | {each for each in left if each.startswith("database/") and each != "database/test.db"}


async def test_dumped_state_names_no_person(
    sessions: Sessions, database: Database, database_url: str, clock: Clock
) -> None:
    """The purge remembers times and periods, nothing else."""
    await sessions.open("whisper", "person:ana@example.gc.ca")
    await process(database, clock).purge_when_due()

    assert "ana" not in str(dump_tables(database_url)["record_state"])
