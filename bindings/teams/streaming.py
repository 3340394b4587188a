"""The next part of a streamed message. Pure: takes its clock, and calls no connector.

Teams' rules: parts are numbered from 1, the final part has no number. A status is allowed only before the first text.
Each text begins with the text before it. A chat has one stream at a time. After two minutes the message can only be
updated. Source: https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cachetools import FIFOCache

LIMIT_S = 120.0
OWN_LIMIT_S = 100.0  # the bot's own limit: the last call and a retry must arrive before Teams' limit
ENDED_LIMIT = 10_000
PREFIX = "stream:"  # of a ref whose message began as a stream


@dataclass(frozen=True, slots=True)
class StreamChunk:
    text: str
    kind: Literal["informative", "streaming"]
    sequence: int


class MessageStream:
    """The stream of one message. A chunk counts only after `record`, so a retry has the same sequence number."""

    def __init__(self, started_at: float) -> None:
        self.id = ""
        self.text = ""  # the streamed text
        self.refused = False  # Teams takes no more parts
        self._started_at = started_at
        self._status = ""
        self._sequence = 0

    def next_chunk(self, text: str, status: str) -> StreamChunk | None:
        """Returns None if nothing is new, or if Teams would refuse it."""
        sequence = self._sequence + 1
        if text:
            is_new = text != self.text and self.continues(text)
            return StreamChunk(text, "streaming", sequence) if is_new else None
        if self.text or not status or status == self._status:
            return None
        return StreamChunk(status, "informative", sequence)

    def record(self, chunk: StreamChunk) -> None:
        """Records a chunk that was sent."""
        self._sequence = chunk.sequence
        if chunk.kind == "streaming":
            self.text = chunk.text
        else:
            self._status = chunk.text

    def skip(self, chunk: StreamChunk) -> None:
        """Uses up the number of a chunk that Teams dropped, because it has one with this number already."""
        self._sequence = chunk.sequence

    def continues(self, text: str) -> bool:
        """Returns whether the text begins with the streamed text."""
        return text.startswith(self.text)

    def is_late(self, now: float) -> bool:
        return now - self._started_at > OWN_LIMIT_S


class ChatStreams:
    """The chats with an open stream, and the messages whose stream has ended. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._busy_until: dict[str, float] = {}
        self._ended: FIFOCache[str, None] = FIFOCache(ENDED_LIMIT)

    def claim(self, conversation: str) -> MessageStream | None:
        """Reserves the chat for a stream, until Teams' own limit at the latest. None: another answer has it."""
        now = self.clock()
        self._busy_until = {chat: until for chat, until in self._busy_until.items() if until > now}
        if conversation in self._busy_until:
            return None
        self._busy_until[conversation] = now + LIMIT_S
        return MessageStream(now)

    def release(self, conversation: str) -> None:
        self._busy_until.pop(conversation, None)

    def end(self, conversation: str, ref: str) -> None:
        self.release(conversation)
        self._ended[ref] = None

    def has_ended(self, ref: str) -> bool:
        """Returns False also for a stream that an earlier process ended."""
        return ref in self._ended


def build_ref(activity_id: str, *, streamed: bool) -> str:
    return PREFIX + activity_id if streamed else activity_id


def parse_ref(ref: str) -> str:
    """Returns the activity's id."""
    return ref.removeprefix(PREFIX)


def is_streamed(ref: str) -> bool:
    return ref.startswith(PREFIX)
