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
from bindings.slack.refusals import CONTENT, NO_POSTS, SlackErrorResponse
from core.runtime.backoff import Cooldowns

log = structlog.get_logger()

# Slack's rate limits, for an app in one workspace: https://docs.slack.dev/apis/web-api/rate-limits
UPDATES_PER_MINUTE = 50  # chat.update, tier 3
STARTS_PER_MINUTE = 20  # chat.startStream, tier 2
APPENDS_PER_MINUTE = 100  # chat.appendStream, tier 4
STOPPED = "stopped_by_user"
COOLDOWN_S = 600.0  # after a refusal, before the next attempt at a stream there
EVERYWHERE = "*"
NO_STREAMS_ANYWHERE = frozenset(
    {"access_denied", "feature_not_enabled", "missing_scope", "not_allowed_token_type", "status 501", "unknown_method"}
)
# Slack Connect: the recipient of another workspace, or one whom the bot may not see.
NO_STREAMS_FOR_RECIPIENT = frozenset(
    {
        "missing_recipient_team_id",
        "missing_recipient_user_id",
        "team_access_not_granted",
        "team_not_found",
        "user_not_found",
        "user_not_visible",
    }
)
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
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.starts = TokenBucket(STARTS_PER_MINUTE)
        self.appends = TokenBucket(APPENDS_PER_MINUTE)
        self.updates = TokenBucket(UPDATES_PER_MINUTE)
        self._clock = clock
        self._cooldowns = Cooldowns(clock, CHANNELS_KEPT)
        # Bounded: Slack sends no event for a stream whose message was deleted before its end.
        self._unfinished: FIFOCache[str, Place] = FIFOCache(OPEN_KEPT)
        self._known: LRUCache[str, None] = LRUCache(REFS_KEPT)

    def is_available(self, place: Place) -> bool:
        """False within COOLDOWN_S of a refusal that concerns this place."""
        scopes = (EVERYWHERE, place.channel, recipient_scope(place))
        return all(self._cooldowns.until(scope) <= self._clock() for scope in scopes)

    def record_refusal(self, place: Place, error: SlackErrorResponse) -> None:
        """Saves a call for each further answer that would be refused too."""
        log.info("slack_stream_refused", channel=place.channel, reason=error.reason)
        if scope := refusal_scope(place, error.reason):
            self._cooldowns.start(scope, COOLDOWN_S)

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


def refusal_scope(place: Place, reason: str) -> str:
    """The answers that a refused stream concerns. "": this one alone, or no message at all is possible there."""
    if reason in NO_STREAMS_ANYWHERE:
        return EVERYWHERE
    if reason in NO_STREAMS_FOR_RECIPIENT:
        return recipient_scope(place)
    if reason != "channel_not_found" and (reason in NO_POSTS or reason in CONTENT - {"invalid_arguments"}):
        return ""
    return place.channel


def recipient_scope(place: Place) -> str:
    return f"{place.channel}:{place.route.get('user', '')}"
