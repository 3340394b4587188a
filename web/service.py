"""What every handler works with: the engine, counted, and who is asking. Knows no routes and no wire formats."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from core.configuration.settings import WebSettings
from core.contract import Description, Done, Engine, Event, Language, Prompt, Task, Text, ToilEvent, ToilResult
from core.errors import CspsError, PersonalityUnknown
from core.rag.source_list import append_source_list
from web.life import Life
from web.limits import Limits
from web.metrics import Metrics
from web.peers import Peers


@dataclass(frozen=True, slots=True)
class Service:
    engine: Engine
    settings: WebSettings
    limits: Limits
    life: Life
    metrics: Metrics
    peers: Peers
    # New in each process: what is derived from an address cannot be traced back to it, nor across restarts.
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def personality(self, name: str) -> str:
        """`name`, if there is such a personality. Raises PersonalityUnknown naming those there are."""
        known = self.engine.personalities()
        if name not in known:
            raise PersonalityUnknown(f"no such personality; there are: {', '.join(known)}")
        return name

    def user_of(self, request: web.Request, named: str = "") -> str:
        """An opaque id for fairness. `named`: whom a program says that it asks for."""
        person = self.peers.person(request.remote, request.headers.getall("X-Forwarded-For", ()), named)
        seen = "\0".join(person).encode(errors="surrogatepass")
        return hashlib.blake2b(seen, key=self.salt, digest_size=16).hexdigest()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """The engine's answer, counted. Closing it closes the engine's."""
        asked = time.monotonic()
        speaking = False
        with self.metrics.running.track_inprogress():
            async with aclosing(self.engine.reply(prompt)) as events:
                async for event in events:
                    if isinstance(event, Text) and not speaking:
                        speaking = True
                        self.metrics.first_words.observe(time.monotonic() - asked)
                    if isinstance(event, Done):
                        self.metrics.used(event.usage)
                    yield event

    async def toil(self, task: Task) -> ToilResult:
        with self.metrics.running.track_inprogress():
            toiled = await self.engine.toil(task)
        self.metrics.used(toiled.usage)
        return toiled

    async def toil_events(self, task: Task) -> AsyncGenerator[ToilEvent, None]:
        with self.metrics.running.track_inprogress():
            async with aclosing(self.engine.toil_events(task)) as events:
                async for event in events:
                    if isinstance(event, ToilResult):
                        self.metrics.used(event.usage)
                    yield event

    async def description(self, personality: str) -> Description | None:
        """None where the engine cannot tell."""
        try:
            return await self.engine.describe(personality)
        except CspsError:
            return None

    async def language(self, personality: str) -> Language | None:
        described = await self.description(personality)
        return described.language if described else None


SERVICE: web.AppKey[Service] = web.AppKey("service", Service)


@asynccontextmanager
async def asking(
    service: Service, prompt: Prompt, *, text_alone: bool = False
) -> AsyncIterator[AsyncGenerator[Event, None]]:
    """The answer's events; leaving the block cancels what is left of it. `text_alone`: sources are part of the text."""
    answer = service.reply(prompt)
    async with aclosing(append_source_list(answer) if text_alone else answer) as events:
        yield events
