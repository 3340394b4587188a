"""How long a download goes on without a byte, and the pauses between its requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx

from core.model.library.download.failures import DownloadFailed, HubUnreachable
from core.model.library.download.http_access import proxy_failure
from core.model.library.download.hub import HubBusy
from core.model.library.download.policy import TransferPolicy


class Patience:
    """Shared by the connections of one download: a byte on any of them is progress."""

    def __init__(self, policy: TransferPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._last_byte = clock()
        self._not_before = 0.0  # the server's Retry-After
        self.problem: DownloadFailed | None = None  # the last one since the last byte

    def note_progress(self) -> None:
        self._last_byte = self._clock()
        self.problem = None

    async def pause(self, problem: DownloadFailed, failures: int) -> None:
        """Waits before the next request of a connection that failed so many times in a row. Raises the problem late."""
        self.problem = problem
        if self._clock() - self._last_byte >= self._policy.patience_s:
            raise problem
        if isinstance(problem, HubBusy):
            wait_s = min(problem.wait_s, self._policy.retry_after_limit_s)
            self._not_before = max(self._not_before, self._clock() + wait_s)
        await asyncio.sleep(max(self._policy.backoff.pause_s(failures), self._not_before - self._clock()))

    async def wait_for_turn(self) -> None:
        """Waits as long as a server asked for."""
        if (wait_s := self._not_before - self._clock()) > 0:
            await asyncio.sleep(wait_s)


def as_failure(exc: httpx.RequestError | DownloadFailed) -> DownloadFailed:
    if isinstance(exc, DownloadFailed):
        return exc
    failure = proxy_failure(exc) or HubUnreachable(exc)
    failure.__cause__ = exc
    return failure
