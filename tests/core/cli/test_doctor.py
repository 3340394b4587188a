"""What `doctor` finds: each problem once made on purpose."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli import checks, machine
from core.cli.check_words import WORDS
from core.cli.doctor import doctor
from core.cli.machine import Memory, cpu_features
from core.cli.report import Finding, Report
from core.cli.words import Words
from core.configuration import settings
from core.storage.database import Database
from tests.web.support_site import site

REPORT = Report(Words(WORDS, "en"))


def loaded(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.load({"CSPS_LLM_DATA": str(tmp_path / "var"), **environ})


def one(findings: object) -> Finding:
    (finding,) = list(findings)  # type: ignore[call-overload]
    assert isinstance(finding, Finding)
    return finding


def test_every_word_exists_in_both_languages() -> None:
    """And both say the same: the same values are filled in."""
    import string

    for english, french in WORDS.values():
        fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (english, french)]
        assert fields[0] == fields[1]
        assert english
        assert french


def test_this_machine_can_run_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the machine that runs the tests, only what is not installed or prepared yet may be a problem."""
    monkeypatch.setattr(machine, "offloads", lambda: False)
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
    assert "Rien ne s'y oppose" in table


def test_bad_settings_are_a_problem_and_end_what_needs_them(capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is still looked at."""
    assert doctor({"PORT": "many"}, as_json=True) == 1
    found = {each["check"]: each for each in json.loads(capsys.readouterr().out)}
    assert found["Settings"]["state"] == "problem"
    assert "PORT" in found["Settings"]["found"]
    assert "Database" not in found


def test_the_starter_is_called_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It works, and a warning says that its answers are weak."""
    from core.model.catalog import STARTER_NAME, bundled_starter

    own = loaded(tmp_path)
    place = own.data_folder / "models" / f"{STARTER_NAME}-Q8_0.gguf"
    place.parent.mkdir(parents=True)
    shutil.copy(bundled_starter(), place)
    monkeypatch.setattr(machine, "memory", lambda: Memory(8 << 30, 4 << 30))
    model, memory = checks.model(REPORT, own)
    assert model.state == "warn"
    assert "starter" in model.advice
    assert memory.state == "ok"
    assert "189 MB of it for the context" in memory.found  # 8192 tokens × 23,040 bytes
    for there, state in ((Memory(8 << 30, 1 << 20), "warn"), (Memory(1 << 28, 1 << 20), "problem")):
        monkeypatch.setattr(machine, "memory", lambda there=there: there)
        assert list(checks.model(REPORT, own))[1].state == state


def test_a_model_file_that_is_none(tmp_path: Path) -> None:
    """Missing, damaged and still to be fetched are told apart."""
    missing = one(checks.model(REPORT, loaded(tmp_path, LLM_MODEL_FILE=str(tmp_path / "none.gguf"))))
    assert (missing.state, missing.advice) == ("problem", "Correct LLM_MODEL_FILE.")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF\x03")
    damaged = one(checks.model(REPORT, loaded(tmp_path, LLM_MODEL_FILE=str(tmp_path / "bad.gguf"))))
    assert damaged.state == "problem"
    assert "damaged" in damaged.advice
    hub = {"LLM_HUGGINGFACE_REPO": "someone/something", "LLM_HUGGINGFACE_FILE": "*Q4_K_M.gguf"}
    assert one(checks.model(REPORT, loaded(tmp_path, **hub))).state == "warn"


def test_more_threads_than_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is slower, so it is a warning with the right number."""
    monkeypatch.setattr(checks, "physical_cores", lambda: 4)
    assert one(checks.cores(REPORT, loaded(tmp_path))).state == "ok"
    many = one(checks.cores(REPORT, loaded(tmp_path, LLM_CPU_THREADS="8")))
    assert many.state == "warn"
    assert "4" in many.advice


@pytest.mark.parametrize(
    ("names", "offloads", "check", "state"),
    [
        ([], False, "GPU", "ok"),
        (["NVIDIA H100"], True, "GPU", "ok"),
        (["NVIDIA H100"], False, "GPU", "warn"),
        ([], None, "Engine", "problem"),
    ],
)
def test_a_gpu_that_is_there_should_be_used(
    monkeypatch: pytest.MonkeyPatch, names: list[str], offloads: bool | None, check: str, state: str
) -> None:
    """And an engine that does not even start is a problem, GPU or not."""
    monkeypatch.setattr(machine, "nvidia_gpus", lambda: names)
    monkeypatch.setattr(machine, "offloads", lambda: offloads)
    found = one(checks.gpu(REPORT))
    assert (found.check, found.state) == (check, state)


def test_the_engine_tells_whether_it_uses_a_gpu() -> None:
    """Asked for real, in a process of its own."""
    assert machine.offloads() in (True, False)


def test_a_slow_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AVX2 or NEON people are warned."""
    monkeypatch.setattr(machine, "features", lambda: [])
    assert one(checks.cpu(REPORT)).state == "warn"
    assert cpu_features("processor: 0\nflags : sse avx2 avx512f\n") == ["AVX2", "AVX-512"]
    assert cpu_features("Features : fp asimd sve\n") == ["NEON", "SVE"]


async def test_ports(tmp_path: Path) -> None:
    """Free, ours, and somebody else's."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = one(await checks.port(REPORT, loaded(tmp_path, PORT=str(other.getsockname()[1]))))
    assert taken.state == "problem"
    assert "PORT=" in taken.advice
    assert one(await checks.port(REPORT, loaded(tmp_path, PORT="0"))).state == "ok"
    async with site(loaded(tmp_path, PORT="0")) as running:
        port = running.url.rstrip("/").rpartition(":")[2]
        ours = one(await checks.port(REPORT, loaded(tmp_path, PORT=port)))
    assert "csps-llm answers" in ours.found


async def test_a_database_and_a_folder_that_refuse(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "var").write_text("", encoding="utf-8")
    folder = one(checks.disk(REPORT, loaded(tmp_path)))
    assert (folder.state, folder.advice) == ("problem", "Set CSPS_LLM_DATA to a folder.")
    assert one(await checks.database(REPORT, loaded(tmp_path))).state == "problem"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little space is a warning, none a problem."""
    for free, state in ((2 << 30, "ok"), (500 << 20, "warn"), (1 << 20, "problem")):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert one(checks.disk(REPORT, loaded(tmp_path))).state == state


async def test_a_remote_engine_that_is_away(tmp_path: Path) -> None:
    """With LLM_URL it is asked instead of the file."""
    found = one(await checks.remote(REPORT, loaded(tmp_path, LLM_URL="http://127.0.0.1:1/v1")))
    assert found.state == "problem"
    assert found.found == "http://127.0.0.1:1/v1: nothing listens there"
    assert "LLM_URL" in found.advice


def test_a_command_that_hangs_or_fails_is_no_answer() -> None:
    """A driver's tool that does not come back does not hold the doctor up."""
    assert machine.asked(sys.executable, "-c", "print('here')") == "here\n"
    assert machine.asked(sys.executable, "-c", "raise SystemExit(1)") is None
    assert machine.asked(sys.executable, "-c", "input()" + "\nimport time; time.sleep(60)", deadline_s=0.2) is None
    assert machine.asked("/no/such/tool") is None


def test_the_configuration_is_the_shipped_one() -> None:
    """Where CSPS_LLM_CONFIG says nothing."""
    found, there = checks.configuration(REPORT, {})
    assert there is not None
    assert str(PROJECT_ROOT / "config" / "settings.toml") in found[0].found


# ---------------------------------------------------------------- what personalities name


def own_config(folder: Path, whisper: str = "", sources: str = "") -> settings.Settings:
    """Of an operator's own: our whisper with more in it, and a file of sources unless that is ""."""
    (folder / "personalities").mkdir(parents=True)
    shipped = (PROJECT_ROOT / "config" / "personalities" / "whisper.toml").read_text(encoding="utf-8")
    ours = "\n".join(line for line in shipped.splitlines() if not line.startswith("sources"))
    (folder / "personalities" / "whisper.toml").write_text(f"{whisper}\n{ours}", encoding="utf-8")
    if sources:
        (folder / "sources.toml").write_text(sources, encoding="utf-8")
    return settings.load({"CSPS_LLM_DATA": str(folder / "var"), "CSPS_LLM_CONFIG": str(folder)})


async def test_what_a_personality_names_and_is_not_there(tmp_path: Path) -> None:
    """A warning each, with file and line: the service runs, and answers say that they do without it."""
    loaded = own_config(tmp_path, 'sources = ["wether"]\ncollections = ["leave"]')
    *fine, source, collection = await checks.personalities(REPORT, loaded)

    assert ["ok", "ok", "warn", "warn"] == [finding.state for finding in (*fine, source, collection)]
    assert "whisper.toml:1: no source named 'wether'; did you mean 'weather'?" in source.found
    assert "whisper.toml:2: no collection named 'leave'" in collection.found


async def test_a_file_of_sources_that_cannot_be_read(tmp_path: Path) -> None:
    """A problem: `up` does not start with it."""
    _, sources = await checks.personalities(REPORT, own_config(tmp_path, sources="[weather]\nkind = 1\n"))
    assert ("Sources", "problem") == (sources.check, sources.state)
    assert "sources.toml" in sources.found


def test_the_settings_that_were_read_are_named(tmp_path: Path) -> None:
    """Ours, where a folder of one's own has none."""
    own_config(tmp_path)
    (finding,), _ = checks.configuration(REPORT, {"CSPS_LLM_CONFIG": str(tmp_path)})
    assert str(PROJECT_ROOT / "config" / "settings.toml") == finding.found


async def test_a_database_of_newer_code_is_a_problem(tmp_path: Path) -> None:
    """The doctor finds it before a process refuses to start."""
    chosen = loaded(tmp_path)
    database = Database(chosen.database_url)
    await database.upgrade()
    await database.write(lambda db: db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()

    finding = one(await checks.database(REPORT, chosen))

    assert "problem" == finding.state
    assert "revision 9999" in finding.found
