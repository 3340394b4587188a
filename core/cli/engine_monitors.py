"""Watches all engines behind URLs for `up`: that of LLM_URL, and those of models.toml, also while the file changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import watchfiles

from core.cli.readiness import EngineMonitor, EventLog
from core.configuration.settings import Settings
from core.contract import Language
from core.errors import ConfigError
from core.model.client import EngineConnection, ModelClient
from core.model.library.catalogue import FILE


class EngineMonitors:
    """One monitor for each engine of `client`."""

    def __init__(self, client: ModelClient, settings: Settings, log: EventLog, language: Language) -> None:
        self._client = client
        self._file = settings.config_file(FILE)
        self._url = settings.model.url or ""
        self._log = log
        self._language = language
        self._tasks: dict[EngineConnection, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            self.update(group)
            async for _changes in watchfiles.awatch(self._file.parent, watch_filter=self._concerns, recursive=False):
                with suppress(ConfigError):  # the web process logs it, and keeps the old engines
                    await self._client.reload_models()
                self.update(group)

    def update(self, group: asyncio.TaskGroup) -> None:
        """Starts the monitors of new engines, and ends those of engines that are gone."""
        connections = {engine: model for model, engine in self._client.connections()}
        for engine in self._tasks.keys() - connections.keys():
            self._tasks.pop(engine).cancel()
        for engine, model in connections.items():
            if engine not in self._tasks:
                self._tasks[engine] = group.create_task(self._monitor(engine, model).run())

    def _monitor(self, engine: EngineConnection, model: str | None) -> EngineMonitor:
        if model is None:
            return EngineMonitor(engine, self._url, self._log, self._language)
        return EngineMonitor(engine, engine.label, self._log, self._language, f"models.toml, [{model}]")

    def _concerns(self, _change: watchfiles.Change, path: str) -> bool:
        return Path(path).name == self._file.name


async def monitor_engines(settings: Settings, environ: Mapping[str, str], log: EventLog, language: Language) -> None:
    """Runs until cancelled. `environ`: has the engines' keys. Raises ConfigError."""
    client = ModelClient.from_settings(settings, environ=environ)
    try:
        await EngineMonitors(client, settings, log, language).run()
    finally:
        await client.close()
