"""`csps-llm personalities`."""

from __future__ import annotations

from core.cli.command_groups import build_group, command

group = build_group("cli-help-personalities")


@command(group, "validate", "cli-help-personalities-validate")
def validate_personalities() -> None:
    from core.cli import personalities

    personalities.validate()


@command(group, "list", "cli-help-personalities-list")
def list_personalities() -> None:
    from core.cli import personalities

    personalities.show()
