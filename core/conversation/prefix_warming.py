"""Lets the models compute the personalities' prefixes before people ask, so that first answers begin sooner.

Only models in memory are asked: a request to another one would load it, and another might have to leave for it. An
answer that a person waits for goes first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import structlog

from core.configuration.personalities import Personalities, Personality
from core.contract import Prompt, Sampling
from core.conversation.composition import build_context
from core.conversation.generation import AnswerPipeline, Generation
from core.errors import CspsError, ModelUnavailable, OnlyThought
from core.model.client import ModelClient

log = structlog.get_logger()

WARMING = Sampling(temperature=0, max_tokens=1)
PAUSE_S = 30.0  # after another program answered at the model's address
YIELD_LIMIT_S = 10.0  # that one request leaves to running answers: on a busy service there is always one
WATCH_INTERVAL_S = 5.0  # models come into memory and leave it without an announcement


class PrefixWarmer:
    """Sends one tiny request for each personality whose model came into memory.

    `wait_s`: the seconds that a request waits for a model that is away.
    """

    def __init__(
        self, personalities: Personalities, client: ModelClient, pipeline: AnswerPipeline, wait_s: float
    ) -> None:
        self._personalities = personalities
        self._client = client
        self._pipeline = pipeline
        self._wait_s = wait_s
        self._stale = asyncio.Event()  # set while the models may not know the prefixes
        self._stale.set()
        self._answers = 0  # that are running
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._warmed: dict[str, str] = {}  # personality → the model that knows its prefix

    def forget(self) -> None:
        """Warms all again: a model process restarted, or personalities changed."""
        self._stale.set()

    @asynccontextmanager
    async def yielding(self) -> AsyncIterator[None]:
        """Asks for no further prefix while the block runs: a person waits for an answer."""
        self._answers += 1
        self._is_idle.clear()
        try:
            yield
        finally:
            self._answers -= 1
            if not self._answers:
                self._is_idle.set()

    async def wait_idle(self) -> None:
        """Returns when no answer is running, or after `YIELD_LIMIT_S` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(YIELD_LIMIT_S):
                await self._is_idle.wait()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self._warm_new()
            except ModelUnavailable as exc:
                log.info("model_unavailable", problem=exc.message)
                continue  # it waited long enough
            except CspsError as exc:  # another program answers at this address; the prefixes stay cold
                log.warning("model_warming_failed", code=exc.code, problem=exc.message)
                await asyncio.sleep(PAUSE_S)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_INTERVAL_S):
                    await self._stale.wait()

    async def _warm_new(self) -> None:
        """Raises ModelUnavailable if no model answers within the wait."""
        await self._client.wait_own_ready(self._wait_s)
        if self._stale.is_set():
            self._stale.clear()
            self._warmed.clear()
        await self.warm()

    async def warm(self) -> None:
        """Asks for each personality that its model in memory does not know. Raises ModelUnavailable, ModelRefused."""
        loaded = await self._loaded()
        self._warmed = {name: model for name, model in self._warmed.items() if model in loaded}
        for name in self._personalities.names():
            await self.wait_idle()
            try:
                personality = self._personalities.get(name)  # its file may have been removed meanwhile
                if self._client.is_remote(personality.model_id):  # its engines manage their own caches, or are away
                    continue
                model = await self._client.info(personality.model_id)
                # Looked up again each time: the model may have left the memory while others were asked.
                if model.name in await self._loaded() and self._warmed.get(name) != model.name:
                    self._warmed[name] = model.name
                    await self._ask(personality)
                    log.info("personality_warmed", personality=name)
            except CspsError as exc:  # only its first answer takes longer
                log.warning("personality_warming_failed", personality=name, problem=exc.message)

    async def _loaded(self) -> frozenset[str]:
        return (await self._client.served()).loaded()

    async def _ask(self, personality: Personality) -> None:
        context = build_context(Prompt(personality.name, ".", sampling=WARMING, priority="batch"), personality)
        request = await self._pipeline.build_request(context)
        with suppress(OnlyThought):  # the prefix is computed all the same
            async with aclosing(Generation(self._client, request, self._wait_s).events()) as events:
                async for _event in events:
                    pass
