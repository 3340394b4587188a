"""What is sent next of a message that is streamed. Pure: by the clock that it is given, and without a connector.

Teams' rules: numbered from 1, the last one without a number; what is being waited for only before the first words;
each text begins with the one before; one stream at a time in a chat; two minutes, then the message can only be updated.
Source: https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cachetools import FIFOCache

LIMIT_S = 120.0
TURN_S = 100.0  # when we end it ourselves: the call and a retry must arrive before the limit
REMEMBERED = 10_000
MARK = "stream:"  # of a ref that was begun as a stream


@dataclass(frozen=True, slots=True)
class Chunk:
    text: str
    kind: Literal["informative", "streaming"]
    sequence: int


class Stream:
    """One message. A chunk counts as sent when `sent` is called: one that failed is made again with the same number."""

    def __init__(self, begun_at: float) -> None:
        self.id = ""
        self.begun_at = begun_at
        self._text = ""
        self._status = ""
        self._sequence = 0

    def next(self, text: str, status: str) -> Chunk | None:
        """None: there is nothing that could be shown, or nothing new."""
        number = self._sequence + 1
        if text:
            return Chunk(text, "streaming", number) if text != self._text and self.continues(text) else None
        if self._text or not status or status == self._status:
            return None
        return Chunk(status, "informative", number)

    def sent(self, chunk: Chunk) -> None:
        self._sequence = chunk.sequence
        if chunk.kind == "streaming":
            self._text = chunk.text
        else:
            self._status = chunk.text

    def continues(self, text: str) -> bool:
        """Whether it begins with what was streamed."""
        return text.startswith(self._text)

    @property
    def shown(self) -> str:
        return self._text

    def is_late(self, now: float) -> bool:
        return now - self.begun_at > TURN_S


class Streams:
    """Of all chats: which has a stream now, and which messages are over. `clock` gives seconds, never jumps back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._until: dict[str, float] = {}
        self._over: FIFOCache[str, None] = FIFOCache(REMEMBERED)

    def claim(self, conversation: str) -> Stream | None:
        """None: another answer is streaming there. A claim ends with Teams' own limit, whatever becomes of it."""
        now = self.clock()
        self._until = {chat: until for chat, until in self._until.items() if until > now}
        if conversation in self._until:
            return None
        self._until[conversation] = now + LIMIT_S
        return Stream(now)

    def release(self, conversation: str) -> None:
        self._until.pop(conversation, None)

    def end(self, conversation: str, ref: str) -> None:
        self.release(conversation)
        self._over[ref] = None

    def is_over(self, ref: str) -> bool:
        """False also for one that an earlier process finished."""
        return ref in self._over


def ref_of(activity_id: str, *, streamed: bool) -> str:
    return MARK + activity_id if streamed else activity_id


def activity_of(ref: str) -> str:
    return ref.removeprefix(MARK)


def was_streamed(ref: str) -> bool:
    return ref.startswith(MARK)
