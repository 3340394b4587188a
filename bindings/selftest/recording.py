"""The record of a stand-in: the calls of the bot, and the messages that people saw, with their times."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler

NOTE_CHARS = 200
SEGMENT_CHARS = 36
NOTE_BODY_LIMIT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A message as people see it now. `key` identifies it on its stand-in."""

    key: str
    author: str
    by_bot: bool
    room: str
    text: str
    root: str | None = None  # the key of the message to which it replies
    small_lines: tuple[str, ...] = ()  # the status, sources, notice and label below the text
    buttons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    private: bool = False  # only one person sees it
    writing: bool = False  # the platform shows it as unfinished


@dataclass(slots=True)
class RecordedMessage:
    """A message over its life. Times are in seconds since the beginning."""

    message: VisibleMessage
    step: str
    posted_s: float
    first_words_s: float | None = None
    changed_s: float | None = None
    deleted_s: float | None = None
    changes: int = 0


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of the bot to the platform. `note` is the platform's reason of a refusal."""

    step: str
    at_s: float
    method: str
    status: int
    note: str
    took_s: float


@dataclass(eq=False)
class Recording:
    """`look` returns the messages that are visible now. `clock` is monotonic, in seconds."""

    look: Callable[[], Iterable[VisibleMessage]] = tuple
    clock: Callable[[], float] = time.monotonic
    step: str = ""
    calls: list[RecordedCall] = field(default_factory=list)
    messages: dict[str, RecordedMessage] = field(default_factory=dict)
    started_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.clock()

    def now_s(self) -> float:
        return self.clock() - self.started_at

    def observe(self) -> None:
        """Compares the visible messages with those known so far."""
        now, seen = self.now_s(), set()
        for message in self.look():
            seen.add(message.key)
            known = self.messages.get(message.key)
            if known is None:
                known = self.messages[message.key] = RecordedMessage(message, self.step, now)
            elif known.message != message:
                known.message, known.changed_s, known.changes = message, now, known.changes + 1
            if known.first_words_s is None and message.text:
                known.first_words_s = now
        for key, known in self.messages.items():
            if key not in seen and known.deleted_s is None:
                known.deleted_s = now

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Records a call to the stand-in. Sockets are no calls."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await handler(request)
        at = self.now_s()
        try:
            response = await handler(request)
        except web.HTTPException as exc:
            self._add_call(request, at, exc.status, exc.reason)
            raise
        self._add_call(request, at, response.status, find_refusal(response))
        return response

    def _add_call(self, request: web.Request, at_s: float, status: int, note: str) -> None:
        method = f"{request.method} {shorten_path(request.path)}"
        self.calls.append(RecordedCall(self.step, at_s, method, status, note, self.now_s() - at_s))
        self.observe()


def shorten_path(path: str) -> str:
    """Shortens ids and tokens, which nobody reads."""
    cut = f"{{:.{SEGMENT_CHARS}}}…"
    return "/".join(part if len(part) <= SEGMENT_CHARS else cut.format(part) for part in path.split("/"))


def find_refusal(response: web.StreamResponse) -> str:
    """Returns the platform's reason in the body of a response, "" if it is no refusal."""
    if not isinstance(response, web.Response) or not response.body or response.content_type != "application/json":
        return ""
    raw = response.body if isinstance(response.body, bytes) else b""
    if len(raw) > NOTE_BODY_LIMIT_BYTES:
        return ""
    body = json.loads(raw)
    if not isinstance(body, dict) or (response.status < 400 and body.get("ok") is not False):
        return ""
    error = body.get("error")
    if isinstance(error, dict):
        error = f"{error.get('code')}: {error.get('message')}"
    return str(error or body.get("message") or "")[:NOTE_CHARS]
