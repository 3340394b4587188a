"""A request's claim on a loaded model: it waits for the model, then keeps it loaded until it is released."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import CspsError, ModelUnavailable
from core.model.host.deployment import Deployment, MemoryUse
from core.model.host.residency import WorkerState
from core.model.host.worker_process import WorkerProcess

END_LIMIT_S = 5.0  # until the end of an unreachable worker is known


@dataclass(eq=False)
class PooledWorker:
    """A worker in the pool, with the number of its running requests. `gone` is set once the pool has dropped it."""

    process: WorkerProcess
    deployment: Deployment
    memory: MemoryUse
    started_at: float
    last_used: float
    state: WorkerState = "loading"
    running: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class TicketOffice(Protocol):
    """`core.model.host.pool.ModelPool`, as far as tickets need it."""

    def expected_wait_s(self, deployment: Deployment) -> float | None: ...

    def release(self, ticket: Ticket) -> None: ...

    def update(self) -> None: ...


Substitute = Callable[[], Deployment | None]


def no_substitute() -> None:
    """No model answers instead."""


class Ticket:
    """Made by the pool. Release it in any case, also while it waits.

    `substitute` names the model that answers instead if the ticket's cannot be loaded; None: no model does.
    """

    def __init__(
        self, office: TicketOffice, deployment: Deployment, since: float, substitute: Substitute = no_substitute
    ) -> None:
        self.deployment = deployment
        self.since = since
        self.substitute = substitute
        self._office = office
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
        return self._office.expected_wait_s(self.deployment)

    async def wait(self, timeout_s: float | None = None) -> WorkerProcess | None:
        """Returns the worker; None if the model is not loaded within the timeout. Raises CspsError if it cannot be."""
        await asyncio.wait({self._worker}, timeout=timeout_s)
        return None if self.is_waiting else self._worker.result().process

    async def renew(self) -> None:
        """Waits again for the model, whose worker ended before it got the request. Raises ModelUnavailable."""
        if (worker := self.worker) is None:
            return
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await worker.gone.wait()
        except TimeoutError as exc:
            raise ModelUnavailable("the model's process cannot be reached", retry_after_s=END_LIMIT_S) from exc
        self._worker = asyncio.get_running_loop().create_future()
        self._office.update()

    def grant(self, worker: PooledWorker) -> None:
        self._worker.set_result(worker)

    def refuse(self, error: CspsError) -> None:
        if self.is_waiting:
            self._worker.set_exception(error)
            self._worker.exception()  # marks it as seen: the request may have gone

    def release(self) -> None:
        """Ends the claim. A second call has no effect."""
        self._office.release(self)
