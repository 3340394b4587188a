"""The harness: servers take turns, settings are chosen, and a failure loses little."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.serving import rounds
from benchmarks.serving.machine import Load
from benchmarks.serving.measures import Target
from benchmarks.serving.rounds import WorkloadRun
from benchmarks.serving.servers import Capacity, Server, ServerCommand
from core.errors import ModelUnavailable


class FakeCommand(ServerCommand):
    """A server without a process."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        events.append(f"start {self.name} {self.setting}".rstrip())
        yield Server(self.name, f"http://{self.name}/{self.setting}", 1)
        events.append(f"stop {self.name} {self.setting}".rstrip())


events: list[str] = []


@dataclass
class FakeWorkload:
    """The rates of servers by URL; a turn of a server in `failing` fails."""

    rates: Mapping[str, float]
    failing: Sequence[tuple[str, int]] = ()
    cases: Sequence[str] = ("1", "8")
    most_rounds: int | None = None
    name: str = "fake"
    case_name: str = "clients"
    metrics: Sequence[str] = ("tokens_per_s",)
    model: Path = Path("model.gguf")
    capacity: Capacity = field(default_factory=Capacity)
    targets: Sequence[Target] = ()

    def servers(self) -> Sequence[str]:
        return ()

    async def warm_up(self, server: Server) -> None:
        events.append(f"warm {server.name}")

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        if (server.name, turn) in self.failing:
            raise ModelUnavailable("gone", retry_after_s=1)
        return {"tokens_per_s": self.rates[server.url]}


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    events.clear()
    monkeypatch.setattr(rounds.Load, "sample", lambda: Load(0.0, 0.0))
    monkeypatch.setattr(rounds, "cpu_s", lambda pid: 0.0)


OURS, THEIRS = FakeCommand("ours", []), FakeCommand("theirs", [])
RATES = {"http://ours/": 2.0, "http://theirs/": 1.0}


async def test_servers_take_turns_within_each_case() -> None:
    """The server that begins changes with each round; all are warm before the first one."""
    run = WorkloadRun(FakeWorkload(RATES))
    await run.run([[OURS], [THEIRS]], 2, lambda _: None)

    order = [(sample.round, sample.case, sample.server) for sample in run.measurement.samples]
    assert [(1, "1", "ours"), (1, "1", "theirs"), (1, "8", "ours"), (1, "8", "theirs")] == order[:4]
    assert [(2, "1", "theirs"), (2, "1", "ours"), (2, "8", "theirs"), (2, "8", "ours")] == order[4:]
    assert ["start ours", "warm ours", "start theirs", "warm theirs"] == events[:4]
    assert [Load(0.0, 0.0)] * 2 == run.loads


async def test_faster_setting_is_measured() -> None:
    """Both are tried in round 0; the slower server is stopped before the first round."""
    commands = [FakeCommand("theirs", [], setting=setting) for setting in ("a", "b")]
    run = WorkloadRun(FakeWorkload({**RATES, "http://theirs/a": 1.0, "http://theirs/b": 3.0}))
    await run.run([[OURS], commands], 1, lambda _: events.append("round"))

    assert {"ours": "", "theirs": "b"} == run.settings
    assert {"b"} == {sample.setting for sample in run.measurement.counted if sample.server == "theirs"}
    assert events.index("stop theirs a") < events.index("round") < events.index("stop theirs b")


async def test_failed_turn_has_no_sample() -> None:
    """The other servers and the other rounds keep theirs."""
    run = WorkloadRun(FakeWorkload(RATES, failing=[("theirs", 1)]))
    await run.run([[OURS], [THEIRS]], 2, lambda _: None)

    assert {2} == set(run.measurement.by_round("theirs", "8", "tokens_per_s"))
    assert {1, 2} == set(run.measurement.by_round("ours", "8", "tokens_per_s"))


async def test_every_round_is_saved() -> None:
    """A run that ends early keeps the rounds that are done."""
    saved: list[int] = []
    run = WorkloadRun(FakeWorkload(RATES, cases=("1",)))
    await run.run([[OURS]], 3, lambda each: saved.append(len(each.measurement.samples)))

    assert [1, 2, 3] == saved


async def test_workload_may_need_one_round_only() -> None:
    """More rounds than a workload wants are not run."""
    run = WorkloadRun(FakeWorkload(RATES, cases=("1",), most_rounds=1))
    await run.run([[OURS]], 4, lambda _: None)

    assert 1 == len(run.measurement.samples)
