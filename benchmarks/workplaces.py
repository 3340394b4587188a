"""The platforms of `benchmarks.processes` and `benchmarks.deliveries`: strict stand-ins, to which bots connect.

Each asks a question as the platform does, by an event that it delivers until a bot acknowledges it, and lists the bot's
messages that people see at the end.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, SupportsIndex

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from bindings.selftest.discord_faults import build_failure, rate_limited
from bindings.selftest.discord_payloads import ALICE
from bindings.selftest.discord_server import TOKEN, FakeDiscord
from bindings.selftest.microsoft_connector import Failure
from bindings.selftest.microsoft_server import TENANT, FakeMicrosoft
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_requests import SECRET, headers_for
from bindings.selftest.slack_server import APP_TOKEN, BOT_TOKEN, TEAM, FakeSlack
from bindings.selftest.slack_texts import text_of

ACKNOWLEDGE_S = 3.0  # Slack waits as long, then delivers again: https://docs.slack.dev/apis/events-api/#retries


@dataclass(frozen=True)
class Question:
    conversation: int
    number: int  # in the conversation, from 1

    @property
    def text(self) -> str:
        return f"Question {self.conversation}.{self.number}?"

    @property
    def answer(self) -> str:
        return f"Answer {self.conversation}.{self.number} is complete."


class Workplace(Protocol):
    name: str  # of the platform
    doubles_allowed: bool  # decision 0012 documents second messages after a kill
    fake: Any

    def serving(self) -> AbstractAsyncContextManager[Any]: ...

    def environ(self, port: int) -> Mapping[str, str]: ...

    async def deliver(self, http: aiohttp.ClientSession, question: Question, port: int) -> bool:
        """Delivers the event once, to the bot on that port where the platform chooses one. True: acknowledged."""
        ...

    def messages(self) -> list[str]:
        """The texts of the bot's messages that people see, in order."""
        ...

    def fail(self, share: float, chance: random.Random) -> None:
        """Fails that share of the bot's calls: half with 429, a quarter with 5xx, a quarter after it took effect."""
        ...


class SlackWorkplace:
    """Half of the conversations are direct messages, half are threads, where answers stream."""

    name = "slack"
    doubles_allowed = False

    def __init__(self) -> None:
        self.fake = FakeSlack()

    def serving(self) -> AbstractAsyncContextManager[Any]:
        return self.fake.serving()

    def environ(self, port: int) -> Mapping[str, str]:
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_BASE_URL": self.fake.api_url,
            "SLACK_PORT": str(port),
            "SLACK_SIGNING_SECRET": SECRET,
        }

    async def deliver(self, http: aiohttp.ClientSession, question: Question, port: int) -> bool:
        body = json.dumps(self.post(question)).encode()
        return await post(http, f"http://127.0.0.1:{port}/slack/events", body, headers_for(body), 200)

    def post(self, question: Question) -> dict[str, Any]:
        """The event of a question, which stands in the conversation from now on."""
        event = slack_event(question)
        messages, message = self.fake.messages[event["event"]["channel"]], event["event"]
        if root := message.get("thread_ts"):
            messages.setdefault(root, {"type": "message", "user": message["user"], "text": "Hello", "ts": root})
        messages.setdefault(message["ts"], {**message, "type": "message"})
        return event

    def messages(self) -> list[str]:
        channels = list(self.fake.messages)
        return [text_of(message) for channel in channels for message in self.fake.answers(channel)]

    def fail(self, share: float, chance: random.Random) -> None:
        def choose(method: str) -> Trouble | None:
            outcome = choose_outcome(share, chance)
            if method == "auth.test" or outcome == "success":
                return None
            if outcome == "throttled":
                return Trouble(429, "ratelimited", retry_after_s="1")
            return Trouble(chance.choice((500, 502, 503)), done=outcome == "lost")

        self.fake.choose_trouble = choose


class SlackSocketWorkplace(SlackWorkplace):
    """Slack sends each event over one of the open connections."""

    def environ(self, port: int) -> Mapping[str, str]:
        return {**super().environ(port), "SLACK_APP_TOKEN": APP_TOKEN}

    async def deliver(self, http: aiohttp.ClientSession, question: Question, port: int) -> bool:
        sockets = [socket for socket in self.fake.sockets if not socket.closed]
        if not sockets:
            await asyncio.sleep(0.1)
            return False
        # The newest connections are those of living processes; `port` chooses among them.
        envelope = await self.fake.push(self.post(question), over=sockets[-1 - port % min(2, len(sockets))])
        try:
            async with asyncio.timeout(ACKNOWLEDGE_S):
                await self.fake.acknowledgement(envelope)
        except (TimeoutError, ConnectionError):
            return False
        return True


@dataclass
class TeamsWorkplace:
    """Personal chats, where answers stream."""

    name: str = "teams"
    doubles_allowed: bool = True
    fake: FakeMicrosoft = field(default_factory=FakeMicrosoft)

    def serving(self) -> AbstractAsyncContextManager[Any]:
        return self.fake.serving()

    def environ(self, port: int) -> Mapping[str, str]:
        return {**self.fake.environ, "TEAMS_PORT": str(port)}

    async def deliver(self, http: aiohttp.ClientSession, question: Question, port: int) -> bool:
        body = json.dumps(teams_activity(question, self.fake.service_url)).encode()
        headers = {"Authorization": f"Bearer {self.fake.token()}", "Content-Type": "application/json"}
        return await post(http, f"http://127.0.0.1:{port}/api/messages", body, headers, 202)

    def messages(self) -> list[str]:
        return [str(each.get("text", "")) for each in self.fake.messages.values()]

    def fail(self, share: float, chance: random.Random) -> None:
        self.fake.failures = RandomFailures(share, chance)


class RandomFailures(list[Failure | None]):
    """Has a failure, or None, for each call that takes one."""

    def __init__(self, share: float, chance: random.Random) -> None:
        super().__init__([None])
        self._share = share
        self._chance = chance

    def pop(self, _index: SupportsIndex = -1) -> Failure | None:
        match choose_outcome(self._share, self._chance):
            case "success":
                return None
            case "throttled":
                return Failure(429, retry_after="1")
            case "failed":
                return Failure(self._chance.choice((500, 502, 503)))
            case "lost":
                return Failure(0)


@dataclass
class DiscordWorkplace:
    """Direct messages. One process: the gateway sends it each event, and missed ones once it resumes its session."""

    name: str = "discord"
    doubles_allowed: bool = False
    fake: FakeDiscord = field(default_factory=FakeDiscord)

    def serving(self) -> AbstractAsyncContextManager[Any]:
        return self.fake.serve()

    def environ(self, port: int) -> Mapping[str, str]:
        return {
            "DISCORD_BOT_TOKEN": TOKEN,
            "DISCORD_API_BASE_URL": self.fake.base,
            "DISCORD_GATEWAY_URL": self.fake.gateway_url,
            "DISCORD_PORT": str(port),
        }

    async def deliver(self, http: aiohttp.ClientSession, question: Question, port: int) -> bool:
        """Discord wants no acknowledgement. Before the first session it has nobody to send an event to."""
        await self.fake.until(lambda: self.fake.identify_frames)
        number = question.conversation
        author = {**ALICE, "id": str(1_400_000_000_000_000_000 + number)}
        ids = {"id": str(1_500_000_000_000_000_000 + number), "channel_id": str(1_300_000_000_000_000_000 + number)}
        await self.fake.send("message_dm", content=question.text, author=author, **ids)
        return True

    def messages(self) -> list[str]:
        return [str(each["content"]) for each in self.fake.posts()]

    def fail(self, share: float, chance: random.Random) -> None:
        @web.middleware
        async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
            outcome = choose_outcome(share, chance) if "/channels/" in request.path else "success"
            if outcome == "throttled":
                return build_failure(rate_limited("", 1.0))
            if outcome == "failed":
                return web.json_response({"code": 0, "message": "failed"}, status=chance.choice((500, 502, 503)))
            response = await handler(request)
            return response if outcome == "success" else web.json_response({}, status=502)

        self.fake.middlewares.append(fail)


def choose_outcome(share: float, chance: random.Random) -> Literal["success", "throttled", "failed", "lost"]:
    """The outcome of a call. "lost": it takes effect, and its answer is lost."""
    if chance.random() >= share:
        return "success"
    return chance.choice(("throttled", "throttled", "failed", "lost"))


async def post(http: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str], status: int) -> bool:
    try:
        limit = aiohttp.ClientTimeout(total=ACKNOWLEDGE_S)
        async with http.post(url, data=body, headers=headers, timeout=limit) as response:
            return response.status == status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


def slack_event(question: Question) -> dict[str, Any]:
    number = question.conversation
    ts = f"{1_700_000_000 + number}.{question.number:06d}"
    person = {"user": f"U{number:05d}", "ts": ts, "event_ts": ts}
    if number % 2:
        event = {"type": "message", "channel_type": "im", "channel": f"D{number:05d}", "text": question.text, **person}
    else:
        thread = {"channel": f"C{number:05d}", "thread_ts": f"{1_700_000_000 + number}.000000"}
        event = {"type": "app_mention", "text": f"<@U0BOT> {question.text}", **thread, **person}
    return {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}x{question.number}", "event": event}


def teams_activity(question: Question, service_url: str) -> dict[str, Any]:
    number = question.conversation
    return {
        "type": "message",
        "id": f"{1_485_983_408_511 + question.number}",
        "timestamp": "2026-02-01T21:10:07.4379158Z",
        "serviceUrl": service_url,
        "channelId": "msteams",
        "from": {"id": f"29:person{number}", "name": "Megan Bowen", "aadObjectId": f"person-{number}"},
        "conversation": {"conversationType": "personal", "id": f"a:chat{number}", "tenantId": TENANT},
        "recipient": {"id": "28:bot", "name": "Whisper"},
        "channelData": {"tenant": {"id": TENANT}},
        "locale": "en-US",
        "textFormat": "plain",
        "text": question.text,
    }
