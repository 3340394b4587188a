"""Writes down how a turn ended: whole, stopped by the person, or failed. However it ends, what was given is kept.

Knows conversations only as `core.conversation.sessions` has them, and nothing of how an answer comes about.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from core.contract import Done, Ending, Event, Source, Text, Toiled, ToilEvent
from core.conversation.sessions import RunningTurn, Sessions
from core.errors import BadRequest, StorageError

log = structlog.get_logger()

Events = AsyncGenerator[Event, None]
ToilEvents = AsyncGenerator[ToilEvent, None]


@dataclass(slots=True)
class Given:
    """What was given of an answer so far."""

    text: str = ""
    sources: dict[int, Source] = field(default_factory=dict)  # by number: one that comes again replaces the one before

    def take(self, event: Event) -> None:
        if isinstance(event, Text):
            self.text += event.text
        elif isinstance(event, Source):
            self.sources[event.number] = event


class Recorder:
    """One per engine. `close` waits for what is still being stored."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._storing: set[asyncio.Task[None]] = set()

    async def reply(self, turn: RunningTurn, answering: Events) -> Events:
        """The answer's events; `Done` comes when the turn is stored."""
        given, done = Given(), None
        try:
            async with aclosing(answering) as events:
                async for event in events:
                    if isinstance(event, Done):
                        done = event
                        break
                    given.take(event)
                    yield event
        except BaseException as exc:
            await self._broken(turn, given, exc)
            raise
        assert done is not None
        await self._store(turn, given, done.reason)
        yield done

    async def toil(self, turn: RunningTurn, toiling: ToilEvents) -> ToilEvents:
        """The toil's events; the value comes when the turn is stored. Half a document is not worth keeping."""
        toiled: Toiled | None = None
        try:
            async with aclosing(toiling) as events:
                async for event in events:
                    if isinstance(event, Toiled):
                        toiled = event
                        break
                    yield event
        except BaseException as exc:
            await self._broken(turn, Given(), exc)
            raise
        assert toiled is not None
        await self._store(turn, Given(json.dumps(toiled.value, ensure_ascii=False)), "stop")
        yield toiled

    async def close(self) -> None:
        await asyncio.gather(*self._storing, return_exceptions=True)

    async def _broken(self, turn: RunningTurn, given: Given, exc: BaseException) -> None:
        if isinstance(exc, BadRequest):
            await self._sessions.withdraw_turn(turn)  # a question that is refused must not spoil the next one
        elif isinstance(exc, asyncio.CancelledError | GeneratorExit):
            await self._store_anyway(turn, given, "stopped")
        else:
            await self._store_anyway(turn, given, "failed")

    async def _store(self, turn: RunningTurn, given: Given, reason: Ending) -> None:
        """Goes on by itself if its caller is cancelled."""
        sources = tuple(given.sources.values())
        storing = asyncio.create_task(self._sessions.finish_turn(turn, given.text, reason, sources))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        await asyncio.shield(storing)

    async def _store_anyway(self, turn: RunningTurn, given: Given, reason: Ending) -> None:
        """As `_store`, where something else already went wrong, which is what has to be told."""
        try:
            await self._store(turn, given, reason)
        except StorageError as exc:
            log.warning("turn_not_stored", reason=reason, chars=len(given.text), problem=exc.message)
