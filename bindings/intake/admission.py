"""Who is answered, and how often. Knows no platform: ids are compared as they come.

What is refused by the lists is known before anything is written down, so that of people whom the bot does not serve it
keeps nothing that they said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bindings.incoming import Place

WINDOW_S = 600.0
SPEAKERS_HELD = 10_000


@dataclass(frozen=True, slots=True)
class Lists:
    """Of workspaces, channels and users."""

    allow: Collection[str]
    deny: Collection[str]

    def admit(self, place: Place, user: str) -> bool:
        """Deny goes before allow; if anybody is allowed by name, nobody else is."""
        ids = {place.tenant, place.channel, user} - {""}
        if ids.intersection(self.deny):
            return False
        return not self.allow or bool(ids.intersection(self.allow))


class Limiter:
    """How many messages of one person are answered in ten minutes. `clock` gives seconds, and never jumps back."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._asked_at: dict[str, deque[float]] = {}
        self._told_at: dict[str, float] = {}

    def count(self, speaker: str) -> bool:
        """False: this message is one too many."""
        now = self._clock()
        times = self._asked_at.setdefault(speaker, deque())
        while times and times[0] <= now - WINDOW_S:
            times.popleft()
        if len(times) >= self._limit:
            return False
        times.append(now)
        self._bound(now)
        return True

    def tell(self, speaker: str) -> bool:
        """Whether the person is to be told of the limit: once in ten minutes."""
        now = self._clock()
        told = self._told_at.get(speaker)
        if told is not None and told > now - WINDOW_S:
            return False
        self._told_at[speaker] = now
        return True

    def wait_s(self, speaker: str) -> float:
        """Until the next message of theirs would be answered."""
        times = self._asked_at.get(speaker)
        if not times or len(times) < self._limit:
            return 0.0
        return max(0.0, times[0] + WINDOW_S - self._clock())

    def _bound(self, now: float) -> None:
        if len(self._asked_at) <= SPEAKERS_HELD:
            return
        horizon = now - WINDOW_S
        self._asked_at = {who: times for who, times in self._asked_at.items() if times and times[-1] > horizon}
        self._told_at = {who: told for who, told in self._told_at.items() if told > horizon}
