"""Databases come to the newest revision: from nothing, from before revisions, by many processes; or are left alone."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from structlog.testing import capture_logs

import core.access.tables
import core.conversation.tables
import core.holds.tables
import core.rag.facts.memory_vectors
import core.rag.facts.tables
import core.receipts.tables
import core.records.tables
import core.statistics.tables
import core.storage.bot_tables
import core.storage.state
from core.errors import ConfigError, StorageError
from core.rag.facts import pgvector
from core.storage import database as storage
from core.storage import migration, schema
from core.storage.database import Database, examine, lock_schema, rehearse
from core.storage.schema import SchemaVersion
from tests.support.databases import create_as_version_0_1_0, dump_schema, dump_tables, execute

TABLE_MODULES = (
    core.conversation.tables,
    core.holds.tables,
    core.rag.facts.tables,
    core.access.tables,
    core.receipts.tables,
    core.records.tables,
    core.statistics.tables,
    core.storage.bot_tables,
    core.storage.state,
)
VERSIONS = Path(migration.__file__).parent / "versions"
NEWEST = str(migration.scripts().get_current_head())
NEXT = f"{int(NEWEST) + 1:04}"
NEXT_REVISION = f'''"""A new column, and a column's type, for which SQLite copies the table."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{NEWEST}"


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("subject", sa.Text))
        table.alter_column("personality", type_=sa.Text)
    {{then}}
'''


@pytest.fixture
def next_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The revision after the newest, which a test may write anew before the database is upgraded."""
    shutil.copytree(VERSIONS, tmp_path / "versions")
    script = tmp_path / "versions" / f"{NEXT}_next.py"
    script.write_text(NEXT_REVISION.format(then="pass"))
    yield script
    monkeypatch.undo()


def use_scripts(monkeypatch: pytest.MonkeyPatch, script: Path) -> None:
    scripts = ScriptDirectory(str(script.parents[1]))
    monkeypatch.setattr(migration, "scripts", lambda: scripts)
    monkeypatch.setattr(schema, "NEWEST", scripts.get_current_head())


def create_as_defined(url: str) -> None:
    """Creates the tables as the definitions in code have them, without revisions."""
    engine = sa.create_engine(url)
    with engine.begin() as db:
        for module in TABLE_MODULES:
            module.tables.create_all(db)
        pgvector.create(db)
    engine.dispose()


async def upgraded(url: str) -> Database:
    database = Database(url)
    await database.upgrade()
    return database


# ---------------------------------------------------------------- the newest revision


async def test_migrated_tables_are_those_in_code(database: Database, database_url: str, other_url: str) -> None:
    """A table that is changed in code alone, or by a revision alone, fails here."""
    await database.upgrade()
    await database.write(pgvector.create)
    create_as_defined(other_url)

    migrated, defined = dump_schema(database_url), dump_schema(other_url)

    assert {"alembic_version"} == migrated.keys() - defined.keys()
    assert defined == {name: table for name, table in migrated.items() if name != "alembic_version"}


async def test_upgrade_twice_changes_nothing(database: Database, database_url: str) -> None:
    """The second finds nothing to do, and logs nothing."""
    first = await database.upgrade()
    before = dump_tables(database_url)
    with capture_logs() as logs:
        second = await database.upgrade()

    assert first == tuple(script.revision for script in migration.following(None))
    assert () == second
    assert [] == logs
    assert before == dump_tables(database_url)


def upgrade_in_process(url: str) -> None:
    asyncio.run(upgraded(url))


@pytest.mark.slow  # starts processes
def test_processes_that_start_at_once_upgrade_once(database_url: str) -> None:
    """Four that begin on an empty database find it whole."""
    processes = [
        multiprocessing.get_context("spawn").Process(target=upgrade_in_process, args=(database_url,)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [0] * 4 == [process.exitcode for process in processes]
    assert [{"version_num": migration.scripts().get_current_head()}] == dump_tables(database_url)["alembic_version"]


async def test_waiting_for_another_process_is_logged(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade that takes longer than SLOW_UPGRADE_S is logged, and continues."""
    monkeypatch.setattr(storage, "SLOW_UPGRADE_S", 0)
    logged = asyncio.Event()
    monkeypatch.setattr(storage.log, "info", lambda event, **_fields: logged.set(), raising=False)
    engine = storage.connect(database_url, upgrades=True)
    with engine.begin() as db:
        lock_schema(db)
        upgrading = asyncio.create_task(database.upgrade())
        await logged.wait()
        assert not upgrading.done()
    engine.dispose()

    assert await upgrading


# ---------------------------------------------------------------- refused


async def test_a_newer_database_is_refused(database: Database, database_url: str) -> None:
    """The error names the revision found, the newest known, and what to do; nothing changes."""
    await database.upgrade()
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    before = dump_tables(database_url)

    with pytest.raises(ConfigError) as refused:
        await database.upgrade()

    for part in ("revision 9999", f"up to {migration.scripts().get_current_head()}", "backup", "docs/operating.md"):
        assert part in refused.value.message
    assert before == dump_tables(database_url)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE turns (id INTEGER PRIMARY KEY, text TEXT)",
        "CREATE TABLE turns (conversation INTEGER NOT NULL, number INTEGER NOT NULL, question TEXT NOT NULL, "
        "attachments TEXT NOT NULL, heard TEXT NOT NULL, answer TEXT, reason VARCHAR(16), "
        "PRIMARY KEY (conversation, number))",
    ],
)
async def test_tables_of_another_program_are_refused(database: Database, database_url: str, statement: str) -> None:
    """A table with one of our names and other columns, keys or nulls is named and left as it is."""
    execute(database_url, statement)
    before = dump_schema(database_url)

    with pytest.raises(ConfigError, match="the tables turns are not those of csps-llm"):
        await database.upgrade()

    assert before == dump_schema(database_url)


async def test_tables_that_are_not_ours_are_left_alone(database: Database, database_url: str) -> None:
    """Another program's table, and an operator's index on one of ours."""
    create_as_version_0_1_0(database_url)
    execute(
        database_url,
        "CREATE TABLE theirs (id INTEGER PRIMARY KEY)",
        "CREATE INDEX operators_own ON turns (reason)",
        "DROP TABLE resumed",
    )
    await database.upgrade()

    assert {"theirs", "resumed"} <= dump_schema(database_url).keys()
    assert "operators_own" in str(dump_schema(database_url)["turns"])


async def test_rows_that_referred_to_none_before_do_not_keep_a_database_from_being_adopted(tmp_path: Path) -> None:
    """An operator deleted a conversation in the `sqlite3` shell, and another program's table is beside ours."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    create_as_version_0_1_0(url)
    execute(
        url,
        INSERT_TURN[1],
        "CREATE TABLE theirs (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES theirs (id))",
        "INSERT INTO theirs VALUES (1, 2)",
    )

    await (await upgraded(url)).close()

    assert "Hi" == dump_tables(url)["turns"][0]["question"]


# ---------------------------------------------------------------- what later revisions rely on


INSERT_TURN = (
    "INSERT INTO conversations (id, key, personality, used_at) VALUES (1, 'k', 'whisper', 1)",
    "INSERT INTO turns (conversation, number, question, attachments, heard, answer) VALUES (1, 1, 'Hi', '', '', '')",
)


async def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(
    database: Database, database_url: str, next_revision: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would delete the turns of a conversation whose table is copied, if it enforced keys meanwhile."""
    await database.upgrade()
    execute(database_url, *INSERT_TURN)
    use_scripts(monkeypatch, next_revision)

    assert (NEXT,) == await database.upgrade()

    assert "Hi" == dump_tables(database_url)["turns"][0]["question"]
    assert dump_tables(database_url)["conversations"][0]["subject"] is None


@pytest.mark.parametrize(
    ("then", "problem"),
    [
        ("op.execute('SELECT nothing FROM nowhere')", "the database refused"),
        ("op.execute('DELETE FROM conversations')", None),
    ],
)
async def test_a_revision_that_fails_changes_nothing(
    database: Database,
    database_url: str,
    next_revision: Path,
    monkeypatch: pytest.MonkeyPatch,
    then: str,
    problem: str | None,
) -> None:
    """This holds if the database refuses a statement, or if rows are left with broken references."""
    if problem is None and database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL enforces foreign keys at once")
    await database.upgrade()
    execute(database_url, *INSERT_TURN)
    before = dump_tables(database_url)
    next_revision.write_text(NEXT_REVISION.format(then=then))
    use_scripts(monkeypatch, next_revision)

    with pytest.raises(StorageError, match=problem or "a row of the table turns refers to none of conversations"):
        await database.upgrade()

    assert before == dump_tables(database_url)


# ---------------------------------------------------------------- rehearsal


async def test_a_rehearsal_changes_nothing(
    database_url: str, next_revision: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the revisions that would be applied, and the database stays as it was."""
    await (await upgraded(database_url)).close()
    execute(database_url, *INSERT_TURN)
    before = dump_tables(database_url), dump_schema(database_url)
    use_scripts(monkeypatch, next_revision)

    assert (NEXT,) == rehearse(database_url)

    assert before == (dump_tables(database_url), dump_schema(database_url))


def test_a_rehearsal_creates_no_database(tmp_path: Path) -> None:
    """If there is no SQLite file, neither it nor its folder is created. The same holds for `examine`."""
    url = f"sqlite:///{tmp_path / 'folder' / 'none.db'}"

    assert SchemaVersion(None, rehearse(url)) == examine(url)
    assert [] == list(tmp_path.iterdir())


async def test_a_rehearsal_finds_what_an_upgrade_would_refuse(database: Database, database_url: str) -> None:
    """A newer database, and a database that cannot be read."""
    await database.upgrade()
    execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="revision 9999"):
        rehearse(database_url)


def test_a_rehearsal_on_a_file_that_is_no_database(tmp_path: Path) -> None:
    """SQLite's refusal becomes a StorageError that names the file."""
    (tmp_path / "x.db").write_text("This is no database. " * 100)
    with pytest.raises(StorageError, match=r"x\.db cannot be copied"):
        rehearse(f"sqlite:///{tmp_path / 'x.db'}")


def test_the_newest_revision_is_known_without_alembic() -> None:
    """It takes memory in every process, and only a database that is behind needs it."""
    assert schema.NEWEST == migration.scripts().get_current_head()
    code = "import sys, core.storage.database; print('alembic' in sys.modules)"
    assert "False" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
