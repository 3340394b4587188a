"""Keeps the pages that people preview until the questions about them come, so that each is fetched once.

In memory alone, a few of them, for minutes. Knows neither the network nor the content of a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

Reading = TypeVar("Reading")

LIFETIME_S = 300.0  # the time in which a person writes a question
PAGES_LIMIT = 32


class RecentPages(Generic[Reading]):
    """Readings by the address that the person wrote. The oldest one goes first."""

    def __init__(
        self, limit: int = PAGES_LIMIT, lifetime_s: float = LIFETIME_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._lifetime_s = lifetime_s
        self._now = now
        self._readings: dict[str, tuple[float, Reading]] = {}  # with the time at which they end, oldest first

    def keep(self, url: str, reading: Reading) -> None:
        self._drop_old()
        self._readings.pop(url, None)
        self._readings[url] = (self._now() + self._lifetime_s, reading)
        if len(self._readings) > self._limit:
            del self._readings[next(iter(self._readings))]

    def find(self, url: str) -> Reading | None:
        self._drop_old()
        return self._readings[url][1] if url in self._readings else None

    def _drop_old(self) -> None:
        now = self._now()
        self._readings = {url: each for url, each in self._readings.items() if each[0] > now}
