"""Times before which something must not be repeated, by key. Waits for nothing itself."""

from __future__ import annotations

from collections.abc import Callable


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
