"""`csps-llm keys`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-keys")

KeyName = Annotated[str, typer.Option("--name", metavar="<name>", help="cli-help-keys-name")]


@command(group, "create", "cli-help-keys-create")
def create_key(
    name: KeyName,
    scopes: Annotated[str, typer.Option("--scopes", metavar="<scopes>", help="cli-help-keys-scopes")] = "toil,v1",
    rate: Annotated[str | None, typer.Option("--rate", metavar="<rate>", help="cli-help-keys-rate")] = None,
    tokens: Annotated[
        int | None, typer.Option("--tokens-per-day", metavar="<number>", min=1, help="cli-help-keys-tokens")
    ] = None,
    names: Annotated[str, typer.Option("--names", metavar="<names>", help="cli-help-keys-names")] = "",
    expires: Annotated[str | None, typer.Option("--expires", metavar="<day>", help="cli-help-keys-expires")] = None,
) -> None:
    from core.access import api_keys
    from core.cli import keys
    from core.cli.records import session

    wanted = keys.WantedKey(
        api_keys.parse_name(name),
        api_keys.parse_scopes(scopes),
        api_keys.parse_names(names),
        api_keys.parse_rate(rate) if rate else None,
        tokens,
        session.parse_day("--expires", expires, 1),
    )
    session.run(lambda opened: keys.create(opened, wanted))


@command(group, "list", "cli-help-keys-list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False) -> None:
    from core.cli import keys
    from core.cli.records import session

    session.run(lambda opened: keys.show(opened, as_json=as_json))


@command(group, "revoke", "cli-help-keys-revoke")
def revoke_key(name: KeyName) -> None:
    from core.cli import keys
    from core.cli.records import session

    session.run(lambda opened: keys.revoke(opened, name))
