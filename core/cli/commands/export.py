"""`csps-llm export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.command_groups import build_group, command

group = build_group("cli-help-export")

Folder = Annotated[Path | None, typer.Option("-o", "--output", help="cli-help-export-folder")]
WithSecrets = Annotated[bool, typer.Option("--with-secrets", help="cli-help-export-with_secrets")]


@command(group, "systemd", "cli-help-export-systemd")
def export_systemd(output: Folder = None, with_secrets: WithSecrets = False) -> None:
    from core.cli import export

    export.export("systemd", output, with_secrets=with_secrets)


@command(group, "compose", "cli-help-export-compose")
def export_compose(output: Folder = None, with_secrets: WithSecrets = False) -> None:
    from core.cli import export

    export.export("compose", output, with_secrets=with_secrets)


@command(group, "kubernetes", "cli-help-export-kubernetes")
def export_kubernetes(output: Folder = None, with_secrets: WithSecrets = False) -> None:
    from core.cli import export

    export.export("kubernetes", output, with_secrets=with_secrets)


@command(group, "helm-values", "cli-help-export-helm_values")
def export_helm_values(output: Folder = None, with_secrets: WithSecrets = False) -> None:
    from core.cli import export

    export.export("helm-values", output, with_secrets=with_secrets)
