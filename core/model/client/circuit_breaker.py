"""Decides whether an engine is asked, by what happened to its last requests. Pure. Knows no HTTP and no tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from core.runtime.backoff import Backoff

BreakerState = Literal["closed", "half_open", "open"]

FAILURES_LIMIT = 3  # in a row
PAUSES = Backoff(first_s=1.0, limit_s=30.0)  # before the next health check, by the number of openings in a row
BUSY_LIMIT_S = 60.0  # the longest Retry-After that is believed


class CircuitBreaker:
    """Opens after FAILURES_LIMIT failures in a row, or at the first `hard` one. `clock`: monotonic, in seconds.

    closed     the engine is asked
    open       the engine is not asked; from time to time its health is checked
    half_open  its health check succeeded; the next answer closes it, the next failure opens it for longer
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.state: BreakerState = "closed"
        self.problem: str | None = None  # of the last failure
        self._clock = clock
        self._failures = 0  # in a row
        self._openings = 0  # in a row
        self._open_until = 0.0
        self._busy_until = 0.0

    def record_success(self) -> None:
        # An answer that began before the engine failed says nothing about it now.
        if self.state != "open":
            self.state, self.problem = "closed", None
            self._failures = self._openings = 0

    def record_failure(self, problem: str, *, hard: bool = False) -> None:
        """`hard`: one failure is enough, because nothing listens there or every request would be refused."""
        self.problem = problem
        if self.state == "open":
            return
        self._failures += 1
        if hard or self.state == "half_open" or self._failures >= FAILURES_LIMIT:
            self._open()

    def record_busy(self, retry_after_s: float) -> None:
        """The engine refused a request because it has too many. That is no failure."""
        self._busy_until = self._clock() + min(retry_after_s, BUSY_LIMIT_S)

    def record_healthy(self) -> None:
        """A health check succeeded."""
        if self.state == "open":
            self.state, self._failures = "half_open", 0

    def record_unhealthy(self, problem: str) -> None:
        """A health check failed: the next one comes later."""
        self.problem = problem
        self._open()

    def _open(self) -> None:
        self.state = "open"
        self._failures = 0
        self._openings += 1
        self._open_until = self._clock() + PAUSES.pause_s(self._openings)

    @property
    def needs_check(self) -> bool:
        """True if the breaker is open and its pause is over."""
        return self.state == "open" and self._clock() >= self._open_until

    @property
    def busy_s(self) -> float:
        """The seconds that the engine asked not to be asked; 0 if it did not."""
        return max(0.0, self._busy_until - self._clock())
