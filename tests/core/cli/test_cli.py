"""The command `csps-llm`: its subcommands, its help in both languages and its exit statuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
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
    """The first help page leads to all others."""
    outcome = CliRunner().invoke(app, ["--help"])
    assert outcome.exit_code == 0
    names = {name for name, command in get_command(app).commands.items() if not command.hidden}  # type: ignore[attr-defined]
    assert names >= {"up", "chat", "doctor", "toil", "personalities", "facts", "sources", "manifest", "db", "selftest"}
    for name in names:
        assert re.search(rf"^\W*{name}\s+\w+", outcome.output, re.MULTILINE), name


def help_pages() -> Iterator[tuple[str, ...]]:
    """The arguments of every help page."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, subcommand in getattr(command, "commands", {}).items():
            yield from walk(subcommand, (*path, name))

    yield from walk(get_command(app), ())


# Words of English that no French help page has. Command names, options and Python's types are not among them.
ENGLISH = re.compile(
    r"(?<![\w-])(?:the|of|and|or|a file|usage|message|exit|error|commands?|required|default|for help|with|each|args)\b",
    re.I,
)


@pytest.mark.parametrize("path", list(help_pages()), ids=" ".join)
def test_help_is_in_both_languages(path: tuple[str, ...]) -> None:
    """The French page has no English words, neither ours nor typer's. The English page has them."""
    pages = {
        language: CliRunner().invoke(app, [*path, "--help"], env={"LC_ALL": locale, "COLUMNS": "100"}).output
        for language, locale in (("en", "C.UTF-8"), ("fr", "fr_CA.UTF-8"))
    }

    assert [] == ENGLISH.findall(pages["fr"])
    assert "Utilisation\u00a0:" in pages["fr"]
    assert "Usage:" in pages["en"]
    assert "cli-" not in pages["en"] + pages["fr"]


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("toil", ["run"]),
        ("personalities", ["validate", "list"]),
        ("facts", ["add", "sync", "search", "list", "remove", "export"]),
        ("sources", ["list", "test", "add"]),
        ("manifest", ["slack", "discord", "teams"]),
        ("db", ["status", "upgrade"]),
    ],
)
def test_the_help_of_a_group_names_its_commands(group: str, names: list[str]) -> None:
    """The modules of the commands are not imported for it."""
    outcome = CliRunner().invoke(app, [group, "--help"])
    assert outcome.exit_code == 0
    assert [name for name in names if not re.search(rf"^\W*{name}\s+\w+", outcome.output, re.MULTILINE)] == []


HEAVY = {"sqlalchemy", "httpx", "httpcore", "aiohttp", "bs4", "numpy", "watchfiles"}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["toil", "run", "--help"], ["facts", "--help"]])
def test_help_imports_no_heavy_module(arguments: list[str]) -> None:
    """It answers at once: the heavy imports take 1.5 s."""
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
    """A manifest needs the settings, but no engine, database or web client."""
    code = "import sys\nfrom core.cli import app\ntry:\n    app(['manifest', 'slack'])\nexcept SystemExit:\n    pass\n"
    code += "print('imported', *sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    imported = set(printed.rpartition("imported")[2].split())
    assert imported & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["slack", "--url", "http://bot"], "https address"),
        (["slack", "--url", "bot.example.org"], "https address"),
        (["teams", "--website", "http://csps.example"], "https address"),
        (["discord", "--application", "abc"], "id is a number"),
    ],
)
def test_options_that_a_platform_would_refuse(arguments: list[str], error: str) -> None:
    """Exit status 2 and the reason, instead of a manifest."""
    outcome = CliRunner().invoke(app, ["manifest", *arguments], env={"TERMINAL_WIDTH": "200"})
    assert outcome.exit_code == 2
    assert error in " ".join(outcome.output.split())


def test_options_of_manifests() -> None:
    """An address for events and an application's id appear in the output."""
    slack = CliRunner().invoke(app, ["manifest", "slack", "--url", "https://bot.example.org/"])
    assert "https://bot.example.org/slack/events" in slack.output
    assert "client_id=1234" in CliRunner().invoke(app, ["manifest", "discord", "--application", "1234"]).output


def test_the_shipped_personalities_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one for each language."""
    monkeypatch.setenv("LC_ALL", "fr_CA.UTF-8")
    outcome = CliRunner().invoke(app, ["personalities", "validate"])
    assert outcome.exit_code == 0
    assert "personnalités sont valides" in outcome.output
    listed = CliRunner().invoke(app, ["personalities", "list"]).output
    assert "whisper" in listed
    assert "chuchotte" in listed


def test_a_bad_personality_is_named_with_its_line(tmp_path: Path) -> None:
    """Exit status 2, with file and line on stderr and no traceback."""
    folder = config(tmp_path, odd='title = "Odd"\nlanguage = "de"\n')
    outcome = command("personalities", "validate", CSPS_LLM_CONFIG=str(folder))
    assert outcome.returncode == 2
    assert "odd.toml:2" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("named", ['sources = ["wether"]', 'model = "ministral-3"', 'collections = ["leave"]'])
def test_names_in_a_personality_are_checked(tmp_path: Path, named: str) -> None:
    """An unknown source or model is an error. A collection may be added later, so an unknown one is a warning."""
    shipped = (PROJECT_ROOT / "config" / "personalities" / "guide.toml").read_text(encoding="utf-8")
    folder = config(tmp_path, odd=f"{named}\n{shipped}")
    outcome = command("personalities", "validate", CSPS_LLM_CONFIG=str(folder), CSPS_LLM_DATA=str(tmp_path / "var"))
    assert outcome.returncode == (0 if "collections" in named else 2)
    assert "odd.toml:1: no " in outcome.stderr
    assert ("did you mean " in outcome.stderr) == ("collections" not in named)


def test_up_refuses_invalid_settings(tmp_path: Path) -> None:
    """Exit status 2, before anything starts."""
    outcome = command("up", PORT="many", CSPS_LLM_DATA=str(tmp_path))
    assert outcome.returncode == 2
    assert "PORT" in outcome.stderr
    assert outcome.stdout == ""


def test_a_terminal_without_unicode() -> None:
    """Characters that it lacks are replaced, and the command succeeds."""
    outcome = command("personalities", "list", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert outcome.returncode == 0
    assert "whisper" in outcome.stdout
