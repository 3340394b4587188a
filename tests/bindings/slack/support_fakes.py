"""A stand-in for the intake that records its calls, and payloads of Slack."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

from bindings.incoming import IncomingMessage, Place
from bindings.intake.bot import Greeting
from bindings.selftest.changes import Changes
from bindings.selftest.slack_requests import SECRET
from bindings.selftest.slack_server import APP_TOKEN, BOT, BOT_TOKEN, BOT_USER, TEAM, FakeSlack
from bindings.slack.mapping import BotIdentity
from core import PROJECT_ROOT
from core.configuration.platform_sections import SlackSettings
from core.configuration.settings import load
from core.contract import Language
from core.errors import CspsError

PAYLOADS = PROJECT_ROOT / "bindings" / "selftest" / "payloads" / "slack"
ME = BotIdentity(TEAM, BOT_USER, BOT, "whisper")


def payload(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return parsed


def settings(slack: FakeSlack, *, sockets: bool = False, **environ: str) -> SlackSettings:
    mode = {"SLACK_APP_TOKEN": APP_TOKEN} if sockets else {"SLACK_SIGNING_SECRET": SECRET}
    return load(
        {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_BASE_URL": slack.api_url, "SLACK_PORT": "0", **mode, **environ}
    ).slack


class FakeIntake(Changes):
    """Records calls in memory. Methods that store something raise `error`, if it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[IncomingMessage] = []
        self.events: set[str] = set()
        self.withdrawn: list[tuple[Place, str]] = []
        self.stops: list[tuple[Place, str]] = []
        self.feedback: list[tuple[str, str, str]] = []
        self.forgotten: list[str] = []
        self.greeted: list[tuple[Place, Language | None]] = []
        self.conversations: set[str] = set()  # in which the bot participates
        self.rejections: dict[str, str] | None = None
        self.error: CspsError | None = None
        self.gate: asyncio.Event | None = None  # `take` waits for it
        self.waiting = 0

    def editor_ids(self) -> frozenset[str]:
        return frozenset()

    async def take(self, incoming: IncomingMessage) -> bool:
        self.waiting += 1
        self.notify()
        if self.gate:
            await self.gate.wait()
        self._raise_error()
        new = incoming.event not in self.events
        if new:
            self.events.add(incoming.event)
            self.messages.append(IncomingMessage.from_json(json.loads(json.dumps(incoming.to_json()))))
        self.notify()
        return new

    def rejection(self, incoming: IncomingMessage, language: Language = "en") -> str | None:
        return self.rejections[language] if self.rejections else None

    async def answers_without_mention(self, incoming: IncomingMessage) -> bool:
        self._raise_error()
        return incoming.place.conversation in self.conversations

    async def withdraw_question(self, place: Place, message: str) -> None:
        self.withdrawn.append((place, message))

    async def stop_answer(self, place: Place, ref: str) -> None:
        self.stops.append((place, ref))
        self.notify()

    async def record_feedback(
        self, answer: str, speaker: str, value: Literal["good", "bad"], comment: str = ""
    ) -> bool:
        self._raise_error()
        self.feedback.append((answer, speaker, value))
        return True

    async def greeting(self, place: Place, language: Language | None) -> Greeting:
        self.greeted.append((place, language))
        return Greeting(
            "Whisper", "Hello! Ask <!here> anything.", ("Help?", "Write?", "Why?", "How?", "Five?"), language or "en"
        )

    async def forget_workspace(self, tenant: str) -> None:
        self._raise_error()
        self.forgotten.append(tenant)

    def personality_names(self) -> tuple[str, ...]:
        return ("whisper", "chuchotte")

    def _raise_error(self) -> None:
        if self.error:
            raise self.error
