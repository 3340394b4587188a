"""A request's claim on a loaded model: it waits for the model, then keeps it loaded until it is released."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import CspsError
from core.model.host.deployment import Deployment, MemoryUse
from core.model.host.residency import WorkerState
from core.model.host.worker_process import WorkerProcess


@dataclass(eq=False)
class PooledWorker:
    """A worker in the pool, with the number of its running requests."""

    process: WorkerProcess
    deployment: Deployment
    memory: MemoryUse
    started_at: float
    last_used: float
    state: WorkerState = "loading"
    running: int = 0


class Ticket:
    """Made by the pool. Release it in any case, also while it waits."""

    def __init__(
        self,
        deployment: Deployment,
        since: float,
        expects: Callable[[], float | None],
        release: Callable[[Ticket], None],
    ) -> None:
        self.deployment = deployment
        self.since = since
        self._expects = expects
        self._release = release
        self._worker: asyncio.Future[PooledWorker] = asyncio.get_running_loop().create_future()

    @property
    def is_waiting(self) -> bool:
        return not self._worker.done()

    @property
    def worker(self) -> PooledWorker | None:
        granted = not self.is_waiting and not self._worker.cancelled() and self._worker.exception() is None
        return self._worker.result() if granted else None

    @property
    def expected_wait_s(self) -> float | None:
        """The seconds until the model is probably loaded; None: answers of other models must end first."""
        return self._expects()

    async def wait(self, timeout_s: float | None = None) -> WorkerProcess | None:
        """Returns the worker; None if the model is not loaded within the timeout. Raises CspsError if it cannot be."""
        await asyncio.wait({self._worker}, timeout=timeout_s)
        return None if self.is_waiting else self._worker.result().process

    def grant(self, worker: PooledWorker) -> None:
        self._worker.set_result(worker)

    def refuse(self, error: CspsError) -> None:
        if self.is_waiting:
            self._worker.set_exception(error)
            self._worker.exception()  # marks it as seen: the request may have gone

    def release(self) -> None:
        """Ends the claim. A second call has no effect."""
        self._release(self)
