"""Slack's native streams, as all answers of a process share them: rate limits, refusals and open streams.

A stream only grows. It ends after some minutes, or when the person presses Slack's stop button. An outlet that cannot
continue a stream edits its message instead, which always works.

https://docs.slack.dev/reference/methods/chat.startStream , .appendStream , .stopStream
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from cachetools import FIFOCache, LRUCache

from bindings.delivery.outlet import Throttled
from bindings.incoming import Place
from bindings.slack.api import SlackErrorResponse

log = structlog.get_logger()

# Slack's rate limits, for an app in one workspace: https://docs.slack.dev/apis/web-api/rate-limits
UPDATES_PER_MINUTE = 50  # chat.update, tier 3
STARTS_PER_MINUTE = 20  # chat.startStream, tier 2
APPENDS_PER_MINUTE = 100  # chat.appendStream, tier 4
STOPPED = "stopped_by_user"
NO_STREAMS_ANYWHERE = frozenset(
    {"access_denied", "feature_not_enabled", "missing_scope", "unknown_method", "not_allowed_token_type"}
)
NO_POSTS = frozenset({"is_archived", "not_in_channel", "restricted_action"})  # no message is possible either
CHANNELS_KEPT = 1000
OPEN_KEPT = 1000
REFS_KEPT = 4000


class TokenBucket:
    """Limits calls before Slack does. It holds a fifth of a minute's calls, for answers that end together."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_minute / 60
        self._size = per_minute / 5
        self._clock = clock
        self._left = self._size
        self._at = clock()

    def take(self) -> None:
        """Takes a token. Raises Throttled if none is left."""
        if not self.try_take():
            raise Throttled("kept within Slack's rate limit", retry_after_s=(1 - self._left) / self._per_s)

    def try_take(self) -> bool:
        """Takes a token. Returns False if none is left."""
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class OpenStream:
    ref: str
    nonce: str
    sent: str | None = ""  # the text that it shows; None: unknown, because the outcome of a call is unknown


class StreamRegistry:
    def __init__(self) -> None:
        self.starts = TokenBucket(STARTS_PER_MINUTE)
        self.appends = TokenBucket(APPENDS_PER_MINUTE)
        self.updates = TokenBucket(UPDATES_PER_MINUTE)
        self._refused_everywhere = False
        self._refused_channels: LRUCache[str, None] = LRUCache(CHANNELS_KEPT)
        # Bounded: Slack sends no event for a stream whose message was deleted before its end.
        self._unfinished: FIFOCache[str, Place] = FIFOCache(OPEN_KEPT)
        self._known: LRUCache[str, None] = LRUCache(REFS_KEPT)

    def is_available(self, channel: str) -> bool:
        return not self._refused_everywhere and channel not in self._refused_channels

    def record_refusal(self, channel: str, error: SlackErrorResponse) -> None:
        """Remembers that a channel has no streams, to save a call for each answer there."""
        if error.reason in NO_POSTS:
            return
        log.info("slack_stream_refused", channel=channel, reason=error.reason)
        self._refused_everywhere = self._refused_everywhere or error.reason in NO_STREAMS_ANYWHERE
        self._refused_channels[channel] = None

    def record_start(self, ref: str, place: Place) -> None:
        self._unfinished[ref] = place
        self.record_owner(ref)

    def record_end(self, ref: str) -> None:
        self._unfinished.pop(ref, None)

    def record_owner(self, ref: str) -> None:
        """Records that a message belongs to an answer of this process."""
        self._known[ref] = None

    def is_known(self, ref: str) -> bool:
        return ref in self._known

    def find_unfinished(self, channel: str, thread: str) -> dict[str, Place]:
        """Returns the places of the unfinished answers in a thread, by ref."""
        items = self._unfinished.items()
        return {ref: at for ref, at in items if at.channel == channel and thread in (at.thread or "", ref)}
