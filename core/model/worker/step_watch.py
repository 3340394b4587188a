"""Notices an inference thread that hangs: each call of the model has a deadline, learnt from the calls before it.

The inference thread reports what it does; the event loop asks whether it takes too long. Knows no model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

UNKNOWN_S = 120.0  # for the first calls, and for work that is no call: reading states, sampling, an embedding
FIRST_CALLS = 20  # of a new model: they warm up its kernels, and nothing is known of the machine
FLOOR_S = 10.0  # a machine may be busy with something else for seconds
FACTOR = 10.0  # by which a call may exceed what is expected of it, and the slowest of the latest calls
MEMORY = 0.999  # the share of the slowest call that the next one remembers
TICK_LIMIT_S = 5.0  # that one look adds: while the machine slept or the process was stopped, nothing hung


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """The work that the thread does now."""

    began_s: float
    limit_s: float


class StepWatch:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._work: Work | None = None
        self._calls = 0
        self._slowest_s = 0.0
        self._watched: Work | None = None
        self._waited_s = 0.0
        self._looked_at_s = clock()

    # --- on the inference thread -------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begins work of unknown length."""
        self._work = Work(self._clock(), UNKNOWN_S)

    def begin_call(self, expected_s: float) -> None:
        """Begins a call of the model that should take `expected_s` seconds."""
        self._work = Work(self._clock(), self._limit_s(expected_s))

    def end_call(self) -> None:
        """Learns from the call. What follows is work of unknown length."""
        assert self._work is not None
        took_s = min(self._clock() - self._work.began_s, UNKNOWN_S / FACTOR)  # the machine may have slept
        self._calls += 1
        if self._calls > FIRST_CALLS:
            self._slowest_s = max(took_s, MEMORY * self._slowest_s)
        self.begin()

    def end(self) -> None:
        """Ends the work: the thread waits for requests."""
        self._work = None

    def _limit_s(self, expected_s: float) -> float:
        if self._calls <= FIRST_CALLS:
            return UNKNOWN_S
        return min(max(FLOOR_S, FACTOR * max(expected_s, self._slowest_s)), UNKNOWN_S)

    # --- on the event loop -------------------------------------------------------------------------------------------

    def is_overdue(self) -> bool:
        """Tells whether the thread hangs. Ask about once a second: only time between two looks counts."""
        now_s = self._clock()
        since_s, self._looked_at_s = now_s - self._looked_at_s, now_s
        work = self._work
        if work is None:
            self._watched = None
            return False
        if work is not self._watched:
            self._watched, self._waited_s, since_s = work, 0.0, min(since_s, now_s - work.began_s)
        self._waited_s += min(since_s, TICK_LIMIT_S)
        return self._waited_s > work.limit_s
