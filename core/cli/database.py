"""`csps-llm db status | upgrade`: prints the revision of the database's tables, and upgrades them.

Each process upgrades the tables when it starts. These commands let an operator see or do it before.
"""

from __future__ import annotations

import asyncio
import os
import time

import typer

from core.cli.localization import locale_language
from core.configuration import settings
from core.configuration.settings import Settings
from core.contract import Language
from core.runtime import log
from core.storage.database import examine, rehearse
from core.storage.opening import open_database
from core.storage.schema import SchemaVersion
from core.texts import text


def status() -> None:
    """Prints the revision. Raises ConfigError and StorageError."""
    print_schema(examine(load_settings().database_url), locale_language(os.environ))


def upgrade(*, dry_run: bool) -> None:
    """Upgrades the tables, or rehearses it. Raises ConfigError and StorageError, after which nothing is changed."""
    loaded, language = load_settings(), locale_language(os.environ)
    url = loaded.database_url
    schema = examine(url)
    print_schema(schema, language)
    if not schema.pending:
        return
    started_at = time.monotonic()
    if dry_run:
        rehearse(url)
        typer.echo(text("cli-db-rehearsed", language, seconds=round(time.monotonic() - started_at, 1)))
    else:
        asyncio.run(upgrade_database(loaded))
        typer.echo(text("cli-db-upgraded", language, revision=schema.pending[-1]))


def load_settings() -> Settings:
    loaded = settings.load(os.environ)
    log.configure(loaded.log, "db")
    return loaded


def print_schema(schema: SchemaVersion, language: Language) -> None:
    """Prints the revision, and a line for each pending one."""
    if schema.revision is None:
        typer.echo(text("cli-db-empty", language))
    else:
        typer.echo(text("cli-db-revision", language, revision=schema.revision))
    typer.echo(text("cli-db-pending", language, count=len(schema.pending)))
    for revision in schema.pending:
        typer.echo(f"  {revision}  {text(f'cli-db-change-{revision}', language)}")


async def upgrade_database(loaded: Settings) -> None:
    database = open_database(loaded)
    try:
        await database.upgrade()
    finally:
        await database.close()
