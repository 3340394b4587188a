"""Counts requests and tokens against limits. Pure: the caller gives the time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class RequestBucket:
    """Admits `per_minute` requests in a minute, and as many at once after a pause. Times in seconds, of one clock."""

    per_minute: float
    filled: float
    at: float

    @classmethod
    def full(cls, per_minute: float, now: float) -> RequestBucket:
        return cls(per_minute, max(per_minute, 1.0), now)

    def take(self, now: float) -> float:
        """Takes one request; returns 0. Otherwise the seconds until there is one."""
        most = max(self.per_minute, 1.0)
        self.filled = min(most, self.filled + max(now - self.at, 0.0) * self.per_minute / 60)
        self.at = now
        if self.filled >= 1.0:
            self.filled -= 1.0
            return 0.0
        return (1.0 - self.filled) * 60 / self.per_minute
