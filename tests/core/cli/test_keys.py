"""`csps-llm keys`: what an operator types and reads, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.access.api_keys import id_of
from core.cli.commands import app
from core.errors import ConfigError, NotFound

WORDS = {"en": ("There are no keys", "never", "revoked"), "fr": ("Il n’y a pas de clé", "jamais", "révoquée")}


@pytest.fixture(params=["en_CA.UTF-8", "fr_CA.UTF-8"])
def language(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CSPS_LLM_DATA", str(tmp_path / "var"))
    monkeypatch.setenv("LC_ALL", request.param)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return str(request.param)[:2]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments])


def test_a_key_is_shown_once_listed_and_revoked(language: str) -> None:
    """The list and the log of accesses have no secret."""
    words = {"en": ("There are no keys", "never", "revoked"), "fr": ("Il n’y a pas de clé", "jamais", "révoquée")}[
        language
    ]
    assert words[0] in run("list").output
    options = ("--scopes", "v1", "--rate", "60/min", "--tokens-per-day", "5000", "--names", "group:hr")
    created = run("create", "--name", "reports", *options, "--expires", "2999-01-31")
    secret = created.stdout.strip()
    assert (0, True) == (created.exit_code, id_of(secret) is not None)
    assert "Authorization: Bearer" in created.stderr
    listed = run("list").output
    assert f"csps_{id_of(secret)}_…" in listed
    assert words[1] in listed
    assert secret not in listed + run("list", "--json").output
    assert [60.0, 5000] == [
        json.loads(run("list", "--json").output)[0][each] for each in ("requests_per_minute", "tokens_per_day")
    ]
    assert run("revoke", "--name", "reports").exit_code == 0
    assert words[2] in run("list").output
    log = CliRunner().invoke(app, ["records", "accesses"]).output
    assert [True, True, False] == [each in log for each in ("create key", "revoke key", secret)]


def test_wrong_options_make_no_key(language: str) -> None:
    """Each error names its option."""
    for arguments in (
        ("--name", "A b"),
        ("--name", "a", "--scopes", "admin"),
        ("--name", "a", "--rate", "60"),
        ("--name", "a", "--names", "hr"),
        ("--name", "a", "--expires", "2001-01-01"),
    ):
        error = run("create", *arguments).exception
        assert isinstance(error, ConfigError)
        assert error.message.startswith(arguments[-2])
    assert json.loads(run("list", "--json").output) == []
    assert isinstance(run("revoke", "--name", "a").exception, NotFound)
