"""How many calls of one kind Slack allows an app in a workspace, over all its answers. Knows no Slack, only the clock.

A call that would be refused is not made: it is answered as Slack would, with when to come back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bindings.delivery.outlet import Throttled

UPDATES_PER_MINUTE = 50  # chat.update, tier 3
STARTS_PER_MINUTE = 20  # chat.startStream, tier 2
APPENDS_PER_MINUTE = 100  # chat.appendStream, tier 4


class Budget:
    """A bucket that fills at `per_minute`, and holds a fifth of that so that answers which end together may."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_minute / 60
        self._size = per_minute / 5
        self._clock = clock
        self._left = self._size
        self._at = clock()

    def spend(self) -> None:
        """Raises Throttled if nothing is left."""
        if not self.spent():
            raise Throttled("kept within Slack's limits", retry_after_s=(1 - self._left) / self._per_s)

    def spent(self) -> bool:
        """As `spend`, but says whether there was something left."""
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
