"""The times of retries: pauses that double up to a limit, `Retry-After`, and the cooldowns of several keys.

Jitter keeps callers from retrying at the same moment.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

NO_JITTER = (1.0, 1.0)
EXPONENT_LIMIT = 32  # a float overflows at 2**1024


@dataclass(frozen=True, slots=True)
class Backoff:
    """`jitter` is the range of a random factor of each pause; a pause may exceed `limit_s` by it."""

    first_s: float = 0.5
    limit_s: float = 30.0
    jitter: tuple[float, float] = (1.0, 1.25)

    def pause_s(self, failures: int, at_least_s: float = 0.0) -> float:
        """Returns the pause after `failures` in a row, and 0 after none. `at_least_s` is the server's Retry-After."""
        if failures < 1:
            return 0.0
        doubled: float = min(self.limit_s, self.first_s * 2.0 ** min(failures - 1, EXPONENT_LIMIT))
        return max(doubled, at_least_s) * random.uniform(*self.jitter)  # noqa: S311 - no secret depends on it

    def pauses(self) -> Iterator[float]:
        """Yields the pause after each failure, without end."""
        return map(self.pause_s, count(1))


def parse_retry_after(value: Any, default_s: float, limit_s: float = math.inf) -> float:
    """Returns the seconds of a Retry-After header or field, at most `limit_s`; `default_s` for a date or no number."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return default_s
    return min(max(seconds, 0.0), limit_s) if math.isfinite(seconds) else default_s


class RestartBackoff:
    """The pause before the next start. A process that served, or ran for `healthy_s`, resets the count of failures."""

    def __init__(self, first_s: float = 0.5, limit_s: float = 30.0, healthy_s: float = 60.0) -> None:
        self._backoff = Backoff(first_s, limit_s, NO_JITTER)
        self._healthy_s = healthy_s
        self.failures = 0  # in a row

    def after(self, ran_s: float, *, served: bool = False) -> float:
        """Returns the pause in seconds after a process that ran for `ran_s` seconds; none after one that `served`."""
        self.failures = 0 if served else 1 if ran_s >= self._healthy_s else self.failures + 1
        return self._backoff.pause_s(self.failures)


class Cooldowns:
    """`clock` is monotonic, in seconds. Above `limit` keys, those that are over are dropped."""

    def __init__(self, clock: Callable[[], float], limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._until: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def until(self, key: str) -> float:
        """Returns the time at which the cooldown of `key` ends, or 0."""
        return self._until.get(key, 0.0)

    def start(self, key: str, duration_s: float) -> None:
        now = self._clock()
        if len(self._until) >= self._limit:
            self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[key] = now + duration_s
