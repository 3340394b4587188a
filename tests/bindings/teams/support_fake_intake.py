"""An intake that records its calls and answers nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bindings.incoming import IncomingMessage, Place
from bindings.intake.bot import Greeting
from core.contract import Language


@dataclass
class FakeIntake:
    messages: list[IncomingMessage] = field(default_factory=list)
    deletions: list[tuple[Place, str]] = field(default_factory=list)
    stops: list[tuple[Place, str]] = field(default_factory=list)
    feedback: list[tuple[str, str, str, str]] = field(default_factory=list)
    removals: list[tuple[str, Callable[[Place], bool]]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)  # answer ids by the ref of their message
    participating: set[str] = field(default_factory=set)  # conversations in which the bot answers
    listed: set[str] = field(default_factory=set)  # channels and chats where no message needs a mention
    failure: Exception | None = None  # raised by `take`

    async def take(self, incoming: IncomingMessage) -> bool:
        if self.failure:
            raise self.failure
        self.messages.append(incoming)
        return True

    def listens(self, place: Place) -> bool:
        return place.channel in self.listed

    async def answers_without_mention(self, incoming: IncomingMessage) -> bool:
        return self.listens(incoming.place) or incoming.place.conversation in self.participating

    async def withdraw_question(self, place: Place, message: str) -> None:
        self.deletions.append((place, message))

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append((place, ref))

    async def record_feedback(self, answer: str, speaker: str, value: str, comment: str = "") -> bool:
        self.feedback.append((answer, speaker, value, comment))
        return True

    async def find_answer(self, _place: Place, ref: str) -> str | None:
        return self.answers.get(ref)

    async def greeting(self, _place: Place, language: Language | None) -> Greeting:
        return Greeting("Whisper", "Ask me anything.", ("What is AI?", "Write an email."), language or "en")

    async def forget_places(self, tenant: str, is_left: Callable[[Place], bool]) -> None:
        self.removals.append((tenant, is_left))
