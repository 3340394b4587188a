"""Limits how often something may happen for each key. Pure, with an injected clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable


class RateLimit:
    """Allows `limit` events of a key within any `period_s` seconds. Forgets a key after that time without an event."""

    def __init__(self, limit: int, period_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._period_s = period_s
        self._now = now
        self._events: dict[str, deque[float]] = {}  # the key with the oldest last event comes first

    def take(self, key: str) -> float:
        """Counts an event and returns 0, or returns the seconds until the key may have its next one."""
        now = self._now()
        self._forget(now - self._period_s)
        events = self._events.pop(key, deque())
        self._events[key] = events
        while events and events[0] <= now - self._period_s:
            events.popleft()
        if len(events) >= self._limit:
            return events[0] + self._period_s - now
        events.append(now)
        return 0.0

    def _forget(self, before: float) -> None:
        while self._events:
            oldest = next(iter(self._events))
            if self._events[oldest] and self._events[oldest][-1] > before:
                return
            del self._events[oldest]
