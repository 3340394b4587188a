"""The subcommands of `csps-llm` without a group: up, chat, explain, doctor, papers, selftest, tune."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from core.cli.command_groups import build_group, command
from core.cli.selftest import StagePlatform

group = build_group("cli-help-csps_llm")


@command(group, "up", "cli-help-up")
def serve() -> None:
    from core.cli.up import up

    up(os.environ)


@command(group, "chat", "cli-help-chat")
def open_chat(
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    url: Annotated[str | None, typer.Option(help="cli-help-chat-url")] = None,
) -> None:
    from core.cli.chat import chat

    raise typer.Exit(chat(os.environ, personality, url))


@command(group, "explain", "cli-help-explain")
def explain_prompt(
    question: Annotated[str, typer.Argument(help="cli-help-question")],
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    file: Annotated[list[Path] | None, typer.Option(metavar="<path>", help="cli-help-explain-file")] = None,
    url: Annotated[str | None, typer.Option(help="cli-help-explain-url")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="cli-help-explain-json")] = False,
) -> None:
    from core.cli.explain import explain

    explain(question, personality, file or (), url, as_json=as_json)


@command(group, "evaluate", "cli-help-evaluate")
def evaluate_answers(
    questions: Annotated[Path, typer.Argument(metavar="<path>", help="cli-help-evaluate-questions")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="<path>", help="cli-help-evaluate-output")],
    personality: Annotated[str | None, typer.Option(help="cli-help-personality")] = None,
    model: Annotated[str | None, typer.Option(help="cli-help-evaluate-model")] = None,
    against: Annotated[str | None, typer.Option(help="cli-help-evaluate-against")] = None,
    judge: Annotated[str | None, typer.Option(help="cli-help-evaluate-judge")] = None,
    url: Annotated[str | None, typer.Option(help="cli-help-evaluate-url")] = None,
    report: Annotated[Path | None, typer.Option(metavar="<path>", help="cli-help-evaluate-report")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False,
    force_new: Annotated[bool, typer.Option("--force-new", help="cli-help-force_new")] = False,
) -> None:
    from core.cli.evaluate import EvaluateOptions, evaluate
    from core.cli.toil import default_personality

    chosen = personality or default_personality(os.environ)
    options = EvaluateOptions(questions, output, chosen, model, against, judge, url, report, as_json, force_new)
    raise typer.Exit(evaluate(options))


@command(group, "doctor", "cli-help-doctor")
def run_checks(as_json: Annotated[bool, typer.Option("--json", help="cli-help-json")] = False) -> None:
    from core.cli.doctor import doctor

    raise typer.Exit(doctor(os.environ, as_json=as_json))


@command(group, "papers", "cli-help-papers")
def write_papers(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="<path>", help="cli-help-papers-out")] = Path("papers"),
) -> None:
    from core.cli.papers import papers

    papers(out)


@command(group, "selftest", "cli-help-selftest")
def play_selftest(
    platform: Annotated[StagePlatform, typer.Argument(help="cli-help-stage_platform")],
    echo: Annotated[bool, typer.Option("--echo", help="cli-help-echo")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="<path>", help="cli-help-out")] = None,
) -> None:
    from core.cli.selftest import selftest

    raise typer.Exit(selftest(os.environ, platform, out, echo=echo))


@command(group, "tune", "cli-help-tune")
def tune_engine(
    model: Annotated[str | None, typer.Option(help="cli-help-tune-model")] = None,
    show: Annotated[bool, typer.Option("--show", help="cli-help-tune-show")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="cli-help-tune-reset")] = False,
    force: Annotated[bool, typer.Option("--force", help="cli-help-tune-force")] = False,
) -> None:
    from core.cli import tune

    if show:
        tune.show()
    elif reset:
        tune.reset(model)
    else:
        tune.tune(model, force=force)
