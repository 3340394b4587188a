"""`csps-llm models`."""

from __future__ import annotations

from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-models")


ModelId = Annotated[str, typer.Argument(help="cli-help-model")]
AsJson = Annotated[bool, typer.Option("--json", help="cli-help-json")]


@command(group, "list", "cli-help-models-list")
def list_models(as_json: AsJson = False) -> None:
    from core.cli import models

    models.show_all(as_json=as_json)


@command(group, "show", "cli-help-models-show")
def show_model(model: ModelId, as_json: AsJson = False) -> None:
    from core.cli import models

    models.show_one(model, as_json=as_json)


@command(group, "pull", "cli-help-models-pull")
def pull_model(
    model: Annotated[str, typer.Argument(help="cli-help-model_or_repository")],
    pattern: Annotated[str | None, typer.Argument(help="cli-help-model_pattern")] = None,
) -> None:
    from core.cli import model_pull

    raise typer.Exit(model_pull.pull(model, pattern))


@command(group, "use", "cli-help-models-use")
def use_model(model: Annotated[str, typer.Argument(help="cli-help-model_or_auto")]) -> None:
    from core.cli import models

    models.use(model)


@command(group, "remove", "cli-help-models-remove")
def remove_model(
    model: ModelId, yes: Annotated[bool, typer.Option("--yes", "-y", help="cli-help-yes")] = False
) -> None:
    from core.cli import models

    models.remove(model, yes=yes)
