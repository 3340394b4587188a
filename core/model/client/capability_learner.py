"""Learns what each engine can do, beside the answers, and remembers it.

An engine is tried after its first answer, so that nobody waits for it and nothing wakes an engine that is not used.
Another version or another list of models has it tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from core.errors import CspsError
from core.model.client.capability_probe import find_capabilities, identify
from core.model.client.capability_store import CapabilityStore
from core.model.client.engine_connection import EngineConnection
from core.model.client.engine_pool import EnginePool
from core.openai.dialects import UNKNOWN, EngineCapabilities

log = structlog.get_logger()

CHECK_INTERVAL_S = 3600.0  # between looks at the version and the models of an engine in use
FAILURE_PAUSE_S = 60.0


class CapabilityLearner:
    """One per client. `note` says that an engine is in use; `run` does the work."""

    def __init__(self, store: CapabilityStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._wanted: dict[tuple[str, str], EngineConnection] = {}
        self._has_work = asyncio.Event()
        self._next_check: dict[tuple[str, str], float] = {}
        self._fingerprints: dict[tuple[str, str], str] = {}

    def watch(self, pool: EnginePool) -> None:
        """Learns about the pool's engines from now on, unless somebody said what they can do."""
        pool.on_answer = self._note_answer
        for engine in pool.engines.values():
            if not engine.is_declared:
                engine.on_listed, engine.on_forgotten = self._recall_usual, self.forget

    def _note_answer(self, engine: EngineConnection, model: str | None) -> None:
        if not engine.is_declared:
            self.note(engine, model or engine.usual_model())

    def _recall_usual(self, engine: EngineConnection) -> None:
        self.recall(engine, engine.usual_model())

    def note(self, engine: EngineConnection, model: str) -> None:
        """The engine just answered with this model."""
        key = (engine.label, model)
        if self._clock() < self._next_check.get(key, 0.0):
            return
        self._next_check[key] = self._clock() + CHECK_INTERVAL_S
        self._wanted[key] = engine
        self._has_work.set()

    def forget(self, engine: EngineConnection) -> None:
        """The engine was away: it may be another version now."""
        self._next_check = {key: at for key, at in self._next_check.items() if key[0] != engine.label}

    def recall(self, engine: EngineConnection, model: str) -> None:
        """Uses what another process found, until the engine's version is known."""
        if (engine.label, model) in self._fingerprints:
            return
        if found := self._store.find(engine.label, model):
            self._fingerprints[engine.label, model] = found.fingerprint
            engine.learn(model, found.capabilities)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._has_work.wait()
            while self._wanted:
                key = next(iter(self._wanted))
                await self._try(self._wanted.pop(key), key[1])
            self._has_work.clear()

    async def _try(self, engine: EngineConnection, model: str) -> None:
        try:
            await self.learn(engine, model)
        except CspsError as exc:
            log.info("engine_features_unknown", engine=engine.label, model=model, problem=exc.message)
            self._next_check[engine.label, model] = self._clock() + FAILURE_PAUSE_S

    async def learn(self, engine: EngineConnection, model: str) -> EngineCapabilities:
        """The capabilities of the engine: remembered ones if it is still the same, else probed. Raises ModelError."""
        key, fingerprint = (engine.label, model), (await identify(engine)).fingerprint
        if self._fingerprints.get(key) == fingerprint and engine.capabilities(model) != UNKNOWN:
            return engine.capabilities(model)
        found = self._store.find(engine.label, model)
        if found is not None and found.fingerprint == fingerprint:
            capabilities = found.capabilities
        else:
            capabilities = await find_capabilities(engine, model)
            self._store.save(engine.label, model, fingerprint, capabilities)
        self._fingerprints[key] = fingerprint
        engine.learn(model, capabilities)
        self._report(engine, model, capabilities)
        return capabilities

    def _report(self, engine: EngineConnection, model: str, capabilities: EngineCapabilities) -> None:
        if missing := set(capabilities.missing()) - {"embeddings"}:  # few engines of chat models have those
            log.warning("engine_lacks_features", engine=engine.label, model=model, missing=sorted(missing))
        else:
            log.info("engine_has_features", engine=engine.label, model=model)
