"""The checks of `doctor`: each test causes a problem and reads the finding."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli import checks, hardware_checks
from core.cli.doctor import doctor
from core.cli.engine_checks import check_engines
from core.cli.findings import Finding, FindingBuilder
from core.configuration import settings
from core.storage.database import Database
from tests.web.support_site import site

ENGLISH = FindingBuilder("en")


def load(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), **environ})


def only(findings: object) -> Finding:
    (finding,) = list(findings)  # type: ignore[call-overload]
    assert isinstance(finding, Finding)
    return finding


def test_all_checks_pass_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the machine that runs the tests, nothing is a problem. The starter model may not be prepared yet."""
    monkeypatch.setattr(hardware_checks, "ask_engine", lambda *_: {"devices": []})
    environ = {"CSPS_LLM_DATA": str(tmp_path), "PORT": "0"}
    doctor(environ, as_json=True)
    found = {each["check"]: each["state"] for each in json.loads(capsys.readouterr().out)}
    assert {"Python", "Settings", "Personalities", "Bundled starter", "Port", "Data folder", "Database"} <= {
        check for check, state in found.items() if state == "ok"
    }
    assert found["Model file"] == "warn"  # the model process makes it when it starts
    assert "problem" not in found.values()
    assert doctor({**environ, "LC_ALL": "fr_CA.UTF-8"}, as_json=False) == 0
    table = capsys.readouterr().out
    assert "Vérification" in table
    assert "Tout est en ordre." in table


def test_invalid_settings_are_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """Checks that need the settings are skipped; the others run."""
    assert doctor({"PORT": "many"}, as_json=True) == 1
    found = {each["check"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["Settings"]["state"] == "problem"
    assert "PORT" in found["Settings"]["found"]
    assert "Database" not in found


async def test_ports(tmp_path: Path) -> None:
    """A port may be free, used by this service, or used by another program."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = only(await checks.check_port(ENGLISH, load(tmp_path, PORT=str(other.getsockname()[1]))))
    assert taken.state == "problem"
    assert "PORT=" in taken.advice
    assert only(await checks.check_port(ENGLISH, load(tmp_path, PORT="0"))).state == "ok"
    async with site(load(tmp_path, PORT="0")) as running:
        port = running.url.rstrip("/").rpartition(":")[2]
        ours = only(await checks.check_port(ENGLISH, load(tmp_path, PORT=port)))
    assert "csps-llm answers" in ours.found


async def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    """Neither the folder nor the database can be used."""
    (tmp_path / "var").write_text("", encoding="utf-8")
    folder = only(checks.check_disk(ENGLISH, load(tmp_path)))
    assert (folder.state, folder.advice) == ("problem", "Set CSPS_LLM_DATA to a folder.")
    assert only(await checks.check_database(ENGLISH, load(tmp_path))).state == "problem"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 1 GiB of free space is a warning; less than 100 MiB is a problem."""
    for free, state in ((2 << 30, "ok"), (500 << 20, "warn"), (1 << 20, "problem")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert only(checks.check_disk(ENGLISH, load(tmp_path))).state == state


async def test_an_unreachable_remote_engine(tmp_path: Path) -> None:
    """With LLM_URL the engine is checked instead of the model file."""
    found = only(await check_engines(ENGLISH, load(tmp_path, LLM_URL="http://127.0.0.1:1/v1")))
    assert found.state == "problem"
    assert found.found == "127.0.0.1:1: nothing listens there"
    assert "LLM_URL" in found.advice


def test_the_default_settings_file() -> None:
    """Without CSPS_LLM_CONFIG it is the shipped one."""
    found, own = checks.check_settings(ENGLISH, {})
    assert own is not None
    assert str(PROJECT_ROOT / "config" / "settings.toml") in found[0].found


# ---------------------------------------------------------------- names in personalities


def own_config(folder: Path, whisper: str = "", sources: str = "") -> settings.Settings:
    """An operator's configuration: our whisper with added lines, and a file of sources unless `sources` is empty."""
    (folder / "personalities").mkdir(parents=True)
    shipped = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")
    ours = "\n".join(line for line in shipped.splitlines() if not line.startswith("sources"))
    (folder / "personalities" / "whisper.toml").write_text(f"{whisper}\n{ours}", encoding="utf-8")
    if sources:
        (folder / "sources.toml").write_text(sources, encoding="utf-8")
    return settings.load({"CSPS_LLM_DATA": str(folder / "var"), "CSPS_LLM_CONFIG": str(folder)})


async def test_an_unknown_name_in_a_personality(tmp_path: Path) -> None:
    """Each is a warning with file and line: the service runs, and answers say that they lack the source."""
    loaded = own_config(tmp_path, 'sources = ["wether"]\ncollections = ["leave"]')
    *fine, source, collection = await checks.check_personalities(ENGLISH, loaded)

    assert ["ok", "ok", "warn", "warn"] == [finding.state for finding in (*fine, source, collection)]
    assert "whisper.toml:1: no source named 'wether'; did you mean 'weather'?" in source.found
    assert "whisper.toml:2: no collection named 'leave'" in collection.found


async def test_an_invalid_file_of_sources(tmp_path: Path) -> None:
    """It is a problem: `up` does not start with it."""
    _, sources = await checks.check_personalities(ENGLISH, own_config(tmp_path, sources="[weather]\nkind = 1\n"))
    assert ("Sources", "problem") == (sources.check, sources.state)
    assert "sources.toml" in sources.found


def test_the_settings_file_is_named(tmp_path: Path) -> None:
    """The shipped file counts if the operator's folder has none."""
    own_config(tmp_path)
    (finding,), _ = checks.check_settings(ENGLISH, {"CSPS_LLM_CONFIG": str(tmp_path)})
    assert str(PROJECT_ROOT / "config" / "settings.toml") == finding.found


async def test_a_database_of_newer_code_is_a_problem(tmp_path: Path) -> None:
    """The doctor finds it before a process refuses to start."""
    chosen = load(tmp_path)
    database = Database(chosen.database_url)
    await database.upgrade()
    await database.write(lambda db: db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()

    finding = only(await checks.check_database(ENGLISH, chosen))

    assert "problem" == finding.state
    assert "revision 9999" in finding.found
