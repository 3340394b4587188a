"""The code of today starts on the folders of version 0.1.0, from before databases had revisions.

tests/data/version-0.1.0 has an operator's config folder, a data folder, and the database as SQL of SQLite and of
PostgreSQL. The code of that version made the data, by the script beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bindings.incoming import IncomingMessage, Place
from bindings.store import Store
from core import bootstrap
from core.bootstrap import Core
from core.configuration import settings
from core.configuration.settings import Settings
from core.contract import TranscriptTurn
from core.rag.embeddings import LocalEmbedder
from core.rag.facts.glossary import Glossary
from core.rag.facts.store import FactStore
from core.rag.fetching.fetch import Fetcher
from core.rag.sources.catalogue import Sources
from core.storage import migration
from tests.support.databases import dump_tables, execute

FOLDER = Path(__file__).parents[2] / "data" / "version-0.1.0"
SESSION = "web:the-id-that-the-test-resumes"
THREAD = Place("slack", "T1", "C1", "1700000000.000100", "channel")
DIRECT = Place("discord", "", "D1", None, "personal")
PAGE_URL = "https://bulletin.example.gc.ca/en"
FETCHED_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def old_settings(database_url: str, tmp_path: Path) -> Settings:
    """The settings of version 0.1.0, with a database that its code filled."""
    data, config = tmp_path / "var", tmp_path / "config"
    shutil.copytree(FOLDER / "data", data)
    shutil.copytree(FOLDER / "config", config)
    fill(database_url)
    return settings.load({"CSPS_LLM_DATA": str(data), "CSPS_LLM_CONFIG": str(config), "DATABASE_URL": database_url})


def fill(url: str) -> None:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        execute(url, (FOLDER / "postgresql.sql").read_text("utf-8"))
        return
    assert parsed.database
    Path(parsed.database).parent.mkdir()
    connection = sqlite3.connect(parsed.database)
    connection.executescript((FOLDER / "sqlite.sql").read_text("utf-8"))
    connection.close()


@asynccontextmanager
async def started(old_settings: Settings) -> AsyncIterator[Core]:
    async with bootstrap.run_core(old_settings, warms=False) as core:
        yield core


async def test_the_database_comes_to_the_newest_revision(old_settings: Settings, database_url: str) -> None:
    """No row is lost, and a second start changes nothing."""
    before = dump_tables(database_url)
    async with started(old_settings):
        first = dump_tables(database_url)
    async with started(old_settings):
        second = dump_tables(database_url)

    assert [{"version_num": migration.scripts().get_current_head()}] == first["alembic_version"]
    assert {table: len(rows) for table, rows in before.items()} == {table: len(first[table]) for table in before}
    changing = {"record_state"}  # when the clock was looked at
    assert first.keys() == second.keys()
    assert all(first[table] == second[table] for table in first.keys() - changing)


async def test_a_conversation_is_resumed(old_settings: Settings) -> None:
    """It has its sources, its attachments and its unanswered exchange. Only its owner can resume it."""
    async with started(old_settings) as core:
        transcript = await core.engine.resume(SESSION, "librarian", "alice")

    assert ["Quand rouvre la cafétéria?", "Lundi. [1]", "And the library?"] == [turn.text for turn in transcript[:3]]
    answer: TranscriptTurn = transcript[1]
    assert [("Bulletin", PAGE_URL)] == [(source.title, source.url) for source in answer.sources]
    assert ("notes.txt",) == transcript[0].attachments


async def test_deliveries_are_known(old_settings: Settings) -> None:
    """An event is not taken twice, and a delivery that a dead process left is taken up."""
    async with started(old_settings) as core:
        store = Store(core.database)
        again = IncomingMessage("slack:T1:C1:1700000000.000100", THREAD, "1700000000.000100", "U1", "Again?")
        assert await store.take(again, "message") is None
        left = await store.unfinished("discord")
        assert [1] == [delivery.crashes for delivery in left]
        record = await store.record(left[0].number)
        assert record is not None
        assert "Are you there?" == record.incoming.text
        assert "librarian" == await store.chosen_personality(DIRECT)
        assert await store.find_answer(THREAD, "1700000000.000200")


async def test_facts_are_found(old_settings: Settings) -> None:
    """They are found by meaning, by words, and by the operator's glossary, in both languages."""
    async with AsyncExitStack() as closing:
        core = await closing.enter_async_context(started(old_settings))
        embedder = LocalEmbedder()
        closing.push_async_callback(embedder.close)
        facts = FactStore(core.database, embedder, Glossary.load(old_settings.config_file("glossary.toml")))
        for question, title in (("How much holiday may I keep?", "Leave"), ("opening hours", "Salle de lecture")):
            assert title == (await facts.search(["leave"], question))[0].title
        assert [("leave", 2, 3)] == [(each.name, each.documents, each.passages) for each in await facts.collections()]


async def test_settings_personalities_and_sources_are_read(old_settings: Settings) -> None:
    """An operator's config folder means what it meant."""
    assert (5151, 7) == (old_settings.web.port, old_settings.bot.answers)
    sources = Sources(old_settings.config_file("sources.toml"), ())
    sources.load()
    assert ["bulletin"] == list(sources.names())
    async with started(old_settings) as core:
        assert ("librarian",) == core.engine.personalities()
        personality = core.personalities.get("librarian")
    assert (("bulletin",), ("leave",)) == (personality.sources, personality.collections)


async def test_a_fetched_page_is_used_again(old_settings: Settings) -> None:
    """Its site is not asked while the page is fresh."""
    fetcher = Fetcher(old_settings.data_folder / "pages", user_agent="csps-llm tests", now=lambda: FETCHED_AT)
    async with fetcher:
        fetched = await fetcher.fetch(PAGE_URL)

    assert fetched.cached
    assert b"The cafeteria reopens on Monday." in fetched.body
