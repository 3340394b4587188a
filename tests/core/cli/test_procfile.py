"""The Procfile: what is read from it, and what is run of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli import procfile
from core.cli.procfile import Skip
from core.configuration import settings
from core.errors import ConfigError


def loaded(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path), **environ})


def test_the_shipped_procfile_runs_the_model_and_the_web(tmp_path: Path) -> None:
    """Both run under this very Python, guarded; the model is stopped last. No bot runs without its tokens."""
    processes, skipped = procfile.plan(procfile.read(PROJECT_ROOT / "Procfile"), loaded(tmp_path))
    assert [(each.name, each.command) for each in processes] == [
        ("model", (sys.executable, "-m", "core.model")),
        ("web", (sys.executable, "-m", "web")),
    ]
    assert skipped == {
        "slack": Skip("SLACK_BOT_TOKEN", is_set=False),
        "discord": Skip("DISCORD_BOT_TOKEN", is_set=False),
        "teams": Skip("TEAMS_APP_ID", is_set=False),
    }
    assert [each.last for each in processes] == [True, False]
    assert all(len(each.guards) == 2 for each in processes)


def test_a_remote_engine_makes_the_local_one_needless(tmp_path: Path) -> None:
    """With LLM_URL the model process is not started, and why is known."""
    commands = procfile.read(PROJECT_ROOT / "Procfile")
    processes, skipped = procfile.plan(commands, loaded(tmp_path, LLM_URL="http://engine:8000/v1"))
    assert [each.name for each in processes] == ["web"]
    assert skipped["model"] == Skip("LLM_URL", is_set=True)


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
    """Guarded like the others, and none of the other bots with it."""
    processes, _ = procfile.plan(procfile.read(PROJECT_ROOT / "Procfile"), loaded(tmp_path, **environ))

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
def test_a_bot_that_is_half_set_up_is_refused(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    """Before anything starts, naming what is missing and where to read on."""
    with pytest.raises(ConfigError, match=f"set {named} too"):
        procfile.plan(procfile.read(PROJECT_ROOT / "Procfile"), loaded(tmp_path, **environ))


def test_both_have_time_to_drain(tmp_path: Path) -> None:
    """They are killed only when their own deadline has passed."""
    processes, _ = procfile.plan(procfile.read(PROJECT_ROOT / "Procfile"), loaded(tmp_path, WEB_DRAIN_S="90"))
    assert [each.grace_s > 90 for each in processes] == [True, True]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("web: python -m web\nmodel\n", ":2: expected `name: command`"),
        ("web: python -m web\n\nweb: python -m web\n", ":3: there are two processes named 'web'"),
        ("web: python -c 'x\n", ":1: No closing quotation"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """File and line are in the message."""
    file = tmp_path / "Procfile"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="Procfile") as refused:
        procfile.read(file)
    assert problem in refused.value.message


def test_comments_and_other_programs_stay_as_they_are(tmp_path: Path) -> None:
    """Only `python` is replaced, and no shell is involved."""
    file = tmp_path / "Procfile"
    file.write_text("# what runs\nqueue: redis-server --port '1 2' $HOME\n", encoding="utf-8")
    assert procfile.read(file) == {"queue": ("redis-server", "--port", "1 2", "$HOME")}
    with pytest.raises(ConfigError, match="No such file"):
        procfile.read(tmp_path / "none")
