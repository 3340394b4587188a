"""Writes down how a turn ended: whole, stopped by the person, or failed. However it ends, what was given is kept.

Knows conversations only as `core.sessions` has them, and nothing of how an answer comes about.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from core.contract import Done, Event, Text, Toiled, ToilEvent
from core.errors import BadRequest, StorageError
from core.sessions import Reason, RunningTurn, Sessions

log = structlog.get_logger()

Events = AsyncGenerator[Event, None]
ToilEvents = AsyncGenerator[ToilEvent, None]


class Recorder:
    """One per engine. `close` waits for what is still being stored."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._storing: set[asyncio.Task[None]] = set()

    async def reply(self, turn: RunningTurn, answering: Events) -> Events:
        """The answer's events; `Done` comes when the turn is stored."""
        text, done = "", None
        try:
            async with aclosing(answering) as events:
                async for event in events:
                    if isinstance(event, Done):
                        done = event
                        break
                    text += event.text if isinstance(event, Text) else ""
                    yield event
        except BaseException as exc:
            await self._broken(turn, text, exc)
            raise
        assert done is not None
        await self._store(turn, text, done.reason)
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
            await self._broken(turn, "", exc)
            raise
        assert toiled is not None
        await self._store(turn, json.dumps(toiled.value, ensure_ascii=False), "stop")
        yield toiled

    async def close(self) -> None:
        await asyncio.gather(*self._storing, return_exceptions=True)

    async def _broken(self, turn: RunningTurn, text: str, exc: BaseException) -> None:
        if isinstance(exc, BadRequest):
            await self._sessions.withdraw_turn(turn)  # a question that is refused must not spoil the next one
        elif isinstance(exc, asyncio.CancelledError | GeneratorExit):
            await self._store_anyway(turn, text, "stopped")
        else:
            await self._store_anyway(turn, text, "failed")

    async def _store(self, turn: RunningTurn, text: str, reason: Reason) -> None:
        """Goes on by itself if its caller is cancelled."""
        storing = asyncio.create_task(self._sessions.finish_turn(turn, text, reason))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        await asyncio.shield(storing)

    async def _store_anyway(self, turn: RunningTurn, text: str, reason: Reason) -> None:
        """As `_store`, where something else already went wrong, which is what has to be told."""
        try:
            await self._store(turn, text, reason)
        except StorageError as exc:
            log.warning("turn_not_stored", reason=reason, chars=len(text), problem=exc.message)
