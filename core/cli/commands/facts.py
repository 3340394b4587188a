"""`csps-llm facts`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-facts")


Collection = Annotated[str, typer.Argument(help="cli-help-collection")]


@command(group, "add", "cli-help-facts-add")
def add_facts(name: Collection, what: Annotated[list[str], typer.Argument(help="cli-help-documents")]) -> None:
    from core.cli import facts

    raise typer.Exit(facts.add(name, what))


@command(group, "sync", "cli-help-facts-sync")
def synchronise_facts(
    name: Annotated[str | None, typer.Argument(help="cli-help-configured_collection")] = None,
    due: Annotated[bool, typer.Option("--due", help="cli-help-due")] = False,
) -> None:
    from core.cli import facts

    raise typer.Exit(facts.run(lambda session: facts.synchronise(session, name, only_due=due)))


@command(group, "search", "cli-help-facts-search")
def search_facts(
    name: Collection,
    question: Annotated[str, typer.Argument(help="cli-help-question")],
    limit: Annotated[int, typer.Option(min=1, max=50, metavar="<int>", help="cli-help-limit")] = 5,
) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.search(session, name, question, limit))


@command(group, "list", "cli-help-facts-list")
def list_facts(as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.show(session, as_json=as_json))


@command(group, "remove", "cli-help-facts-remove")
def remove_facts(
    name: Collection, document: Annotated[str | None, typer.Argument(help="cli-help-document")] = None
) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.remove(session, name, document))


@command(group, "export", "cli-help-facts-export")
def export_facts(name: Collection) -> None:
    from core.cli import facts

    facts.run(lambda session: facts.export(session, name))
