"""`csps-llm records`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-records")

User = Annotated[str | None, typer.Option("--user", metavar="<name>", help="cli-help-records-user")]
Conversation = Annotated[
    str | None, typer.Option("--conversation", metavar="<id>", help="cli-help-records-conversation")
]
Reason = Annotated[str, typer.Option("--reason", metavar="<text>", help="cli-help-records-reason")]
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


@command(group, "hold", "cli-help-records-hold")
def hold_records(
    reason: Reason,
    user: User = None,
    conversation: Conversation = None,
    since: Annotated[str | None, typer.Option("--from", metavar="<day>", help="cli-help-records-hold_from")] = None,
) -> None:
    from core.cli.records import holds, session
    from core.records.subjects import require_subject

    subject, from_at = require_subject(user, conversation), session.parse_day("--from", since)
    session.run(lambda opened: holds.hold(opened, subject, reason, from_at))


@command(group, "holds", "cli-help-records-holds")
def list_holds(as_json: Json = False) -> None:
    from core.cli.records import holds, session

    session.run(lambda opened: holds.show(opened, as_json=as_json))


@command(group, "release", "cli-help-records-release")
def release_hold(number: Annotated[int, typer.Argument(help="cli-help-records-hold_number")]) -> None:
    from core.cli.records import holds, session

    session.run(lambda opened: holds.release(opened, number))


@command(group, "delete", "cli-help-records-delete")
def delete_records(reason: Reason, user: User = None, conversation: Conversation = None) -> None:
    from core.cli.records import deletion, session
    from core.records.subjects import require_subject

    subject = require_subject(user, conversation)
    session.run(lambda opened: deletion.delete(opened, subject, reason))


@command(group, "proofs", "cli-help-records-proofs")
def list_proofs() -> None:
    from core.cli.records import deletion, session

    session.run(deletion.show_proofs)


@command(group, "export", "cli-help-records-export")
def export_records(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="<file>", help="cli-help-records-output")],
    user: User = None,
    conversation: Conversation = None,
    since: Annotated[str | None, typer.Option("--from", metavar="<day>", help="cli-help-records-from")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="<day>", help="cli-help-records-to")] = None,
) -> None:
    from core.cli.records import export, session
    from core.records.export import Selection
    from core.records.subjects import EVERYBODY, require_subject

    subject = require_subject(user, conversation) if user or conversation else EVERYBODY
    selection = Selection(subject, session.parse_day("--from", since), session.parse_day("--to", until, days=1))
    target = export.check_target(output)
    session.run(lambda opened: export.export(opened, selection, target))


@command(group, "verify", "cli-help-records-verify")
def verify_export(file: Annotated[Path, typer.Argument(help="cli-help-records-export_file")]) -> None:
    from core.cli.records import export

    raise typer.Exit(export.check(file))


@command(group, "rotate-key", "cli-help-records-rotate_key")
def rotate_key() -> None:
    from core.cli.records import keys

    keys.rotate()
