"""The loaded models, and the requests that wait for one. Starts and stops workers as `residency` decides.

One event loop owns it. `update` runs after every event: a request, its end, a loaded model, an ended worker.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

import structlog

from core.errors import CspsError, ModelRefused, Stopping
from core.model.host.deployment import Deployment, MemoryUse, total_bytes
from core.model.host.load_history import LoadHistory, LoadTimes
from core.model.host.memory_budget import MemoryBudget
from core.model.host.process_memory import private_bytes
from core.model.host.residency import Awaited, Plan, Resident, plan
from core.model.host.tickets import PooledWorker, Substitute, Ticket, no_substitute
from core.model.host.worker_process import WorkerEnd, WorkerProcess

log = structlog.get_logger()

Launch = Callable[[Deployment], WorkerProcess]

PATIENCE_LOADS = 2.0  # a waiting model leaves others the time of so many loads
STOPPING_RETRY_AFTER_S = 5.0
MEGABYTE = 1e6


class ModelPool:
    """`launch` makes the process of a worker."""

    def __init__(self, launch: Launch, budget: MemoryBudget, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget
        self.loads = 0  # so far
        self._launch = launch
        self._clock = clock
        self._workers: dict[Deployment, PooledWorker] = {}
        self._tickets: dict[Deployment, deque[Ticket]] = {}
        self._preloads: dict[Deployment, float] = {}
        self._histories: dict[Deployment, LoadHistory] = {}
        self._times = LoadTimes()
        self._plan = Plan()
        self._current: frozenset[Deployment] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._listeners: list[Callable[[], None]] = []

    # --- requests ----------------------------------------------------------------------------------------------------

    def request(self, deployment: Deployment, substitute: Substitute = no_substitute) -> Ticket:
        """Returns a ticket, which waits while the model is not loaded.

        `substitute`: the model to wait for if this one fails to load; it may answer with this one itself, or None.
        Raises ModelRefused if the model cannot be loaded, ModelUnavailable if it cannot be loaded now, Stopping.
        """
        if self._stopping:
            raise stopping()
        if refusal := self.refusal(deployment):
            raise refusal
        ticket = Ticket(self, deployment, self._clock(), substitute)
        self._tickets.setdefault(deployment, deque()).append(ticket)
        self.update()
        return ticket

    def preload(self, deployment: Deployment) -> None:
        """Loads the model although no request waits for it."""
        if deployment not in self._workers:
            self._preloads.setdefault(deployment, self._clock())
            self.update()

    def keep(self, deployments: Iterable[Deployment]) -> None:
        """Unloads all others as soon as their answers have ended."""
        self._current = frozenset(deployments)
        self._preloads = {each: since for each, since in self._preloads.items() if each in self._current}
        self.update()

    def worker(self, deployment: Deployment) -> PooledWorker | None:
        """The worker of a loaded model."""
        worker = self._workers.get(deployment)
        return worker if worker and worker.state == "ready" else None

    def is_open(self, deployment: Deployment) -> bool:
        """True if a request for the model would be answered at once."""
        return self.worker(deployment) is not None and deployment not in self._plan.closed

    def is_loading(self, deployment: Deployment) -> bool:
        worker = self._workers.get(deployment)
        return deployment in self._preloads or (worker is not None and worker.state == "loading")

    def refusal(self, deployment: Deployment) -> CspsError | None:
        """The reason why the model cannot be loaded now; None if it can be, or if nobody has tried."""
        needed_bytes, limit_bytes = total_bytes([self._memory(deployment)]), self.budget.single_bytes
        if limit_bytes is not None and needed_bytes > limit_bytes and not deployment.is_starter:
            return ModelRefused(
                f"the model {deployment.model_id} needs about {megabytes(needed_bytes)} MB of memory, and a model may"
                f" take {megabytes(limit_bytes)} MB (LLM_MEMORY_MB)"
            )
        history = self._histories.get(deployment)
        return history.refusal if history and history.not_before > self._clock() else None

    def workers(self) -> list[PooledWorker]:
        return list(self._workers.values())

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after each load, failed load and end of a worker."""
        self._listeners.append(listener)

    def stop_loading(self) -> None:
        """Refuses the requests that wait, and new ones. Running answers go on."""
        self._stopping = True
        self.update()

    async def close(self) -> None:
        """Stops all workers."""
        self.stop_loading()
        await asyncio.gather(*(each.process.stop() for each in self._workers.values()))
        await asyncio.gather(*self._tasks)

    # --- steps -------------------------------------------------------------------------------------------------------

    def update(self) -> None:
        """Plans, and takes the next steps."""
        if self._timer:
            self._timer.cancel()
        if self._stopping:
            self._refuse_waiting()
            return
        self._grant_all()  # first: a model that was loaded just now is not idle if requests wait for it
        now = self._clock()
        self._plan = plan(self._residents(), self._awaited(), self.budget.together_bytes, now)
        for deployment in self._plan.unloads:
            self._unload(self._workers[deployment])
        for deployment in self._plan.loads:
            self._load(deployment)
        self._grant_all()
        again_at = self._plan.again_at
        self._timer = asyncio.get_running_loop().call_later(max(again_at - now, 0), self.update) if again_at else None

    def _refuse_waiting(self) -> None:
        for ticket in (each for tickets in self._tickets.values() for each in tickets):
            ticket.refuse(stopping())

    def _residents(self) -> list[Resident]:
        return [
            Resident(
                each.deployment,
                each.memory,
                each.state,
                each.running,
                each.last_used,
                is_current=self._current is None or each.deployment in self._current,
            )
            for each in self._workers.values()
        ]

    def _awaited(self) -> list[Awaited]:
        waiting = dict(self._preloads)
        for deployment, tickets in self._tickets.items():
            first = next((ticket.since for ticket in tickets if ticket.is_waiting), None)
            if first is not None:
                waiting[deployment] = min(first, waiting.get(deployment, first))
        return [
            Awaited(
                deployment,
                self._memory(deployment),
                since,
                PATIENCE_LOADS * self._times.expected_s(deployment.memory.file_bytes),
                self._histories[deployment].not_before if deployment in self._histories else 0.0,
            )
            for deployment, since in waiting.items()
            if deployment not in self._workers
        ]

    def _grant_all(self) -> None:
        for worker in self._workers.values():
            if worker.state != "ready" or worker.deployment in self._plan.closed:
                continue
            for ticket in self._tickets.get(worker.deployment, ()):
                if ticket.is_waiting:
                    worker.running += 1
                    worker.last_used = self._clock()
                    ticket.grant(worker)

    def release(self, ticket: Ticket) -> None:
        """Ends a request. A second call has no effect."""
        tickets = self._tickets.get(ticket.deployment, ())
        if ticket not in tickets:
            return
        self._tickets[ticket.deployment].remove(ticket)
        if not self._tickets[ticket.deployment]:
            del self._tickets[ticket.deployment]
        if worker := ticket.worker:
            worker.running -= 1
            if not worker.running:
                self._measure(worker)
        self.update()

    def _load(self, deployment: Deployment) -> None:
        log.info("model_load_started", model=deployment.model_id, size_mb=megabytes(deployment.memory.file_bytes))
        self.loads += 1
        now = self._clock()
        self._workers[deployment] = worker = PooledWorker(
            self._launch(deployment), deployment, self._memory(deployment), started_at=now, last_used=now
        )
        self._preloads.pop(deployment, None)
        self._start(self._run(worker))

    def _unload(self, worker: PooledWorker) -> None:
        log.info("model_unload_started", model=worker.deployment.model_id)
        worker.state = "stopping"
        self._start(worker.process.stop())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, worker: PooledWorker) -> None:
        try:
            end = await worker.process.run(lambda: self._became_ready(worker))
        except OSError as exc:
            end = WorkerEnd(f"it cannot be started: {exc.strerror or exc}", 0.0)
        self._ended(worker, end)

    def _became_ready(self, worker: PooledWorker) -> None:
        if worker.state != "loading" or worker.process.ready is None:
            return
        ready, deployment, duration_s = worker.process.ready, worker.deployment, self._clock() - worker.started_at
        worker.state = "ready"
        self._times.record(deployment.memory.file_bytes, duration_s)
        self._history(deployment).refusal = None
        self._measure(worker)
        log.info(
            "model_ready",
            model=deployment.model_id,
            starter=deployment.is_starter,
            window_tokens=ready.window,
            cache_tokens=ready.cache_tokens,
            slots=deployment.options.slots,
            memory_mb=megabytes(worker.memory.file_bytes + worker.memory.private_bytes),
            duration_s=round(duration_s, 1),
        )
        self._notify()

    def _ended(self, worker: PooledWorker, end: WorkerEnd) -> None:
        deployment = worker.deployment
        del self._workers[deployment]
        worker.gone.set()
        if worker.state == "stopping" or self._stopping:
            log.info("model_unloaded", model=deployment.model_id)
            return self._notify()
        end = end.without_folder(deployment.path.parent)  # callers read the refusal
        pause_s = self._history(deployment).record(end, self._clock(), was_ready=worker.state == "ready")
        if worker.state == "ready":
            log.error("model_died", model=deployment.model_id, reason=end.reason, again_in_s=pause_s)
            self._preloads.setdefault(deployment, self._clock())
        else:
            refusal = self._history(deployment).refusal
            assert refusal is not None
            log.error(
                "model_load_failed", model=deployment.model_id, path=str(deployment.path), problem=refusal.message
            )
            self._redirect(deployment, refusal)
        return self._notify()

    def _redirect(self, deployment: Deployment, refusal: CspsError) -> None:
        """Lets the requests for a model that failed to load wait for the one that answers instead."""
        for ticket in list(self._tickets.get(deployment, ())):
            substitute = ticket.substitute()
            if substitute is None or self.refusal(substitute):
                ticket.refuse(refusal)
                continue
            self._tickets[deployment].remove(ticket)
            ticket.deployment = substitute
            self._tickets.setdefault(substitute, deque()).append(ticket)
        if not self._tickets.get(deployment):
            self._tickets.pop(deployment, None)

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()
        self.update()

    # --- memory and time ---------------------------------------------------------------------------------------------

    def _history(self, deployment: Deployment) -> LoadHistory:
        return self._histories.setdefault(deployment, LoadHistory())

    def _memory(self, deployment: Deployment) -> MemoryUse:
        """The estimate, or the last measurement."""
        history = self._histories.get(deployment)
        measured = history.private_bytes if history else None
        return replace(deployment.memory, private_bytes=measured) if measured else deployment.memory

    def _measure(self, worker: PooledWorker) -> None:
        measured = private_bytes(worker.process.pid) if worker.process.pid else None
        if measured:
            self._history(worker.deployment).private_bytes = measured
            worker.memory = replace(worker.memory, private_bytes=measured)

    def expected_wait_s(self, deployment: Deployment) -> float | None:
        """The seconds until the model is probably loaded; None: answers of other models must end first."""
        load_s, now = self._times.expected_s(deployment.memory.file_bytes), self._clock()
        worker = self._workers.get(deployment)
        if worker and worker.state == "loading":
            return max(load_s - (now - worker.started_at), 0.0)
        if self._plan.waits_for_answers:
            return None
        return max(self._history(deployment).not_before - now, 0.0) + load_s


def stopping() -> Stopping:
    return Stopping("the model process is stopping", retry_after_s=STOPPING_RETRY_AFTER_S)


def megabytes(size_bytes: int) -> int:
    return round(size_bytes / MEGABYTE)
