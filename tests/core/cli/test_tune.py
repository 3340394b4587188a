"""`csps-llm tune`: a stand-in measures, and one test has the real engine measure the starter."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.cli import tune
from core.cli.measuring_process import MeasuringProcess
from core.configuration import settings
from core.errors import BadRequest, ConfigError
from core.model.hardware.tuning import TunedValues, read_records
from core.model.hardware.tuning_space import PARTS, Trial
from core.model.library.starter import bundled_starter, starter_path

TRIAL = Trial(1, 1, 128, None, "f16", 0)
# Eight threads are fast; 8-bit caches end the process; FILE is in the arguments.
STAND_IN = """
import json, sys
print(json.dumps({"gpu_layers": 0, "quantizes": True}), flush=True)
for line in sys.stdin:
    trial = json.loads(line)["trial"]
    if trial["kv_type"] == "q8_0":
        sys.exit(1)
    if trial["flash_attention"] is False:
        print(json.dumps({"refused": True}), flush=True)
        continue
    fast = 0.5 if trial["ubatch"] == 128 else 1.0
    print(json.dumps({"prompt_s": 0.01 * fast, "answer_s": 0.01, "shared_s": 0.03}), flush=True)
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a model in the starter's place, and the stand-in that measures it."""
    for variable, value in {"CSPS_LLM_DATA": str(tmp_path), "LLM_AUTO": "off", "LC_ALL": "C"}.items():
        monkeypatch.setenv(variable, value)
    file = starter_path(tmp_path / "models")
    file.parent.mkdir(parents=True)
    file.symlink_to(bundled_starter())
    monkeypatch.setattr(tune, "MeasuringProcess", lambda path: MeasuringProcess(path, (sys.executable, "-c", STAND_IN)))
    monkeypatch.setattr(tune.os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    return tmp_path


def test_the_fastest_settings_are_kept(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows before and after. Settings that the engine refuses, or dies of, are left out."""
    tune.tune(None, force=False)
    printed = capsys.readouterr().out
    (record,) = read_records(data)
    assert TunedValues(ubatch=128) == record.values
    assert record.gain > 1.1
    assert "Tokens computed at once" in printed
    assert "100 tokens/s" in printed
    assert "200 tokens/s" in printed
    tune.show()
    assert "ubatch 128" in capsys.readouterr().out


def test_a_result_can_be_forgotten(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model is loaded by the automatic choice then."""
    tune.show()
    assert "Nothing was found yet." in capsys.readouterr().out
    tune.tune(None, force=False)
    tune.reset(None)
    assert "Forgotten" in capsys.readouterr().out
    assert [] == read_records(data)


def test_settings_are_not_measured(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They win over the result anyway."""
    monkeypatch.setenv("LLM_CPU_THREADS", "1")
    monkeypatch.setenv("LLM_KV_TYPE", "f16")
    default, space = tune.plan_trials(
        settings.load({"LLM_CPU_THREADS": "3", "LLM_KV_TYPE": "q8_0", "LLM_FLASH_ATTENTION": "on"}),
        tune.inspect_machine(),
        {"gpu_layers": 0, "quantizes": True},
    )
    assert (3, 3, "q8_0", True) == (default.threads, default.threads_batch, default.kv_type, default.flash_attention)
    assert ["ubatch"] == [dimension.name for dimension in space]


def test_layers_on_a_gpu_are_tried(data: Path) -> None:
    """All that fit, three quarters of them, and none."""
    _, space = tune.plan_trials(settings.load({}), tune.inspect_machine(), {"gpu_layers": 32, "quantizes": False})
    assert [32, 24, 0] == [value["gpu_layers"] for value in space[0].values]


@pytest.mark.parametrize(
    ("model", "problem"), [("ministral-3b", "csps-llm models pull ministral-3b"), ("starter", "Run `make install`")]
)
def test_a_model_that_is_not_here(data: Path, model: str, problem: str) -> None:
    """The message says how to get it."""
    starter_path(data / "models").unlink()
    with pytest.raises(BadRequest, match=problem):
        tune.tune(model, force=False)


@pytest.fixture
async def host(data: Path) -> Any:
    """A model host that writes as many answers as `running` says."""
    app = web.Application()
    app["running"] = 2

    async def metrics(request: web.Request) -> web.Response:
        lines = f'# HELP csps_model_running\ncsps_model_running{{model="m"}} {app["running"]}.0\ncsps_model_waiting 9\n'
        return web.Response(text=lines)

    app.router.add_get("/metrics", metrics)
    loaded = settings.load({"CSPS_LLM_DATA": str(data)})
    loaded.model_socket.parent.mkdir(parents=True, exist_ok=True)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(loaded.model_socket)).start()
    yield app, loaded
    await runner.cleanup()


async def test_the_answers_that_are_written_are_counted(host: Any) -> None:
    """By the host's metrics."""
    app, loaded = host
    assert 2 == await tune.count_running(loaded)
    app["running"] = 0
    assert 0 == await tune.count_running(loaded)


async def test_without_a_host_nothing_runs(data: Path) -> None:
    """Also with a remote engine."""
    assert await tune.count_running(settings.load({"CSPS_LLM_DATA": str(data)})) is None
    assert await tune.count_running(settings.load({"LLM_URL": "http://127.0.0.1:1/v1"})) is None


@pytest.mark.parametrize(("running", "force", "refused"), [(2, False, True), (2, True, False), (0, False, False)])
def test_a_busy_service_is_not_disturbed(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    running: int,
    force: bool,
    refused: bool,
) -> None:
    """A measurement would take its cores, and be wrong. --force measures anyway; an idle service gives a warning."""

    async def count(_: object) -> int:
        return running

    monkeypatch.setattr(tune, "count_running", count)
    monkeypatch.setattr(tune.os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    loaded = settings.load({})
    if refused:
        with pytest.raises(BadRequest, match="The service is writing 2 answers"):
            tune.check_idle(loaded, "en", force=force)
        return
    tune.check_idle(loaded, "en", force=force)
    printed = capsys.readouterr().out
    assert "The service is running" in printed
    assert "Other programs use the processor (load 99)" in printed


def test_an_engine_that_does_not_start(tmp_path: Path) -> None:
    """The message has the command that shows why."""
    with (
        pytest.raises(ConfigError, match="the engine does not start"),
        MeasuringProcess(tmp_path / "m.gguf", (sys.executable, "-c", "raise SystemExit(1)")),
    ):
        pass


def test_the_real_engine_measures(starter_file: Path) -> None:
    """Every part has a time. A refused combination does not end the process."""
    with MeasuringProcess(starter_file) as process:
        assert {"gpu_layers", "quantizes"} == set(process.facts)
        first = process.measure(TRIAL, PARTS)
        assert first is not None
        assert min(first.prompt_s, first.answer_s, first.shared_s) > 0
        assert process.measure(Trial(1, 1, 128, False, "q8_0", 0), PARTS) is None
        prompt = process.measure(TRIAL, ["prompt"])
        assert prompt is not None
        assert (0.0, 0.0) == (prompt.answer_s, prompt.shared_s)


def test_a_damaged_model_is_explained(tmp_path: Path) -> None:
    """As when it is loaded to answer."""
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with (
        MeasuringProcess(tmp_path / "m.gguf") as process,
        pytest.raises(ConfigError, match="could not load this model"),
    ):
        process.measure(TRIAL, PARTS)


def test_trials_cross_to_the_process_as_json() -> None:
    """Every value of one."""
    assert TRIAL == Trial(**json.loads(json.dumps(TRIAL.to_dict())))
