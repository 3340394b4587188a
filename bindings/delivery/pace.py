"""When something may be done again: edits of one answer, posts of all answers in one channel. Does nothing itself.

The clock is monotonic, in seconds, and given. A platform's own "come back in …" is not kept here, but by who was told.
"""

from __future__ import annotations

import time
from collections.abc import Callable

CHANNELS_IN_VIEW = 1024  # above that, those that are free again are forgotten

Clock = Callable[[], float]


class Pace:
    """Of posts, by channel. One per process, as the platforms count all that a bot posts there."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self._free_at: dict[str, float] = {}

    def post_at(self, channel: str) -> float:
        """When the next post may be made there."""
        return self._free_at.get(channel, 0.0)

    def posting(self, channel: str, interval_s: float) -> None:
        """A post is made there now."""
        if interval_s <= 0 or not channel:
            return
        if len(self._free_at) >= CHANNELS_IN_VIEW:
            self._forget_free()
        self._free_at[channel] = self.clock() + interval_s

    def _forget_free(self) -> None:
        now = self.clock()
        self._free_at = {channel: at for channel, at in self._free_at.items() if at > now}


class EditPace:
    """Of the edits of one answer: its first post counts as one, so that it does not flicker."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._last_at: float | None = None

    def edit_at(self, interval_s: float) -> float:
        """When the next edit may be made. The interval is asked for each time, as an outlet may have to slow down."""
        return 0.0 if self._last_at is None else self._last_at + interval_s

    def editing(self) -> None:
        """An edit is made now."""
        self._last_at = self._clock()
