"""An answer as far as it has come. Events are put in, who writes to the platform looks; neither waits for the other.

Owns what an event means for the answer, and refuses to know the platform.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from bindings.delivery.manner import Ending, Manner
from bindings.delivery.splitting import Length, Pages
from core.contract import Done, Event, Source, Status, Text
from core.errors import CspsError, ModelError

log = structlog.get_logger()

SOURCES_LIMIT = 100


class Draft:
    """`changed` is set with every event, `turned` when there is a new reason to write: see `Writer`."""

    def __init__(self, manner: Manner, length: Length, limit: int) -> None:
        self._clock = manner.means.pace.clock
        self._limit_chars = manner.means.answer_limit_chars
        self.pages = Pages(length, limit)
        self.begun_at = self._clock()
        self.words_at: float | None = None  # when the first text came
        self.ended_at: float | None = None
        self.chars = 0
        self.says_something = False
        self.status: Status | None = None
        self.sources: list[Source] = []
        self.ending: Ending | None = None
        self.failure: CspsError | None = None
        self.done: Done | None = None
        self.cut = False
        self.changed = asyncio.Event()
        self.turned = asyncio.Event()

    def take(self, event: Event) -> None:
        match event:
            case Status():
                self.status = event
                self.turned.set()
            case Source():
                self.sources += [event] if len(self.sources) < SOURCES_LIMIT else []
            case Text():
                self._take_text(event.text)
            case Done():
                self.done, self.cut = event, event.reason == "length"
                self.end("delivered")
        self.changed.set()

    def _take_text(self, text: str) -> None:
        room = self._limit_chars - self.chars
        self.pages.add(text[:room])
        self.chars += len(text[:room])
        self.status = None
        self.says_something = self.says_something or any(char.isprintable() and not char.isspace() for char in text)
        if self.says_something and self.words_at is None:
            self.words_at = self._clock()
            self.turned.set()
        if len(text) > room:
            self.cut = True
            self.end("delivered")

    def fail(self, failure: CspsError) -> None:
        self.failure = failure
        self.end("failed")

    def end(self, ending: Ending) -> None:
        """Nothing is added any more. The first ending counts, except that a question can be withdrawn at any time."""
        if self.ending is None or ending == "withdrawn":
            self.ending, self.ended_at, self.status = ending, self._clock(), None
        self.turned.set()
        self.changed.set()


async def gather(events: AsyncGenerator[Event, None], draft: Draft) -> None:
    """Until the answer ends, in whatever way; then the events are closed, which frees the model's slot."""
    try:
        async with aclosing(events):
            async for event in events:
                draft.take(event)
                if draft.ending:
                    return
        draft.fail(ModelError("the answer ended without saying so"))
    except CspsError as exc:
        draft.fail(exc)
    except Exception:
        log.exception("answer_failed")
        draft.fail(CspsError("something went wrong on our side"))
