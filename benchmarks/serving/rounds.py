"""Runs a workload: the servers take turns within each round, so that a noisy machine disturbs all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from benchmarks.serving.machine import Load
from benchmarks.serving.measures import CPU_S, Measurement, Sample, Target, best_setting
from benchmarks.serving.processes import cpu_s
from benchmarks.serving.servers import Capacity, Server, ServerCommand
from core.errors import CspsError


class Workload(Protocol):
    """One kind of work. `case_name` says what its cases are, such as "clients"."""

    name: str
    case_name: str
    metrics: Sequence[str]  # in the order of the table; the first is a rate, by which settings are chosen
    cases: Sequence[str]
    model: Path
    most_rounds: int | None
    capacity: Capacity
    targets: Sequence[Target]

    def servers(self) -> Sequence[str]:
        """The names of the servers that can do this work."""
        ...

    async def warm_up(self, server: Server) -> None:
        """Does what a server needs before its first turn; it is not measured."""
        ...

    async def measure(self, server: Server, case: str, turn: int) -> Mapping[str, float]:
        """Returns figures by metric. Each `turn` has prompts of its own, the same for all servers."""
        ...


@dataclass
class WorkloadRun:
    """A workload with its samples, the load before each round, and the settings that were chosen."""

    workload: Workload
    measurement: Measurement = field(default_factory=Measurement)
    loads: list[Load] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    async def run(
        self, candidates: Sequence[Sequence[ServerCommand]], rounds: int, save: Callable[[WorkloadRun], object]
    ) -> None:
        """Measures one server of each group of candidates: the one whose setting is the fastest.

        Calls `save` after each round, so that a later failure or Ctrl+C loses one round at the most.
        """
        async with AsyncExitStack() as stack:
            servers = [await self._start_best(stack, commands) for commands in candidates]
            for turn in range(1, min(rounds, self.workload.most_rounds or rounds) + 1):
                self.loads.append(Load.sample())
                first = (turn - 1) % len(servers)
                for case in self.workload.cases:
                    for server in servers[first:] + servers[:first]:
                        await self._measure(server, case, turn, self.settings.get(server.name, ""))
                save(self)

    async def _start_best(self, stack: AsyncExitStack, commands: Sequence[ServerCommand]) -> Server:
        """Tries every command once and keeps the best server; the only command is not tried."""
        tried: dict[str, tuple[Server, AsyncExitStack]] = {}
        samples: list[Sample] = []
        for command in commands:
            own = await stack.enter_async_context(AsyncExitStack())
            server = await own.enter_async_context(command.running())
            await self.workload.warm_up(server)
            tried[command.setting] = server, own
            if len(commands) > 1:
                found = [await self._measure(server, case, 0, command.setting) for case in self.workload.cases]
                samples += filter(None, found)
        chosen = best_setting(samples, self.workload.metrics[0]) if samples else commands[0].setting
        for setting, (_, own) in tried.items():
            if setting != chosen:
                await own.aclose()
        server = tried[chosen][0]
        self.settings[server.name] = chosen
        return server

    async def _measure(self, server: Server, case: str, turn: int, setting: str) -> Sample | None:
        """Returns None if the server failed: then it has no sample of this round."""
        label = f"{self.workload.name} round {turn}, {case} {self.workload.case_name}, {server.name} {setting}".rstrip()
        try:
            before_s = cpu_s(server.pid)
            values = dict(await self.workload.measure(server, case, turn))
            values[CPU_S] = cpu_s(server.pid) - before_s
        except (aiohttp.ClientError, CspsError, OSError) as exc:  # OSError: also of a process that ended
            print(f"{label}: failed: {type(exc).__name__}: {exc}", flush=True)
            return None
        sample = Sample(turn, server.name, case, values, setting)
        self.measurement.samples.append(sample)
        figures = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"{label}: {figures}", flush=True)
        return sample
