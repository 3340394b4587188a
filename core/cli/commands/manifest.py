"""`csps-llm manifest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from core.cli.command_groups import bad_parameter, build_group, command

group = build_group("cli-help-manifest")


def require_https(url: str | None) -> str | None:
    """Platforms accept no other address. Raises BadParameter."""
    if url is not None and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
        raise bad_parameter("cli-usage-https")
    return url


def require_number(application: str | None) -> str | None:
    if application is not None and not (application.isascii() and application.isdecimal()):
        raise bad_parameter("cli-usage-application")
    return application


BotName = Annotated[str, typer.Option(help="cli-help-bot_name")]


@command(group, "slack", "cli-help-manifest-slack")
def print_slack_manifest(
    name: BotName = "Whisper",
    url: Annotated[str | None, typer.Option(help="cli-help-events_url", callback=require_https)] = None,
) -> None:
    from core.cli import manifest

    manifest.slack(name, url)


@command(group, "discord", "cli-help-manifest-discord")
def print_discord_link(
    application: Annotated[str | None, typer.Option(help="cli-help-application", callback=require_number)] = None,
) -> None:
    from core.cli import manifest

    manifest.discord(application)


@command(group, "teams", "cli-help-manifest-teams")
def write_teams_package(
    output: Annotated[Path, typer.Option("-o", "--output", help="cli-help-package")] = Path("csps-llm-teams.zip"),
    name: BotName = "Whisper",
    website: Annotated[
        str, typer.Option(help="cli-help-website", callback=require_https)
    ] = "https://www.csps-efpc.gc.ca/",
    read_all: Annotated[bool, typer.Option("--read-all/--mentions-only", help="cli-help-read_all")] = True,
) -> None:
    from core.cli import manifest

    manifest.teams(output, name, website, read_all=read_all)
