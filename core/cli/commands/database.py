"""`csps-llm db`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-db")


@command(group, "status", "cli-help-db-status")
def show_schema() -> None:
    from core.cli import database

    database.status()


@command(group, "upgrade", "cli-help-db-upgrade")
def upgrade_schema(dry_run: Annotated[bool, typer.Option("--dry-run", help="cli-help-dry_run")] = False) -> None:
    from core.cli import database

    database.upgrade(dry_run=dry_run)
