"""A intake that takes down what it is handed, and answers nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bindings.incoming import IncomingMessage, Place
from bindings.intake.bot import Greeting
from core.contract import Language


@dataclass
class FakeIntake:
    taken: list[IncomingMessage] = field(default_factory=list)
    deleted: list[tuple[Place, str]] = field(default_factory=list)
    stops: list[tuple[Place, str]] = field(default_factory=list)
    judged: list[tuple[str, str, str, str]] = field(default_factory=list)
    left_places: list[tuple[str, Callable[[Place], bool]]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)  # the answer in each message
    part_of: set[str] = field(default_factory=set)  # conversations
    failure: Exception | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, incoming: IncomingMessage) -> bool:
        if self.failure:
            raise self.failure
        self.taken.append(incoming)
        self.changed.set()
        return True

    async def is_participating(self, place: Place) -> bool:
        return place.conversation in self.part_of

    async def withdraw_question(self, place: Place, message: str) -> None:
        self.deleted.append((place, message))

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append((place, ref))

    async def record_feedback(self, answer: str, speaker: str, value: str, comment: str = "") -> bool:
        self.judged.append((answer, speaker, value, comment))
        return True

    async def find_answer(self, _place: Place, ref: str) -> str | None:
        return self.answers.get(ref)

    async def greeting(self, _place: Place, language: Language | None) -> Greeting:
        return Greeting("Whisper", "Ask me anything.", ("What is AI?", "Write an email."), language or "en")

    async def forget_places(self, tenant: str, is_left: Callable[[Place], bool]) -> None:
        self.left_places.append((tenant, is_left))
