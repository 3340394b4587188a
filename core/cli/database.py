"""`csps-llm db status | upgrade`: the revision of the database's tables, and the step to the newest one.

Processes upgrade by themselves at start; these commands are for those who want to know before, or to wait themselves.
"""

from __future__ import annotations

import asyncio
import os
import time

import typer

from core.cli.words import language_of
from core.configuration import settings
from core.contract import Language
from core.runtime import log
from core.storage.database import Database, examine, rehearse
from core.storage.migration import Schema
from core.texts import text


def status() -> None:
    """Raises ConfigError and StorageError."""
    print_schema(examine(database_url()), language_of(os.environ))


def upgrade(*, dry_run: bool) -> None:
    """Raises ConfigError and StorageError; then nothing was changed."""
    url, language = database_url(), language_of(os.environ)
    schema = examine(url)
    print_schema(schema, language)
    if not schema.pending:
        return
    began_at = time.monotonic()
    if dry_run:
        rehearse(url)
        typer.echo(text("cli-db-rehearsed", language, seconds=round(time.monotonic() - began_at, 1)))
    else:
        asyncio.run(upgrade_database(url))
        typer.echo(text("cli-db-upgraded", language, revision=schema.pending[-1]))


def database_url() -> str:
    loaded = settings.load(os.environ)
    log.configure(loaded.log, "db")
    return loaded.database_url


def print_schema(schema: Schema, language: Language) -> None:
    """The revision, and a line for each pending one."""
    if schema.revision is None:
        typer.echo(text("cli-db-empty", language))
    else:
        typer.echo(text("cli-db-revision", language, revision=schema.revision))
    typer.echo(text("cli-db-pending", language, count=len(schema.pending)))
    for revision in schema.pending:
        typer.echo(f"  {revision}  {text(f'cli-db-change-{revision}', language)}")


async def upgrade_database(url: str) -> None:
    database = Database(url)
    try:
        await database.upgrade()
    finally:
        await database.close()
