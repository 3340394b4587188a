"""Deployments and workers without a process: a test decides when one is loaded and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from core.model.host.deployment import Deployment, FilePart, MemoryUse
from core.model.host.memory_budget import MemoryBudget
from core.model.host.pool import ModelPool
from core.model.host.worker_process import WorkerEnd, WorkerProcess
from core.model.worker.announcements import WorkerFailed, WorkerReady
from core.model.worker.options import WorkerOptions

READY = WorkerReady(window=4096, cache_tokens=8192, embedder=False, load_s=1.0)


def options_of(model_id: str, path: str = "", *, starter: bool = False, window: int | None = None) -> WorkerOptions:
    return WorkerOptions(
        path=path or f"/models/{model_id}.gguf",
        name=f"Model {model_id}",
        starter=starter,
        data_folder="/data",
        threads=1,
        slots=4,
        queue_limit=4,
        suspend_mb=0,
        context_window=window,
        model_id=model_id,
    )


def deployment(
    model_id: str, size: int = 10, version: int = 0, *, path: str = "", starter: bool = False, window: int | None = None
) -> Deployment:
    """A model that takes `size` bytes, half of them for its file."""
    file = (FilePart(1, hash(path or model_id), size // 2, version),)
    memory = MemoryUse(file, size // 2, size - size // 2)
    return Deployment(options_of(model_id, path, starter=starter, window=window), memory, file, window)


@dataclass
class FakeWorker:
    """Stands in for a `WorkerProcess`."""

    options: WorkerOptions
    ready: WorkerReady | None = None
    pid: int | None = None
    stopped: bool = False
    stop_ends: bool = True
    _end: asyncio.Future[WorkerEnd] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _became_ready: Callable[[], None] = lambda: None

    async def run(self, became_ready: Callable[[], None]) -> WorkerEnd:
        self._became_ready = became_ready
        return await self._end

    async def stop(self) -> None:
        self.stopped = True
        if self.stop_ends:
            self.end("stopped")

    def load(self) -> None:
        self.ready = READY
        self._became_ready()

    def end(self, reason: str, *, ran_s: float = 1.0, failure: WorkerFailed | None = None) -> None:
        if not self._end.done():
            self._end.set_result(WorkerEnd(reason, ran_s, failure))


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Workers:
    """A pool whose workers are fake."""

    def __init__(self, budget: int = 25) -> None:
        self.clock = FakeClock()
        self.started: list[FakeWorker] = []
        self.pool = ModelPool(self._launch, MemoryBudget(budget, budget), self.clock)

    def _launch(self, wanted: Deployment) -> WorkerProcess:
        worker = FakeWorker(wanted.options)
        self.started.append(worker)
        return cast(WorkerProcess, worker)

    def latest(self, model_id: str) -> FakeWorker:
        return next(each for each in reversed(self.started) if each.options.model_id == model_id)

    @property
    def loaded(self) -> set[str]:
        return {each.deployment.model_id for each in self.pool.workers() if each.state == "ready"}

    @property
    def ids(self) -> list[str]:
        """The models whose loads began, in order."""
        return [each.options.model_id for each in self.started]

    async def load(self, model_id: str) -> FakeWorker:
        """Lets a begun load end."""
        await settle()
        worker = self.latest(model_id)
        worker.load()
        await settle()
        return worker

    async def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.pool.update()
        await settle()


async def settle() -> None:
    """Lets the tasks that are ready run."""
    for _ in range(5):
        await asyncio.sleep(0)
