"""`csps-llm records`: what an operator types, reads, and gets as an exit status."""

from __future__ import annotations

import asyncio
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from core.cli.commands import app
from core.cli.records import purge, session
from core.errors import BadRequest, ConfigError
from core.records.clock import read_clock
from core.storage.database import Database
from core.storage.encryption import KeyRing
from tests.core.records.support_records import ANA, Clock, People, found_in

WORDS = "plutonium-quartz"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, with a conversation of a person."""
    folder = tmp_path / "var"
    monkeypatch.setenv("CSPS_LLM_DATA", str(folder))
    monkeypatch.setenv("LC_ALL", "en_CA.UTF-8")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    asyncio.run(ask(folder))
    return folder


async def ask(folder: Path, keys: KeyRing | None = None) -> None:
    database = Database(f"sqlite:///{folder / 'csps-llm.db'}", keys)
    await database.upgrade()
    clock = Clock()
    clock.now = read_clock().wall_s
    await People(database, clock).ask(ANA, WORDS)
    await database.close()


def records(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["records", *arguments])


def output(*arguments: str) -> str:
    result = records(*arguments)
    assert 0 == result.exit_code, result.output
    return result.output


def test_records_are_held_exported_released_and_deleted(folder: Path, tmp_path: Path) -> None:
    """A held person's records cannot be deleted. Afterwards no file has a word of them, and the log names each step."""
    person, file = ("--user", "ana@example.gc.ca"), tmp_path / "out.zip"
    assert "conversations: 1, messages to bots: 0" in output("hold", *person, "--reason", "request 17")
    assert "request 17" in output("holds")
    assert isinstance(records("delete", *person, "--reason", "asked").exception, BadRequest)
    assert "Conversations: 1." in output("export", *person, "-o", str(file))
    assert "Signed by this service." in output("verify", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    output("release", "1")

    proof = json.loads(output("delete", *person, "--reason", "asked"))

    assert {"conversations": 1, "turns": 1, "turn_ratings": 1} == proof["rows"]
    assert [proof] == json.loads(output("proofs"))
    assert [] == found_in(folder, WORDS)
    log = json.loads(output("accesses", "--json"))
    steps = ["hold", "list holds", "delete", "export", "release hold", "delete", "list proofs"]
    assert (steps, None) == ([each["action"] for each in log["entries"]], log["broken_at"])
    assert "ana@" not in str(log)


def test_an_export_that_was_changed_ends_with_status_1(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.zip"
    output("export", "-o", str(file))
    file.write_bytes(file.read_bytes().replace(b"manifest.sig", b"manifest.sog"))
    result = records("verify", str(file))

    assert (1, True) == (result.exit_code, "is not genuine" in result.output)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("hold", "--reason", "x"), "either --user or --conversation"),
        (("hold", "--user", "a", "--conversation", "b", "--reason", "x"), "either --user or --conversation"),
        (("hold", "--user", "a", "--reason", "x", "--from", "April"), "--from: expected a day"),
        (("export", "-o", "/nonexistent/out.zip"), "there is no such folder"),
        (("verify", "/dev/null"), "not an export that can be read"),
        (("rotate-key",), "RECORDS_KEY_FILE is not set"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_command_says_what_to_do(arguments: tuple[str, ...], message: str) -> None:
    error = records(*arguments).exception

    assert isinstance(error, ConfigError)
    assert message in error.message


@pytest.mark.usefixtures("folder")
def test_a_clock_that_jumped_is_refused_until_it_is_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is deleted before. The message names the command that confirms it."""
    output("purge")
    later = replace(read_clock(), wall_s=read_clock().wall_s + 40 * 86_400)

    def run(confirms: bool) -> int:
        return session.run(lambda opened: purge.purge(opened, confirms_clock=confirms, clock=lambda: later))

    assert 1 == run(confirms=False)
    assert "csps-llm records purge --confirm-clock" in capsys.readouterr().out
    assert 0 == run(confirms=True)
    assert "conversations: 1" in capsys.readouterr().out


def test_a_key_is_made_and_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run encrypts what is stored. The old key stays in a file beside the new one."""
    monkeypatch.setenv("RECORDS_KEY_FILE", "records.key")
    assert isinstance(records("accesses").exception, ConfigError)
    output("rotate-key")
    first = (folder / "records.key").read_text()
    assert [] == found_in(folder, WORDS)

    output("rotate-key")

    second = (folder / "records.key").read_text()
    assert first != second
    assert first == (folder / "records.key.retired").read_text()
    assert stat.S_IMODE((folder / "records.key").stat().st_mode) == 0o600
    (folder / "records.key").unlink()
    assert isinstance(records("rotate-key").exception, ConfigError)  # a lost key is not replaced by a new one
    assert not (folder / "records.key").exists()
    (folder / "records.key").write_text(second)
    assert "Conversations: 1." in output("export", "-o", str(folder / "out.zip"))


def test_keys_of_the_environment_are_changed_by_the_operator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new key stands before the old one until the command has run."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("RECORDS_KEY", old)
    output("rotate-key")
    monkeypatch.setenv("RECORDS_KEY", f"{new},{old}")
    assert "remove the other keys from RECORDS_KEY" in output("rotate-key")
    monkeypatch.setenv("RECORDS_KEY", new)

    assert "everybody" not in output("accesses")
    assert [] == found_in(folder, WORDS)
