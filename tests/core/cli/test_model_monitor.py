"""The reports of `up` on the model: the choice, its download, its takeover."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.cli.model_host import ServedModel, parse_served
from core.cli.model_monitor import REPORT_S, ChoiceReport, ModelMonitor, explain_default
from core.configuration import settings
from core.contract import Language
from core.errors import ConfigError
from core.model.hardware.machine import Machine
from core.model.library import resources

GIB = 1 << 30
MB = 10**6
REPORT = ChoiceReport("small", "automatic", ("Model: Small.", "To choose another one …"))


class FakeLog:
    """Keeps what is written. `status` has every status line."""

    def __init__(self, has_status_line: bool = False) -> None:
        self.has_status_line = has_status_line
        self.status: list[str | None] = []
        self.events: list[tuple[str, str, dict[str, object]]] = []

    def show_status(self, line: str | None) -> None:
        self.status.append(line)

    def write_event(self, event: str, message: str, **values: object) -> None:
        self.events.append((event, message, values))

    @property
    def names(self) -> list[str]:
        return [event for event, _, _ in self.events]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def entry(state: str, **download: Any) -> tuple[ServedModel, ...]:
    extra = {"download": download} if download else {}
    return parse_served({"data": [{"id": "small", "title": "Small 1B", "state": state, **extra}, {"id": "starter"}]})


def monitor(log: FakeLog, clock: Clock | None = None, language: Language = "en") -> ModelMonitor:
    async def fetch() -> Sequence[ServedModel] | None:
        return None

    return ModelMonitor(lambda: REPORT, fetch, log, language, clock=clock or Clock())


def half(**changed: Any) -> dict[str, Any]:
    return {"done_bytes": 5 * MB, "total_bytes": 10 * MB, "bytes_per_s": MB, "expected_s": 5, **changed}


def test_a_terminal_shows_a_bar_until_the_model_answers() -> None:
    """The line goes when the download is finished, and a message says that the model answers."""
    log = FakeLog(has_status_line=True)
    watched = monitor(log)
    watched.observe(entry("downloading", **half()))
    watched.observe(entry("loading"))
    watched.observe(entry("loaded"))
    watched.observe(entry("loaded"))

    assert ["████████████░░░░░░░░░░░░ Small 1B: 50% of 10 MB, 1 MB/s, 5 secs left", None, None, None] == log.status
    assert [("model_downloaded", "Small 1B answers now.", {"model": "small"})] == log.events


def test_elsewhere_lines_come_now_and_then() -> None:
    """One at once, the next after half a minute or when the state changes. They carry numbers for JSON logs."""
    log, clock = FakeLog(), Clock()
    watched = monitor(log, clock)
    watched.observe(entry("downloading", **half()))
    watched.observe(entry("downloading", **half()))
    clock.now += REPORT_S
    watched.observe(entry("downloading", **half()))
    watched.observe(entry("downloading", **half(problem="the network is away")))
    watched.observe(entry("downloading", **half(problem="the network is away")))

    assert ["model_download"] * 3 == log.names
    assert "waiting at 50%. the network is away" in log.events[-1][1]
    values = log.events[0][2]
    assert (5 * MB, 10 * MB, 5, "info") == tuple(
        values[key] for key in ("done_bytes", "total_bytes", "expected_s", "level")
    )


def test_a_whole_download_is_being_checked() -> None:
    """The host lists it as a download until its sha256 is known to be right."""
    log = FakeLog()
    monitor(log).observe(entry("downloading", **half(done_bytes=10 << 20, expected_s=None)))

    assert ["checking"] == [values["state"] for _, _, values in log.events]


def test_a_failure_is_reported_once() -> None:
    """With its reason, also on a terminal."""
    log = FakeLog(has_status_line=True)
    watched = monitor(log)
    watched.observe(entry("downloading", **half()))
    for _ in range(2):
        watched.observe(entry("failed", **half(problem="the disk is full")))

    assert ["model_download"] == log.names
    assert "not be downloaded. the disk is full" in log.events[0][1]
    assert "warning" == log.events[0][2]["level"]
    assert log.status[-1] is None


def test_a_file_that_cannot_be_loaded_is_no_failed_download() -> None:
    """It is here; its reason says what is wrong with it."""
    log = FakeLog()
    monitor(log).observe(entry("failed", problem="small.gguf is cut", fault="load"))

    [(_, message, _)] = log.events
    assert message.startswith("Small 1B cannot be loaded, and another model answers.")
    assert "csps-llm models use MODEL" in message
    assert message.endswith("The reason: small.gguf is cut")
    assert "load" == log.events[0][2]["fault"]


def test_a_problem_is_shown_in_the_language_of_the_terminal() -> None:
    """JSON logs keep the English sentence, beside the code of the fault."""
    log = FakeLog()
    problem = {"problem": "The hub is away.", "problem_in_french": "Le site ne répond pas.", "fault": "unreachable"}
    monitor(log, language="fr").observe(entry("failed", **half(**problem)))

    _, message, values = log.events[0]
    assert "n’a pas pu être téléchargé. Le site ne répond pas." in message
    assert ("The hub is away.", "unreachable") == (values["problem"], values["fault"])


def test_a_model_that_was_always_there_is_no_event() -> None:
    log = FakeLog()
    watched = monitor(log)
    watched.observe(entry("loading"))
    watched.observe(entry("loaded"))

    assert [] == log.events


async def test_the_choice_is_reported_first() -> None:
    """A host that does not answer is asked again."""
    log, asked = FakeLog(has_status_line=True), asyncio.Event()
    answers: list[tuple[ServedModel, ...] | None] = [None, entry("downloading", **half())]

    async def fetch() -> Sequence[ServedModel] | None:
        if not answers:
            asked.set()
            await asyncio.Event().wait()
        return answers.pop(0)

    watched = ModelMonitor(lambda: REPORT, fetch, log, "en", interval_s=0)
    task = asyncio.create_task(watched.run())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ("model_chosen", "Model: Small.\nTo choose another one …") == log.events[0][:2]
    assert {"model": "small", "reason": "automatic"} == log.events[0][2]
    assert log.status[0] is None
    assert log.status[1] is not None
    assert log.status[-1] is None


async def test_a_broken_catalogue_is_reported() -> None:
    """The service goes on, so the reports do too."""
    log = FakeLog()

    def broken() -> ChoiceReport:
        raise ConfigError("models.toml: not valid TOML")

    async def fetch() -> Sequence[ServedModel] | None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ModelMonitor(broken, fetch, log, "en").run()
    assert [("model_unknown", "models.toml: not valid TOML")] == [event[:2] for event in log.events]


def test_the_lines_of_a_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which model, why, its licence, what answers meanwhile, and how to say no."""
    machine = Machine(4, 8 * GIB, 7 * GIB, bandwidth_bytes_per_s=20e9)
    monkeypatch.setattr(resources, "inspect_machine", lambda *_: machine)
    monkeypatch.setattr(resources, "is_offline", lambda *_: False)
    report = explain_default(settings.load({"CSPS_LLM_DATA": str(tmp_path), "LLM_AUTO": "on"}), "en")
    lines = "\n".join(report.lines)

    assert ("ministral-3b", "automatic") == (report.model_id, report.reason)
    for expected in ("Ministral 3 3B Instruct", "best", "Apache-2.0", "SmolLM2", "LLM_AUTO=off", "Ministral 3 8B"):
        assert expected in lines
