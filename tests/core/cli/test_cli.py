"""The command: its subcommands, its exit statuses, its words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.settings import ROOT


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from core.cli import main; main()", *arguments],
        env={**os.environ, "LC_ALL": "C.UTF-8", **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def config(tmp_path: Path, **personalities: str) -> Path:
    (tmp_path / "personalities").mkdir()
    (tmp_path / "settings.toml").write_bytes((ROOT / "config" / "settings.toml").read_bytes())
    for name, text in personalities.items():
        (tmp_path / "personalities" / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_help_names_every_subcommand() -> None:
    """What a person finds by looking."""
    outcome = CliRunner().invoke(app, ["--help"])
    assert outcome.exit_code == 0
    assert [name for name in ("up", "chat", "doctor", "personalities") if name not in outcome.output] == []


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
