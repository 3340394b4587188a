"""The answer so far: events come in, the page writer reads it, and neither waits for the other.

Knows what each event means for the answer, and knows no platform.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from bindings.delivery.context import DeliveryEnding, DeliveryOptions
from bindings.delivery.splitting import LengthFunction, PageSplitter
from core import texts
from core.contract import Done, Event, Language, Masked, PersonalInformation, Source, Status, Text
from core.errors import CspsError, ModelError
from core.texts.personal_information import add_counts

log = structlog.get_logger()

SOURCES_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressStatus(Status):
    """The progress of long work, shown until the next event. `text` is in the person's language."""

    text: str


def build_progress(text: str) -> ProgressStatus:
    return ProgressStatus(state="reading", text=text)


def describe_status(status: Status, language: Language) -> str:
    return status.text if isinstance(status, ProgressStatus) else texts.status_text(status, language)


class PartialAnswer:
    """The text, sources and ending so far.

    Each event sets `changed`. The first text, a status and the end also set `plan_changed`, which ends a pause of the
    page writer.
    """

    def __init__(self, options: DeliveryOptions, length: LengthFunction, limit: int) -> None:
        self._clock = options.context.rate_limit.clock
        self._limit_chars = options.context.answer_limit_chars
        self.pages = PageSplitter(length, limit)
        self._texts: list[str] = []  # for forms with other limits, and for the numbers that it cites
        self.begun_at = self._clock()
        self.first_text_at: float | None = None
        self.ended_at: float | None = None
        self.chars = 0
        self.has_text = False
        self.status: Status | None = None
        self.sources: list[Source] = []
        self.masked: tuple[PersonalInformation, ...] = options.masked
        self.ending: DeliveryEnding | None = None
        self.failure: CspsError | None = None
        self.done: Done | None = None
        self.truncated = False
        self.changed = asyncio.Event()
        self.plan_changed = asyncio.Event()

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def add(self, event: Event) -> None:
        match event:
            case Status():
                self.status = event
                self.plan_changed.set()
            case Masked(found):
                self.masked = add_counts(self.masked, found)
            case Source():
                self.sources += [event] if len(self.sources) < SOURCES_LIMIT else []
            case Text():
                self._add_text(event.text)
            case Done():
                self.done, self.truncated = event, event.reason == "length"
                self.end("delivered")
        self.changed.set()

    def _add_text(self, text: str) -> None:
        room = self._limit_chars - self.chars
        self._texts.append(text[:room])
        self.pages.add(text[:room])
        self.chars += len(text[:room])
        self.status = None
        self.has_text = self.has_text or any(char.isprintable() and not char.isspace() for char in text)
        if self.has_text and self.first_text_at is None:
            self.first_text_at = self._clock()
            self.plan_changed.set()
        if len(text) > room:
            self.truncated = True
            self.end("delivered")

    def split_anew(self, length: LengthFunction, limit: int) -> None:
        """Splits the text into pages of another length."""
        self.pages = PageSplitter(length, limit)
        self._texts = ["".join(self._texts)]
        self.pages.add(self._texts[0])

    def fail(self, failure: CspsError) -> None:
        self.failure = failure
        self.end("failed")

    def end(self, ending: DeliveryEnding) -> None:
        """Ends the answer. The first ending counts, but a question can be withdrawn at any time."""
        if self.ending is None or ending == "withdrawn":
            self.ending, self.ended_at, self.status = ending, self._clock(), None
        self.plan_changed.set()
        self.changed.set()


async def collect_events(events: AsyncGenerator[Event, None], answer: PartialAnswer) -> None:
    """Adds events until the answer ends, then closes them, which frees the model's slot."""
    try:
        async with aclosing(events):
            async for event in events:
                answer.add(event)
                if answer.ending:
                    return
        answer.fail(ModelError("the events ended without Done"))
    except CspsError as exc:
        answer.fail(exc)
    except Exception:
        log.exception("answer_failed")
        answer.fail(CspsError("something went wrong on our side"))
