"""The part of one process in the deliveries that several processes of a platform share, in one PostgreSQL.

Keeps the process's lease, takes over what dead processes left, begins the deliveries that this process owns in their
order, and passes on what other processes ask of them. Whoever takes a message only stores it: this begins it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import structlog

from bindings.intake.conversation_queue import DeliveryTask
from bindings.process_lease import ProcessLease
from bindings.shared_deliveries import OwnedDelivery, SharedDeliveries
from core.errors import LeaseLost, StorageError

log = structlog.get_logger()

POLL_S = 0.5  # the longest wait of a message or a signal that another process stored
RENEWALS = 5  # within a lease
CLAIM_LIMIT = 64  # conversations taken over at once, so that other processes take over some too
JOIN_PAUSE_S = 1.0


class WorkSharing:
    """`begin` starts a delivery. `running` gives the conversations in which this process runs one."""

    def __init__(
        self,
        lease: ProcessLease,
        deliveries: SharedDeliveries,
        begin: Callable[[DeliveryTask], None],
        running: Callable[[], Collection[str]],
    ) -> None:
        self._lease = lease
        self._deliveries = deliveries
        self._begin = begin
        self._running = running
        self._tasks: dict[int, DeliveryTask] = {}  # begun, and not yet seen as finished in the database
        self._woken = asyncio.Event()
        self._joining = asyncio.Lock()
        self._joined = self._draining = self._left = False

    def wake(self) -> None:
        """Looks for deliveries at once: one was stored."""
        self._woken.set()

    async def join(self) -> None:
        """Starts a lease, unless one has begun. Waits while the database does not answer."""
        async with self._joining:
            while not self._joined:
                await self._try_to_join()

    async def _try_to_join(self) -> None:
        try:
            await self._lease.join()
        except StorageError as exc:
            log.warning("process_join_failed", problem=exc.message)
            await asyncio.sleep(JOIN_PAUSE_S)
        else:
            self._joined = True
            log.info("process_joined", platform=self._lease.platform, owner=self._lease.process)

    async def run(self) -> None:
        """Returns when the process has left. Raises LeaseLost: then nothing that was begun may go on."""
        try:
            async with asyncio.TaskGroup() as group:
                for loop in (self._watch_lease, self._keep_lease, self._keep_working):
                    group.create_task(loop())
        except* LeaseLost as exc:
            self._joined = False
            self._tasks.clear()
            raise LeaseLost(str(exc.exceptions[0])) from None

    def hold(self) -> None:
        """From now on, gives the conversations in which nothing runs to other processes."""
        self._draining = True
        self.wake()

    async def leave(self) -> None:
        """Gives what is not finished to other processes, and ends the lease."""
        self._left = True
        try:
            await self._lease.leave()
        except StorageError as exc:
            log.warning("process_leave_failed", problem=exc.message)  # the lease ends by itself

    async def _watch_lease(self) -> None:
        """Raises LeaseLost at its end, also while the database does not answer."""
        while not self._left:
            self._lease.check()
            await asyncio.sleep(self._lease.valid_s)

    async def _keep_lease(self) -> None:
        while not self._left:
            if not self._draining:
                await self._try(self._claim)
            await asyncio.sleep(self._lease.lease_s / RENEWALS)
            await self._try(self._lease.renew)

    async def _keep_working(self) -> None:
        while not self._left:
            self._woken.clear()
            if self._draining:
                await self._try(lambda: self._deliveries.release(self._running()))
            await self._try(self._work)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()

    async def _try(self, act: Callable[[], Awaitable[None]]) -> None:
        """Acts, unless the process left. Leaves other failures to the next time. Raises LeaseLost."""
        try:
            if not self._left:
                await act()
        except StorageError as exc:
            if isinstance(exc, LeaseLost) and not self._left:
                raise
            log.warning("work_sharing_failed", problem=exc.message)

    async def _claim(self) -> None:
        if adopted := await self._deliveries.claim(CLAIM_LIMIT):
            log.info("deliveries_resumed", platform=self._lease.platform, count=adopted)
            self.wake()

    async def _work(self) -> None:
        """Begins new deliveries, and passes on signals. What is no longer in the database was finished or deleted."""
        known = set(self._tasks)
        owned = await self._deliveries.owned()
        for each in owned:
            task = self._tasks.get(each.delivery.number) or self._start(each)
            if each.signal:
                (task.stop if each.signal == "stop" else task.withdrawn).set()
        for number in known.difference(each.delivery.number for each in owned):
            self._tasks.pop(number).withdrawn.set()

    def _start(self, owned: OwnedDelivery) -> DeliveryTask:
        task = DeliveryTask(owned.delivery, resumed=owned.adopted, uncounted=owned.adopted)
        self._tasks[owned.delivery.number] = task
        self._begin(task)
        return task
