"""The Procfile: its entries, and the processes that run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli import procfile
from core.cli.procfile import SkipReason
from core.configuration import settings
from core.errors import ConfigError


def load(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path), **environ})


def test_the_shipped_procfile_runs_the_model_and_the_web(tmp_path: Path) -> None:
    """Both run under this Python, with guards. The model stops last. No bot runs without its tokens."""
    processes, skipped = procfile.plan_processes(
        procfile.read_procfile(PROJECT_ROOT / "Procfile", "en"), load(tmp_path), "en"
    )
    assert [(each.name, each.command) for each in processes] == [
        ("model", (sys.executable, "-m", "core.model")),
        ("web", (sys.executable, "-m", "web")),
    ]
    assert skipped == {
        "slack": SkipReason("SLACK_BOT_TOKEN", is_set=False),
        "discord": SkipReason("DISCORD_BOT_TOKEN", is_set=False),
        "teams": SkipReason("TEAMS_APP_ID", is_set=False),
    }
    assert [each.stops_last for each in processes] == [True, False]
    assert all(len(each.guards) == 2 for each in processes)


def test_a_remote_engine_replaces_the_model_process(tmp_path: Path) -> None:
    """With LLM_URL the model process is skipped, with the reason."""
    commands = procfile.read_procfile(PROJECT_ROOT / "Procfile", "en")
    processes, skipped = procfile.plan_processes(commands, load(tmp_path, LLM_URL="http://engine:8000/v1"), "en")
    assert [each.name for each in processes] == ["web"]
    assert skipped["model"] == SkipReason("LLM_URL", is_set=True)


@pytest.mark.parametrize(
    ("name", "environ"),
    [
        ("slack", {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}),
        ("slack", {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}),
        ("discord", {"DISCORD_BOT_TOKEN": "t"}),
        ("teams", {"TEAMS_APP_ID": "a", "TEAMS_APP_PASSWORD": "p", "TEAMS_TENANT_ID": "t"}),
    ],
)
def test_a_bot_runs_if_its_tokens_are_set(tmp_path: Path, name: str, environ: dict[str, str]) -> None:
    """It has guards like the others. The other bots do not run."""
    processes, _ = procfile.plan_processes(
        procfile.read_procfile(PROJECT_ROOT / "Procfile", "en"), load(tmp_path, **environ), "en"
    )

    assert [each.name for each in processes] == ["model", "web", name]
    assert len(processes[-1].guards) == 2


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"TEAMS_APP_ID": "a"}, "TEAMS_APP_PASSWORD"),
        ({"TEAMS_APP_ID": "a", "TEAMS_APP_PASSWORD": "p"}, "TEAMS_TENANT_ID"),
    ],
)
def test_a_bot_with_some_of_its_tokens_is_refused(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    """The error names the missing variable, before anything starts."""
    with pytest.raises(ConfigError, match=f"set {named} too"):
        procfile.plan_processes(
            procfile.read_procfile(PROJECT_ROOT / "Procfile", "en"), load(tmp_path, **environ), "en"
        )


def test_processes_have_time_to_drain(tmp_path: Path) -> None:
    """They are killed only after their own deadline."""
    processes, _ = procfile.plan_processes(
        procfile.read_procfile(PROJECT_ROOT / "Procfile", "en"), load(tmp_path, WEB_DRAIN_S="90"), "en"
    )
    assert [each.grace_s > 90 for each in processes] == [True, True]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("web: python -m web\nmodel\n", ":2: expected `name: command`"),
        ("web: python -m web\n\nweb: python -m web\n", ":3: there are two processes named 'web'"),
        ("web: python -c 'x\n", ":1: No closing quotation"),
    ],
)
def test_an_invalid_line_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """The error has file and line."""
    file = tmp_path / "Procfile"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="Procfile") as refused:
        procfile.read_procfile(file, "en")
    assert problem in refused.value.message


def test_other_programs_run_as_written(tmp_path: Path) -> None:
    """Comments are skipped, only `python` is replaced, and no shell expands anything."""
    file = tmp_path / "Procfile"
    file.write_text("# what runs\nqueue: redis-server --port '1 2' $HOME\n", encoding="utf-8")
    assert procfile.read_procfile(file, "en") == {"queue": ("redis-server", "--port", "1 2", "$HOME")}
    with pytest.raises(ConfigError, match="No such file"):
        procfile.read_procfile(tmp_path / "none", "en")
