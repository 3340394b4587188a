"""An intake that records its calls."""

from __future__ import annotations

from bindings.incoming import IncomingMessage, Place
from bindings.selftest.changes import Changes
from core.contract import Language


class IntakeSpy(Changes):
    """`errors` are raised by the next calls that use the database."""

    def __init__(self) -> None:
        super().__init__()
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

    async def take(self, incoming: IncomingMessage) -> bool:
        await self._may_fail()
        is_repeat = any(each.event == incoming.event for each in self.messages)
        if not is_repeat:
            self.messages.append(incoming)
        self.notify()
        return not is_repeat

    async def _may_fail(self) -> None:
        if self.errors:
            failure = self.errors.pop(0)
            self.notify()
            raise failure

    def rejection(self, incoming: IncomingMessage, language: Language = "en") -> str | None:
        return self.rejections[language] if self.rejections else None

    async def answers_without_mention(self, incoming: IncomingMessage) -> bool:
        await self._may_fail()
        self.participation_queries.append(incoming.place.conversation)
        return incoming.place.conversation in self.participations

    async def withdraw_question(self, place: Place, message: str) -> None:
        self.withdrawals.append((place, message))
        self.notify()

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append((place, ref))
        self.notify()

    async def record_feedback(self, answer: str, speaker: str, value: str, comment: str = "") -> bool:
        self.feedback.append((answer, speaker, value))
        self.notify()
        return answer in self.answer_ids

    async def forget_workspace(self, tenant: str) -> None:
        await self._may_fail()
        self.forgotten_workspaces.append(tenant)
        self.notify()

    def personality_names(self) -> tuple[str, ...]:
        return ("whisper", "chuchotte")
