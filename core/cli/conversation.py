"""One conversation with a running service, over the WebSocket subprotocol `csps-llm.v1` (docs/protocols.md).

Knows nothing of terminals. It connects for each prompt and resumes by the session's id, so that a conversation outlives
restarts of the service and idle hours.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp

from core.contract import Language
from core.errors import CspsError
from core.runtime.background_tasks import run_beside

SUBPROTOCOL = "csps-llm.v1"
HEARTBEAT_S = 20.0
CONNECT_S = 10.0
Frame = dict[str, Any]


class ServiceAway(CspsError):
    """Nobody answers at the service's address, or no longer."""

    code = "service_away"


class NotOurs(CspsError):
    """Something answers at the address, and it is another program."""

    code = "not_ours"


class PersonalityAway(CspsError):
    """The service is there, and has no such personality."""

    code = "personality_unknown"


class Conversation:
    """With `personality` at `url` ("http://localhost:5000")."""

    def __init__(self, url: str, personality: str, language: Language) -> None:
        self.url = url.rstrip("/")
        self.personality = personality
        self.session: str | None = None  # as the service issued it
        self._language = language
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End the answer under way; what was written stays in the conversation."""
        self._stop.set()

    async def describe(self) -> Frame:
        """What the service tells of the personality. Raises ServiceAway, PersonalityAway, NotOurs."""
        timeout = aiohttp.ClientTimeout(total=CONNECT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self._path("describe")) as answer:
                body = fields_of(await answer.read())
        except aiohttp.ClientResponseError as exc:  # it is no HTTP
            raise NotOurs(self.url) from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ServiceAway(self.url) from exc
        if answer.status == 404 and body.get("code") == PersonalityAway.code:
            raise PersonalityAway(self.personality)
        if answer.status == 200 and "personality" in body:
            return body
        if answer.status >= 500:  # it, or what is in front of it
            return {}
        raise NotOurs(self.url)

    async def ask(self, prompt: str) -> AsyncGenerator[Frame, None]:
        """The frames about one prompt; the last is `done` or `error`. Raises ServiceAway, PersonalityAway, NotOurs."""
        self._stop.clear()
        try:
            async with aiohttp.ClientSession() as http, await self._connect(http) as socket, self._stoppable(socket):
                if self.session:
                    await socket.send_json({"type": "resume", "session": self.session})
                await socket.send_json({"type": "prompt", "text": prompt, "language": self._language})
                async for frame in self._frames(socket):
                    yield frame
        except aiohttp.WSServerHandshakeError as exc:
            await self.describe()  # says who it is that refuses
            raise ServiceAway(self.url) from exc
        except aiohttp.ClientResponseError as exc:
            raise NotOurs(self.url) from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ServiceAway(self.url) from exc

    async def _connect(self, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(CONNECT_S):
            return await http.ws_connect(self._path("gpt-socket"), protocols=(SUBPROTOCOL,), heartbeat=HEARTBEAT_S)

    async def _frames(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[Frame, None]:
        async for message in socket:
            frame = json.loads(message.data)
            if frame["type"] == "session":
                self.session = frame["session"]
            yield frame
            expired = frame.get("code") == "session_unknown"  # the prompt that follows begins a new one
            if frame["type"] in ("done", "error") and not expired:
                return
        raise ServiceAway(self.url)

    @asynccontextmanager
    async def _stoppable(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
        """Passes `stop` on, while the answer is being read."""

        async def pass_on() -> None:
            await self._stop.wait()
            await socket.send_json({"type": "stop"})

        async with run_beside(pass_on()):  # the reader of the answer notices a lost connection
            yield

    def _path(self, endpoint: str) -> str:
        return f"{self.url}/{endpoint}/{quote(self.personality, safe='')}"


def fields_of(content: bytes) -> Frame:
    """Of a JSON object; none of anything else."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
