"""The client of all models: those of the local model process, and those behind URLs.

Owns which engines answer for which model. Knows no personality, no conversation, and nothing behind the protocol
(docs/protocols.md, "The model process").
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial

import structlog

from core.configuration.settings import Settings
from core.contract import EngineHealth, Json, ModelProgress, Priority, Sampling
from core.errors import ConfigError, ModelUnavailable
from core.model.client.capability_learner import CapabilityLearner
from core.model.client.capability_store import CapabilityStore
from core.model.client.chat_request import ChatRequest
from core.model.client.default_model import DefaultModel
from core.model.client.engine_address import EngineAddress, connect, connect_local
from core.model.client.engine_connection import EngineConnection
from core.model.client.engine_pool import EnginePool
from core.model.client.examination import EngineExamination, examine
from core.model.client.remote_pools import RemotePools, build_pool
from core.model.client.served_models import ModelInfo, ServedModels
from core.model.library.catalogue import FILE, ModelCatalogue, RemoteModel
from core.openai.chat_protocol import Message, StreamEvent
from core.runtime.backoff import NO_JITTER, Backoff

log = structlog.get_logger()

BACKOFF = Backoff(first_s=0.05, limit_s=1.0, jitter=NO_JITTER)


class ModelClient:
    """One per process.

    `own`: the engine of LLM_URL or the local model process; it answers for every model that is not in `pools`.
    `default`: the model for calls that name none.
    """

    def __init__(
        self,
        own: EnginePool,
        pools: RemotePools,
        default: DefaultModel,
        learner: CapabilityLearner,
        catalogue: ModelCatalogue | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.own = own
        self.pools = pools
        self._default = default
        self._learner = learner
        self._catalogue = catalogue
        self._clock = clock
        learner.watch(own)

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
        model, catalogue = settings.model, None
        if remote is None:
            catalogue = ModelCatalogue(settings.config_file(FILE))
            catalogue.load()
            remote = catalogue.remote
        if model.url:
            address = EngineAddress(model.url, model.api_key, model.name)
            own = EnginePool([connect(address, model.context_window, model.timeout_s)])
        else:
            own = EnginePool([connect_local(settings)])
        build = partial(build_pool, timeout_s=model.timeout_s, environ=environ)
        learner = CapabilityLearner(CapabilityStore(settings.data_folder))
        return cls(own, RemotePools(build, learner, remote), DefaultModel(settings), learner, catalogue)

    async def run(self) -> None:
        """Follows models.toml and the selected model, and tries out what the engines in use can do, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._learner.run())
            tasks.create_task(self._default.watch())
            if self._catalogue is not None:
                tasks.create_task(self._catalogue.watch(self._use_catalogue))

    async def reload_models(self) -> None:
        """Reads models.toml now. Raises ConfigError, and changes nothing, if it is wrong or lacks a key."""
        if self._catalogue is not None:
            await asyncio.to_thread(self._catalogue.load)
            self.pools.replace(self._catalogue.remote)

    def _use_catalogue(self) -> None:
        assert self._catalogue is not None
        try:
            self.pools.replace(self._catalogue.remote)
        except ConfigError as exc:  # the variable of a key is missing
            log.error("engines_not_changed", problem=exc.message)  # noqa: TRY400 - the operator's error, not ours

    async def close(self) -> None:
        await asyncio.gather(self.own.close(), self.pools.close())

    def engines(self) -> tuple[EngineHealth, ...]:
        """The engines behind URLs, as the last requests found them."""
        return tuple(health for pool in (self.own, *self.pools.values()) for health in pool.health())

    async def examine(self, model: str | None = None) -> list[EngineExamination]:
        """Examines the engines behind URLs, or those of one model of models.toml, all at once."""
        engines = [(name, engine) for name, engine in self.connections() if model in (None, name)]
        return await asyncio.gather(*(examine(name, engine, self._learner) for name, engine in engines))

    def connections(self) -> list[tuple[str | None, EngineConnection]]:
        """The engines behind URLs, each with its model's id in models.toml; None for the engine of LLM_URL."""
        pools = (self.own, *self.pools.values())
        return [(pool.name, engine) for pool in pools for engine in pool.engines.values() if not engine.is_local]

    def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        user: str | None = None,
        response_format: Json = None,
        continue_last: bool = False,
        continue_prompt: str = "",
        keep_prefix: bool = False,
        model: str | None = None,
        prompt_cache_key: str | None = None,
        priority: Priority = "interactive",
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yields the events of one answer, `StreamFinished` last. Closing it closes the connection and frees the slot.

        `continue_last`: the model continues the last message, which is the assistant's; `continue_prompt` is the
        request for that to an engine without a field for it. `keep_prefix`: the engine may keep the system message
        computed for other users. `prompt_cache_key`: of the conversation, which stays on the engine that has its
        prefix. `priority`: our own process serves people before batches. Raises ModelUnavailable if the engines are
        away or the one that answers goes away, ModelTooSlow if it does not begin, Overloaded, PromptTooLong,
        SchemaRefused, ModelRefused.
        """
        request = ChatRequest(
            messages,
            sampling,
            user,
            response_format,
            continue_last,
            continue_prompt,
            keep_prefix,
            prompt_cache_key,
            priority,
        )
        pool, name = self._find(model)
        return pool.stream(request, name)

    async def info(self, model: str | None = None) -> ModelInfo:
        """The model that answers a request for `model`: another one while that is not there.

        Raises ModelUnavailable, or ModelRefused if an engine behind a URL does not serve it.
        """
        pool, name = self._find(model)
        return await pool.info(name)

    async def progress(self, model: str | None = None) -> ModelProgress | None:
        """The progress of `model` while another one answers in its place. Raises as `info` does."""
        pool, name = self._find(model)
        return await pool.progress(name)

    def enforces_schemas(self, model: str | None = None) -> bool:
        """True if the engines of the model are known to enforce a schema while it writes."""
        pool, name = self._find(model)
        return pool.enforces_schemas(name)

    async def served(self) -> ServedModels:
        """All models of the own engine, as listed a moment ago. Raises ModelUnavailable, ModelRefused."""
        return await self.own.served()

    def listed(self, name: str, requested: str | None = None) -> ModelInfo | None:
        """The model that an answer names, by the latest list. `requested`: the model that the request named."""
        return self._find(requested)[0].listed(name)

    def title(self, name: str) -> str:
        """The title of the model that an answer names; the name itself if the latest list lacks it."""
        return (self.pools.get(name) or self.own).title(name)

    async def count(self, messages: Sequence[Message], model: str | None = None) -> int | None:
        """The tokens of the messages as a prompt. None: the engine does not count."""
        pool, name = self._find(model)
        return await pool.count(messages, name)

    async def forget(self, keys: Sequence[str]) -> None:
        """Has all engines of ours delete the states of conversations, by their `prompt_cache_key`.

        Raises CspsError if one of them could not be reached: repeat it later.
        """
        engines = [engine for pool in (self.own, *self.pools.values()) for engine in pool.engines.values()]
        await asyncio.gather(*(engine.forget(keys) for engine in engines))

    async def ready(self, model: str | None = None) -> None:
        """Returns if the model answers now. Raises ModelUnavailable if not, ModelRefused if it never will."""
        await self._find(model)[0].ready()

    async def wait_ready(self, wait_s: float, model: str | None = None) -> None:
        """Returns when the model answers. Raises ModelUnavailable after `wait_s` seconds."""
        await self._wait(self._find(model)[0], wait_s)

    async def wait_own_ready(self, wait_s: float) -> None:
        """Returns when the own engine answers, whichever model is the default. Raises as `wait_ready` does."""
        await self._wait(self.own, wait_s)

    async def _wait(self, pool: EnginePool, wait_s: float) -> None:
        pool.forget_models()
        deadline = self._clock() + wait_s
        pauses = BACKOFF.pauses()
        while True:
            try:
                return await pool.ready()
            except ModelUnavailable:
                pause_s = next(pauses)
                if self._clock() + pause_s > deadline:
                    raise
            # The engine is another process, which does not announce its start: only polling finds it.
            await asyncio.sleep(pause_s)

    async def own_metrics(self) -> str | None:
        """Prometheus's text of the local model process; None if there is none. Raises ModelUnavailable."""
        engine = next(iter(self.own.engines.values()))
        return await engine.metrics() if engine.is_local else None

    def is_remote(self, model: str | None) -> bool:
        """True if engines of models.toml answer for the model, now."""
        return self._find(model)[0] is not self.own

    def _find(self, model: str | None) -> tuple[EnginePool, str | None]:
        """The engines of the model, and its name for them; None: their own choice."""
        pool = self.pools.get(model or self._default.id or "")
        return (self.own, model) if pool is None else (pool, None)
