"""The command: its subcommands, its exit statuses, its words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core import PROJECT_ROOT
from core.cli import app


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from core.cli import main; main()", *arguments],
        env={**os.environ, "LC_ALL": "C.UTF-8", **environ},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def config(tmp_path: Path, **personalities: str) -> Path:
    (tmp_path / "personalities").mkdir()
    (tmp_path / "settings.toml").write_bytes((PROJECT_ROOT / "config" / "settings.toml").read_bytes())
    for name, text in personalities.items():
        (tmp_path / "personalities" / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_help_names_every_subcommand() -> None:
    """What a person finds by looking."""
    outcome = CliRunner().invoke(app, ["--help"])
    assert outcome.exit_code == 0
    for name in ("up", "chat", "doctor", "toil", "personalities", "facts", "sources", "manifest"):
        assert re.search(rf"^\W*{name}\s+\w+", outcome.output, re.MULTILINE), name


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("toil", ["run"]),
        ("personalities", ["validate", "list"]),
        ("facts", ["add", "search", "list", "remove", "export"]),
        ("sources", ["list", "test", "add"]),
        ("manifest", ["slack", "discord", "teams"]),
    ],
)
def test_the_help_of_a_group_names_its_commands(group: str, names: list[str]) -> None:
    """Though none of what they do is imported for it."""
    outcome = CliRunner().invoke(app, [group, "--help"])
    assert outcome.exit_code == 0
    assert [name for name in names if not re.search(rf"^\W*{name}\s+\w+", outcome.output, re.MULTILINE)] == []


HEAVY = {"sqlalchemy", "httpx", "httpcore", "aiohttp", "bs4", "numpy", "watchfiles"}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["toil", "run", "--help"], ["facts", "--help"]])
def test_what_a_command_does_not_need_is_not_imported(arguments: list[str]) -> None:
    """Help answers at once: a second and a half of imports is for those who serve or ask."""
    code = "import sys\nfrom core.cli import app\ntry:\n    app(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
    code += "print('imported', *sys.modules)" if arguments else "import core.cli; print('imported', *sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    imported = set(printed.rpartition("imported")[2].split())
    assert "typer" in imported
    assert imported & HEAVY == set()


def test_light_commands_stay_light() -> None:
    """A manifest needs the settings and no engine, database or web client."""
    code = "import sys\nfrom core.cli import app\ntry:\n    app(['manifest', 'slack'])\nexcept SystemExit:\n    pass\n"
    code += "print('imported', *sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    imported = set(printed.rpartition("imported")[2].split())
    assert imported & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["slack", "--url", "http://bot"], "https address"),
        (["slack", "--url", "bot.example.org"], "https address"),
        (["teams", "--website", "http://csps.example"], "https address"),
        (["discord", "--application", "abc"], "it is a number"),
    ],
)
def test_manifests_that_a_platform_would_refuse(arguments: list[str], said: str) -> None:
    """Status 2 and why, instead of something to paste."""
    outcome = CliRunner().invoke(app, ["manifest", *arguments], env={"TERMINAL_WIDTH": "200"})
    assert outcome.exit_code == 2
    assert said in " ".join(outcome.output.split())


def test_the_manifests_that_they_take() -> None:
    """With an address for events, and with an application."""
    slack = CliRunner().invoke(app, ["manifest", "slack", "--url", "https://bot.example.org/"])
    assert "https://bot.example.org/slack/events" in slack.output
    assert "client_id=1234" in CliRunner().invoke(app, ["manifest", "discord", "--application", "1234"]).output


def test_the_shipped_personalities_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """And both languages have theirs."""
    monkeypatch.setenv("LC_ALL", "fr_CA.UTF-8")
    outcome = CliRunner().invoke(app, ["personalities", "validate"])
    assert outcome.exit_code == 0
    assert "personnalités sont valides" in outcome.output
    listed = CliRunner().invoke(app, ["personalities", "list"]).output
    assert "whisper" in listed
    assert "chuchotte" in listed


def test_a_bad_personality_is_named_with_its_line(tmp_path: Path) -> None:
    """Exit status 2, the file and line on stderr, no traceback."""
    folder = config(tmp_path, odd='title = "Odd"\nlanguage = "de"\n')
    outcome = command("personalities", "validate", CSPS_LLM_CONFIG=str(folder))
    assert outcome.returncode == 2
    assert "odd.toml:2" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("named", ['sources = ["wether"]', 'collections = ["leave"]'])
def test_what_a_personality_names_is_looked_for(tmp_path: Path, named: str) -> None:
    """A source that is not there is an error; a collection may come later, so it is only told."""
    shipped = (PROJECT_ROOT / "config" / "personalities" / "guide.toml").read_text(encoding="utf-8")
    folder = config(tmp_path, odd=f"{named}\n{shipped}")
    outcome = command("personalities", "validate", CSPS_LLM_CONFIG=str(folder), CSPS_LLM_DATA=str(tmp_path / "var"))
    assert outcome.returncode == (2 if "sources" in named else 0)
    assert "odd.toml:1: no " in outcome.stderr
    assert ("did you mean 'weather'?" in outcome.stderr) == ("sources" in named)


def test_up_refuses_what_has_to_be_put_right(tmp_path: Path) -> None:
    """Exit status 2 before anything was started."""
    outcome = command("up", PORT="many", CSPS_LLM_DATA=str(tmp_path))
    assert outcome.returncode == 2
    assert "PORT" in outcome.stderr
    assert outcome.stdout == ""


def test_a_terminal_without_unicode_is_no_obstacle() -> None:
    """Signs that its character set lacks are replaced; nothing ends because of them."""
    outcome = command("personalities", "list", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert outcome.returncode == 0
    assert "whisper" in outcome.stdout
