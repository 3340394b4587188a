"""`csps-llm feedback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.cli.command_groups import build_group, command
from core.feedback.filters import ChannelName, ExportFormat, VerdictName

group = build_group("cli-help-feedback")

ChannelFilter = Annotated[ChannelName | None, typer.Option("--channel", help="cli-help-feedback-channel")]
VerdictFilter = Annotated[VerdictName | None, typer.Option("--verdict", help="cli-help-feedback-verdict")]
PersonalityFilter = Annotated[str | None, typer.Option("--personality", help="cli-help-feedback-personality")]
ModelFilter = Annotated[str | None, typer.Option("--model", help="cli-help-feedback-model")]
Since = Annotated[str | None, typer.Option("--since", metavar="<date>", help="cli-help-feedback-since")]


@command(group, "list", "cli-help-feedback-list")
def list_feedback(
    channel: ChannelFilter = None,
    verdict: VerdictFilter = None,
    personality: PersonalityFilter = None,
    model: ModelFilter = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, metavar="<int>", help="cli-help-feedback-limit")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False,
) -> None:
    from core.cli import feedback

    chosen = feedback.build_filter(channel, verdict, personality, model, since)
    feedback.show(chosen, limit, as_json=as_json)


@command(group, "export", "cli-help-feedback-export")
def export_feedback(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="<path>", help="cli-help-feedback-out")
    ] = None,
    export_format: Annotated[ExportFormat, typer.Option("--format", help="cli-help-feedback-format")] = "csv",
    channel: ChannelFilter = None,
    verdict: VerdictFilter = None,
    personality: PersonalityFilter = None,
    model: ModelFilter = None,
    since: Since = None,
) -> None:
    from core.cli import feedback

    chosen = feedback.build_filter(channel, verdict, personality, model, since)
    feedback.export(chosen, export_format, output)
