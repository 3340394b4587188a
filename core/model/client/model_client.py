"""The client of all models: those of the local model process, and those behind URLs.

Owns which engines answer for which model. Knows no personality, no conversation, and nothing behind the protocol
(docs/protocols.md, "The model process").
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from core.configuration.settings import Settings
from core.contract import Json, ModelProgress, Sampling
from core.errors import ModelUnavailable
from core.model.client.capability_learner import CapabilityLearner
from core.model.client.capability_store import CapabilityStore
from core.model.client.chat_request import ChatRequest
from core.model.client.engine_address import EngineAddress, address_of, connect, connect_local
from core.model.client.engine_connection import EngineConnection
from core.model.client.engine_pool import EnginePool
from core.model.client.served_models import ModelInfo, ServedModels
from core.model.library.catalogue import FILE, ModelCatalogue, RemoteModel
from core.openai.chat_protocol import Message, StreamEvent
from core.runtime.backoff import NO_JITTER, Backoff

BACKOFF = Backoff(first_s=0.05, limit_s=1.0, jitter=NO_JITTER)


class ModelClient:
    """One per process.

    `own`: the engine of LLM_URL or the local model process; it answers for every model that is not a key of `pools`.
    `default`: the model for calls that name none; None: the first that `own` lists.
    """

    def __init__(
        self,
        own: EnginePool,
        pools: Mapping[str, EnginePool] | None = None,
        default: str | None = None,
        learner: CapabilityLearner | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.own = own
        self._default = default
        self.pools = dict(pools or {})
        self._learner = learner
        self._clock = clock
        if learner:
            for pool in self._pools():
                watch(pool, learner)

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        remote: Mapping[str, RemoteModel] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> ModelClient:
        """`remote`: the models behind URLs, by id; None: those of models.toml. `environ`: has the engines' keys.

        Raises ConfigError.
        """
        model, pools = settings.model, {}
        for name, entry in (load_remote(settings) if remote is None else remote).items():
            pools[name] = build_pool(name, entry, model.timeout_s, environ)
        if model.url:
            address = EngineAddress(model.url, model.api_key, model.name)
            own, default = EnginePool([connect(address, model.context_window, model.timeout_s)]), None
        else:
            own, default = EnginePool([connect_local(settings)]), model.name if model.name in pools else None
        return cls(own, pools, default, CapabilityLearner(CapabilityStore(settings.data_folder)))

    async def learn_capabilities(self) -> None:
        """Tries out, until cancelled, what the engines in use can do. Only one process of a service needs this."""
        if self._learner:
            await self._learner.run()

    async def close(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self._pools()))

    def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        user: str | None = None,
        response_format: Json = None,
        continue_last: bool = False,
        keep_prefix: bool = False,
        model: str | None = None,
        prompt_cache_key: str | None = None,
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yields the events of one answer, `StreamFinished` last. Closing it closes the connection and frees the slot.

        `continue_last`: the model continues the last message, which is the assistant's. `keep_prefix`: the engine may
        keep the system message computed for other users. `prompt_cache_key`: of the conversation, which stays on the
        engine that has its prefix. Raises ModelUnavailable if the engines are away or the one that answers goes away,
        ModelTooSlow if it does not begin, Overloaded, PromptTooLong, SchemaRefused, ModelRefused.
        """
        request = ChatRequest(messages, sampling, user, response_format, continue_last, keep_prefix, prompt_cache_key)
        pool, name = self._find(model)
        return pool.stream(request, name)

    async def info(self, model: str | None = None) -> ModelInfo:
        """The model that answers a request for `model`: another one while that is not there.

        Raises ModelUnavailable, or ModelRefused if an engine behind a URL does not serve it.
        """
        pool, name = self._find(model)
        return await pool.info(name)

    async def progress(self, model: str | None = None) -> ModelProgress | None:
        """How far `model` is while another one answers in its place. Raises as `info` does."""
        pool, name = self._find(model)
        return await pool.progress(name)

    async def served(self) -> ServedModels:
        """All models of the own engine, as listed a moment ago. Raises ModelUnavailable, ModelRefused."""
        return await self.own.served()

    def title(self, name: str) -> str:
        """What people see of the model that an answer names, as far as the latest list knows it."""
        return self.pools[name].title(name) if name in self.pools else self.own.title(name)

    async def count(self, messages: Sequence[Message], model: str | None = None) -> int | None:
        """The tokens of the messages as a prompt. None: the engine does not count."""
        pool, name = self._find(model)
        return await pool.count(messages, name)

    async def forget(self, keys: Sequence[str]) -> None:
        """Has all engines of ours delete the states of conversations, by their `prompt_cache_key`.

        Raises CspsError if one of them could not be reached: repeat it later.
        """
        engines = [engine for pool in self._pools() for engine in pool.engines.values()]
        await asyncio.gather(*(engine.forget(keys) for engine in engines))

    async def ready(self, model: str | None = None) -> None:
        """Returns if the model answers now. Raises ModelUnavailable if not, ModelRefused if it never will."""
        await self._find(model)[0].ready()

    async def wait_ready(self, wait_s: float, model: str | None = None) -> None:
        """Returns when the model answers. Raises ModelUnavailable after `wait_s` seconds."""
        self._find(model)[0].forget_models()
        deadline = self._clock() + wait_s
        pauses = BACKOFF.pauses()
        while True:
            try:
                return await self.ready(model)
            except ModelUnavailable:
                pause_s = next(pauses)
                if self._clock() + pause_s > deadline:
                    raise
            # The engine is another process, which does not announce its start: only polling finds it.
            await asyncio.sleep(pause_s)

    def _find(self, model: str | None) -> tuple[EnginePool, str | None]:
        """The engines of the model, and its name for them; None: their own choice."""
        model = model or self._default
        return (self.pools[model], None) if model in self.pools else (self.own, model)

    def _pools(self) -> list[EnginePool]:
        return [self.own, *self.pools.values()]


def watch(pool: EnginePool, learner: CapabilityLearner) -> None:
    """Has the learner learn what the pool's engines can do, unless somebody said it."""

    def recall(engine: EngineConnection) -> None:
        learner.recall(engine, engine.usual_model())

    def note(engine: EngineConnection, model: str | None) -> None:
        if not engine.is_declared:
            learner.note(engine, model or engine.usual_model())

    pool.on_answer = note
    for engine in pool.engines.values():
        if not engine.is_declared:
            engine.on_listed, engine.on_forgotten = recall, learner.forget


def load_remote(settings: Settings) -> Mapping[str, RemoteModel]:
    catalogue = ModelCatalogue(settings.config_file(FILE))
    catalogue.load()
    return catalogue.remote


def build_pool(name: str, model: RemoteModel, timeout_s: float, environ: Mapping[str, str]) -> EnginePool:
    addresses = [address_of(entry, name, environ) for entry in model.engines]
    weights = {address.label: address.weight for address in addresses}
    engines = [connect(address, model.context_window, timeout_s) for address in addresses]
    return EnginePool(engines, weights, name, model.title)
