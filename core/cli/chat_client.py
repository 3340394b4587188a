"""A client of a running service, over the WebSocket subprotocol `csps-llm.v1` (docs/protocols.md). Knows no terminal.

It connects for each prompt and resumes by the session's id. So a conversation outlives restarts of the service and idle
hours.
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
from core.errors import CspsError, PersonalityUnknown
from core.runtime.background_tasks import run_beside

SUBPROTOCOL = "csps-llm.v1"
HEARTBEAT_S = 20.0
CONNECT_S = 10.0
Frame = dict[str, Any]


class ServiceUnreachable(CspsError):
    """Nothing answers at the service's address, or the connection was lost."""


class NotTheService(CspsError):
    """Another program answers at the service's address."""


class ChatClient:
    """A conversation with `personality` at `url`, such as "http://localhost:5000"."""

    def __init__(self, url: str, personality: str, language: Language) -> None:
        self.url = url.rstrip("/")
        self.personality = personality
        self.session: str | None = None  # as issued by the service
        self._language = language
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ends the running answer. The conversation keeps what was written."""
        self._stop.set()

    async def describe(self) -> Frame:
        """The service's description of the personality; empty if a server in front of it fails.

        Raises ServiceUnreachable, PersonalityUnknown, NotTheService.
        """
        timeout = aiohttp.ClientTimeout(total=CONNECT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self._path("describe")) as answer:
                body = parse_object(await answer.read())
        except aiohttp.ClientResponseError as exc:  # the answer is not HTTP
            raise NotTheService(self.url) from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ServiceUnreachable(self.url) from exc
        if answer.status == 404 and body.get("code") == PersonalityUnknown.code:
            raise PersonalityUnknown(self.personality)
        if answer.status == 200 and "personality" in body:
            return body
        if answer.status >= 500:
            return {}
        raise NotTheService(self.url)

    async def ask(self, prompt: str) -> AsyncGenerator[Frame, None]:
        """Yields the frames of one answer; the last is `done` or `error`. Raises as `describe` does."""
        self._stop.clear()
        try:
            async with aiohttp.ClientSession() as http, await self._connect(http) as socket, self._stoppable(socket):
                if self.session:
                    await socket.send_json({"type": "resume", "session": self.session})
                await socket.send_json({"type": "prompt", "text": prompt, "language": self._language})
                async for frame in self._frames(socket):
                    yield frame
        except aiohttp.WSServerHandshakeError as exc:
            await self.describe()  # raises an error that tells which program refused
            raise ServiceUnreachable(self.url) from exc
        except aiohttp.ClientResponseError as exc:
            raise NotTheService(self.url) from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ServiceUnreachable(self.url) from exc

    async def _connect(self, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(CONNECT_S):
            return await http.ws_connect(self._path("gpt-socket"), protocols=(SUBPROTOCOL,), heartbeat=HEARTBEAT_S)

    async def _frames(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[Frame, None]:
        async for message in socket:
            frame = json.loads(message.data)
            if frame["type"] == "session":
                self.session = frame["session"]
            yield frame
            expired = frame.get("code") == "session_unknown"  # the prompt that follows starts a new session
            if frame["type"] in ("done", "error") and not expired:
                return
        raise ServiceUnreachable(self.url)

    @asynccontextmanager
    async def _stoppable(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
        """Sends a `stop` frame when `stop` is called inside the block."""

        async def send_stop() -> None:
            await self._stop.wait()
            await socket.send_json({"type": "stop"})

        async with run_beside(send_stop()):  # the reader of the answer notices a lost connection
            yield

    def _path(self, endpoint: str) -> str:
        return f"{self.url}/{endpoint}/{quote(self.personality, safe='')}"


def parse_object(content: bytes) -> Frame:
    """Parses a JSON object; anything else gives an empty one."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
