"""A intake that writes down what it is told, and answers nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bindings.incoming import IncomingMessage, Place
from core.contract import Language


class FakeIntake:
    """`failing`: what the next calls raise that write or read what is stored."""

    def __init__(self) -> None:
        self.taken: list[IncomingMessage] = []
        self.failing: list[Exception] = []
        self.parts: set[str] = set()  # conversations that the bot takes part in
        self.asked_parts: list[str] = []
        self.deleted: list[tuple[Place, str]] = []
        self.stops: list[tuple[Place, str]] = []
        self.judged: list[tuple[str, str, str]] = []
        self.known_answers = {"a-1_B"}
        self.left: list[str] = []
        self.away: dict[str, str] | None = None
        self._changed = asyncio.Condition()

    async def until(self, true: Callable[[], Any], within_s: float = 15.0) -> None:
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    async def _happened(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def take(self, incoming: IncomingMessage) -> bool:
        await self._may_fail()
        known = any(each.event == incoming.event for each in self.taken)
        if not known:
            self.taken.append(incoming)
        await self._happened()
        return not known

    async def _may_fail(self) -> None:
        if self.failing:
            failure = self.failing.pop(0)
            await self._happened()
            raise failure

    def rejection(self, incoming: IncomingMessage, language: Language = "en") -> str | None:
        return self.away[language] if self.away else None

    async def is_participating(self, place: Place) -> bool:
        await self._may_fail()
        self.asked_parts.append(place.conversation)
        return place.conversation in self.parts

    async def withdraw_question(self, place: Place, message: str) -> None:
        self.deleted.append((place, message))
        await self._happened()

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append((place, ref))
        await self._happened()

    async def record_feedback(self, answer: str, speaker: str, value: str, comment: str = "") -> bool:
        self.judged.append((answer, speaker, value))
        await self._happened()
        return answer in self.known_answers

    async def forget_workspace(self, tenant: str) -> None:
        await self._may_fail()
        self.left.append(tenant)
        await self._happened()

    def personality_names(self) -> tuple[str, ...]:
        return ("whisper", "chuchotte")
