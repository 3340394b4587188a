"""Slack's native streams: what one has shown, and what all answers of a process know about them.

A stream can only be added to, and ends by itself after some minutes, or when the person presses Slack's stop button.
Whoever cannot go on with one edits its message instead, which always works.

https://docs.slack.dev/reference/methods/chat.startStream , .appendStream , .stopStream
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from cachetools import FIFOCache, LRUCache

from bindings.incoming import Place
from bindings.slack.api import Answered
from bindings.slack.budget import APPENDS_PER_MINUTE, STARTS_PER_MINUTE, UPDATES_PER_MINUTE, Budget

log = structlog.get_logger()

STOPPED = "stopped_by_user"
NOWHERE = frozenset(
    {"access_denied", "feature_not_enabled", "missing_scope", "unknown_method", "not_allowed_token_type"}
)
ABOUT_THE_BOT = frozenset({"is_archived", "not_in_channel", "restricted_action"})  # and not about streams
CHANNELS_KEPT = 1000
LIVE_KEPT = 1000
REFS_KEPT = 4000


@dataclass(slots=True)
class Stream:
    """One that is open."""

    ref: str
    nonce: str
    sent: str | None = ""  # what it shows; None: nobody knows any more, as a call was lost


class Streams:
    """Shared by all outlets of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.starts = Budget(STARTS_PER_MINUTE, clock)
        self.appends = Budget(APPENDS_PER_MINUTE, clock)
        self.updates = Budget(UPDATES_PER_MINUTE, clock)
        self._refused_everywhere = False
        self._refused: LRUCache[str, None] = LRUCache(CHANNELS_KEPT)  # channels
        # Answers under way. Slack sends no event for the end of an answer that was deleted before it ended.
        self._live: FIFOCache[str, Place] = FIFOCache(LIVE_KEPT)
        self._known: LRUCache[str, None] = LRUCache(REFS_KEPT)  # messages of which it is clear whose they are

    def possible(self, channel: str) -> bool:
        return not self._refused_everywhere and channel not in self._refused

    def refused(self, channel: str, error: Answered) -> None:
        """Asking again for every answer would cost a call each time."""
        if error.reason in ABOUT_THE_BOT:
            return
        log.info("slack_stream_refused", channel=channel, reason=error.reason)
        self._refused_everywhere = self._refused_everywhere or error.reason in NOWHERE
        self._refused[channel] = None

    def begun(self, ref: str, place: Place) -> None:
        self._live[ref] = place
        self.known(ref)

    def ended(self, ref: str) -> None:
        self._live.pop(ref, None)

    def known(self, ref: str) -> None:
        self._known[ref] = None

    def is_known(self, ref: str) -> bool:
        return ref in self._known

    def live_in(self, channel: str, thread: str) -> Iterator[tuple[str, Place]]:
        """Answers that are being written there."""
        for ref, place in tuple(self._live.items()):
            if place.channel == channel and thread in (place.thread or "", ref):
                yield ref, place
