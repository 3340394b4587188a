"""An intake that records its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bindings.incoming import IncomingMessage, Place
from core.contract import Language


class IntakeSpy:
    """`errors` are raised by the next calls that use the database."""

    def __init__(self) -> None:
        self.messages: list[IncomingMessage] = []
        self.errors: list[Exception] = []
        self.participations: set[str] = set()  # ids of conversations with an answer of the bot
        self.participation_queries: list[str] = []
        self.withdrawals: list[tuple[Place, str]] = []
        self.stops: list[tuple[Place, str]] = []
        self.feedback: list[tuple[str, str, str]] = []
        self.answer_ids = {"a-1_B"}
        self.forgotten_workspaces: list[str] = []
        self.rejections: dict[str, str] | None = None
        self._changed = asyncio.Condition()

    async def until(self, condition: Callable[[], Any], within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: bool(condition()))

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def take(self, incoming: IncomingMessage) -> bool:
        await self._may_fail()
        is_repeat = any(each.event == incoming.event for each in self.messages)
        if not is_repeat:
            self.messages.append(incoming)
        await self._notify()
        return not is_repeat

    async def _may_fail(self) -> None:
        if self.errors:
            failure = self.errors.pop(0)
            await self._notify()
            raise failure

    def rejection(self, incoming: IncomingMessage, language: Language = "en") -> str | None:
        return self.rejections[language] if self.rejections else None

    async def is_participating(self, place: Place) -> bool:
        await self._may_fail()
        self.participation_queries.append(place.conversation)
        return place.conversation in self.participations

    async def withdraw_question(self, place: Place, message: str) -> None:
        self.withdrawals.append((place, message))
        await self._notify()

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append((place, ref))
        await self._notify()

    async def record_feedback(self, answer: str, speaker: str, value: str, comment: str = "") -> bool:
        self.feedback.append((answer, speaker, value))
        await self._notify()
        return answer in self.answer_ids

    async def forget_workspace(self, tenant: str) -> None:
        await self._may_fail()
        self.forgotten_workspaces.append(tenant)
        await self._notify()

    def personality_names(self) -> tuple[str, ...]:
        return ("whisper", "chuchotte")
