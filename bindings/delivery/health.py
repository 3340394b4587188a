"""Whether the platform does what it is asked, over all deliveries of a process: one log line when not, one when again.

A single failure among successes is nothing to tell an operator; each delivery tries again by itself.
"""

from __future__ import annotations

import time

import structlog

from bindings.delivery.pace import Clock
from core.errors import CspsError

log = structlog.get_logger()


class Health:
    """Failing means: `failures` calls failed in a row, and for `grace_s` none has succeeded."""

    def __init__(self, failures: int = 3, grace_s: float = 5.0, clock: Clock = time.monotonic) -> None:
        self._limit = failures
        self._grace_s = grace_s
        self._clock = clock
        self._count = 0
        self._since: float | None = None
        self.failing = False

    def failed(self, error: CspsError) -> None:
        """A call was throttled or did not reach the platform."""
        self._count += 1
        self._since = self._clock() if self._since is None else self._since
        if not self.failing and self._count >= self._limit and self._clock() - self._since >= self._grace_s:
            self.failing = True
            log.warning("platform_failing", code=type(error).__name__, error=error.message)

    def worked(self) -> None:
        if self.failing and self._since is not None:
            log.info("platform_works_again", after_s=round(self._clock() - self._since))
        self._count, self._since, self.failing = 0, None, False
