"""Has the collections synchronised when they are due, by a child process of low priority. Runs in the web process.

Several web processes may run it, on one machine or on several: a collection is claimed in the database
(`refresh_ledger`), so only one child synchronises it. The child loads its own encoder, and takes memory only meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

import structlog

from core import PROJECT_ROOT
from core.errors import StorageError
from core.rag.facts.collections import FactCollections
from core.rag.facts.refresh_ledger import RefreshLedger
from core.rag.facts.status import CollectionStatus, list_collections
from core.rag.facts.store import FactStore
from core.runtime.backoff import Backoff

log = structlog.get_logger()

# The lowest priority from the start: even imports take a second of a core.
COMMAND = ("nice", "-n", "19", sys.executable, "-m", "core.cli.facts_refresh")
CHECK_S = 60.0  # between two looks at what is due
CHILD_BACKOFF = Backoff(first_s=CHECK_S, limit_s=3600.0)  # after children that could not start
END_LIMIT_S = 5.0

RunChild = Callable[[], Coroutine[None, None, int]]


class RefreshSchedule:
    """`statuses` are those of the last look, for metrics. `run_child` and `pause` are for tests."""

    def __init__(
        self,
        store: FactStore,
        ledger: RefreshLedger,
        collections: FactCollections,
        run_child: RunChild | None = None,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._collections = collections
        self._run_child = run_child or run_refresh_child
        self.statuses: Sequence[CollectionStatus] = ()
        self.changed = asyncio.Event()  # set it when config/facts.toml was loaded again

    async def run(self) -> None:
        """Runs until cancelled."""
        failures = 0
        while True:
            if await self._is_any_due():
                failures = 0 if await self._run_child() == 0 else failures + 1
                await self._look()
            await self._wait(max(CHECK_S, CHILD_BACKOFF.pause_s(failures)) * random.uniform(0.8, 1.2))  # noqa: S311

    async def _is_any_due(self) -> bool:
        now = await self._look()
        return any(each.next_at is not None and each.next_at <= now and not each.is_running for each in self.statuses)

    async def _look(self) -> float:
        """Reads the statuses. Returns the time at which they were read; 0 if they could not be."""
        try:
            self.statuses = await list_collections(self._store, self._ledger, self._collections)
            return await self._ledger.now()
        except StorageError as exc:
            log.warning("refresh_states_unread", problem=exc.message)
            return 0.0

    async def _wait(self, pause_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self.changed.wait()
        self.changed.clear()


async def run_refresh_child() -> int:
    """Runs the child until it ends, and ends it when this task is cancelled. Returns its exit code."""
    child = await asyncio.create_subprocess_exec(*COMMAND, str(os.getpid()), cwd=PROJECT_ROOT, start_new_session=True)
    began_at = time.monotonic()
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        await end_child(child)
        raise
    log.debug("refresh_child_ended", code=code, duration_s=round(time.monotonic() - began_at, 1))
    return code


async def end_child(child: asyncio.subprocess.Process) -> None:
    """Asks the child to end, so that it gives back its claim; kills it if it takes too long."""
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(END_LIMIT_S):
            await child.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
