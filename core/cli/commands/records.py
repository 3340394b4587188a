"""`csps-llm records`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-records")

Json = Annotated[bool, typer.Option("--json", help="cli-help-json")]


@command(group, "accesses", "cli-help-records-accesses")
def show_accesses(as_json: Json = False) -> None:
    from core.cli.records import accesses, session

    raise typer.Exit(session.run(lambda opened: accesses.show(opened, as_json=as_json)))


@command(group, "purge", "cli-help-records-purge")
def purge_records(
    confirm_clock: Annotated[bool, typer.Option("--confirm-clock", help="cli-help-confirm_clock")] = False,
) -> None:
    from core.cli.records import purge, session

    raise typer.Exit(session.run(lambda opened: purge.purge(opened, confirms_clock=confirm_clock)))
