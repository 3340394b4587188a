"""`csps-llm sources`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-sources")


@command(group, "list", "cli-help-sources-list")
def list_sources() -> None:
    from core.cli import sources

    sources.show()


@command(group, "test", "cli-help-sources-test")
def probe_sources(
    names: Annotated[list[str] | None, typer.Argument(help="cli-help-source_names")] = None,
    question: Annotated[str, typer.Option(help="cli-help-source_question")] = "",
) -> None:
    from core.cli import sources

    raise typer.Exit(sources.probe(names or (), question))


@command(group, "add", "cli-help-sources-add")
def add_source(
    name: Annotated[str, typer.Argument(help="cli-help-source_name")],
    url: Annotated[str, typer.Argument(help="cli-help-source_url")],
    url_fr: Annotated[str | None, typer.Option(help="cli-help-url_fr")] = None,
    title_en: Annotated[str | None, typer.Option(help="cli-help-title_en")] = None,
    title_fr: Annotated[str | None, typer.Option(help="cli-help-title_fr")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="cli-help-topic")] = None,
) -> None:
    from core.cli import sources

    sources.add(name, url, url_fr, title_en, title_fr, topic or ())
