"""The sources of an answer are stored and deleted with its exchange."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core.contract import Source
from core.conversation.exchanges import ExchangeKey, Question
from core.conversation.sessions import Sessions
from core.conversation.tables import exchange_sources
from core.storage.database import Database
from tests.support.databases import create_as_version_0_1_0, dump_tables, execute
from tests.support.purging import purge

FORECAST = Source(1, "Forecast", "https://weather.example/x", "en", datetime(2026, 7, 27, 18, 5, tzinfo=UTC))
NEWS = Source(2, "Nouvelles «du jour»")
HERE = "slack:T:C:1"


@pytest.fixture
async def sessions(database: Database) -> Sessions:
    await database.upgrade()
    return Sessions(database)


async def begun(sessions: Sessions, key: str | None = None) -> ExchangeKey:
    conversation = await sessions.enter(HERE, "whisper", key=key)
    return await sessions.begin_exchange(conversation.id, Question("?"), key=key)


async def kept(sessions: Sessions) -> list[tuple[Source, ...]]:
    """The stored sources, by exchange."""
    return [exchange.sources for exchange in (await sessions.enter(HERE, "whisper")).exchanges]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Records the statements on any database."""
    found: list[str] = []

    def executed(*told: Any) -> None:
        found.append(told[2])

    sa.event.listen(sa.Engine, "before_cursor_execute", executed)
    yield found
    sa.event.remove(sa.Engine, "before_cursor_execute", executed)


async def test_each_exchange_has_its_sources(sessions: Sessions, database_url: str) -> None:
    """They have all fields and their order, also in another process. An exchange may have none."""
    for sources in ((FORECAST, NEWS), (), (NEWS,)):
        await sessions.finish_exchange(await begun(sessions), "So [1].", "stop", sources)
    await begun(sessions)
    other = Database(database_url)

    assert await kept(Sessions(other)) == [(FORECAST, NEWS), (), (NEWS,), ()]
    await other.close()


async def test_sources_are_loaded_in_one_query(sessions: Sessions) -> None:
    """This holds for any number of exchanges."""
    counts = []
    for _ in range(2):
        await sessions.finish_exchange(await begun(sessions), "a", "stop", (FORECAST,))
        with statements() as executed:
            await kept(sessions)
        counts.append(len(executed))

    assert 0 < counts[0] == counts[1]


async def test_a_repeated_turn_loses_its_earlier_sources(sessions: Sessions) -> None:
    """The old sources go at once; the new answer's follow."""
    await sessions.finish_exchange(await begun(sessions, "m1"), "a", "stop", (FORECAST, NEWS))
    key = await begun(sessions, "m1")
    assert await kept(sessions) == [()]
    await sessions.finish_exchange(key, "b", "stop", (NEWS,))

    assert await kept(sessions) == [(NEWS,)]


async def test_a_late_answer_has_its_own_sources(sessions: Sessions) -> None:
    """If two processes answer one exchange, the later one's answer and sources stay."""
    key = await begun(sessions, "m1")
    await sessions.finish_exchange(key, "a", "stop", (FORECAST,))
    await sessions.finish_exchange(key, "b", "stop", (NEWS,))
    assert await kept(sessions) == [(NEWS,)]
    await sessions.finish_exchange(key, "c", "stopped")

    assert await kept(sessions) == [()]


async def test_a_repeated_turn_is_found_with_its_sources(sessions: Sessions) -> None:
    """A repeated answer needs them."""
    await sessions.finish_exchange(await begun(sessions, "m1"), "a", "stop", (FORECAST,))
    found = (await sessions.enter(HERE, "whisper", key="m1")).repeated

    assert found is not None
    assert found.sources == (FORECAST,)


@pytest.mark.parametrize("how", ["forget", "purge", "withdraw"])
async def test_sources_are_deleted_with_their_turn(
    sessions: Sessions, database: Database, database_url: str, how: str
) -> None:
    """No sources remain of a deleted conversation or exchange; a late answer adds none."""
    key = await begun(sessions)
    await sessions.finish_exchange(key, "a", "stop", (FORECAST,))
    match how:
        case "forget":
            await sessions.forget(HERE)
        case "purge":
            await purge(database, timedelta(), time.time() + 60)
        case "withdraw":
            await sessions.withdraw_exchange(key)
    await sessions.finish_exchange(key, "a", "stop", (FORECAST,))

    assert dump_tables(database_url)[exchange_sources.name] == []


async def test_an_older_database_still_works(sessions: Sessions, database_url: str, other_url: str) -> None:
    """Old answers have no sources; new ones do."""
    await sessions.finish_exchange(await begun(sessions), "a", "stop")
    create_as_version_0_1_0(other_url, dump_tables(database_url))
    execute(other_url, f"DROP TABLE {exchange_sources.name}")
    older = Database(other_url)
    await older.upgrade()
    upgraded = Sessions(older)
    await upgraded.finish_exchange(await begun(upgraded), "b", "stop", (FORECAST,))

    assert await kept(upgraded) == [(), (FORECAST,)]
    await older.close()


async def test_titles_of_strangers_can_be_stored(sessions: Sessions) -> None:
    """Half surrogate pairs and NUL in a title do not fail the answer."""
    await sessions.finish_exchange(
        await begun(sessions), "a", "stop", (Source(1, "a\ud800b\0c", "https://x.example/\0"),)
    )

    assert await kept(sessions) == [(Source(1, "a?bc", "https://x.example/"),)]
