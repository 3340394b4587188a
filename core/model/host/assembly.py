"""Connects the parts of the host, and runs them: the first load, watched files, downloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import watchfiles

from core.configuration.settings import Settings
from core.model.hardware.machine import inspect_machine
from core.model.host.deployment import Deployment
from core.model.host.downloads import Downloads
from core.model.host.local_models import LocalModels
from core.model.host.memory_budget import full_budget, model_room, quick_budget
from core.model.host.model_host import ModelHost
from core.model.host.model_sources import ModelSources
from core.model.host.pool import ModelPool
from core.model.host.spare_worker import SpareWorker
from core.model.host.worker_process import WorkerProcess
from core.model.library.download.leftovers import remove_leftovers
from core.model.library.download.progress import OnProgress
from core.model.library.selection import FILE as SELECTION_FILE
from core.model.library.selection import models_folder
from core.model.library.specs import HubFile
from core.runtime.background_tasks import BackgroundTasks

MEASURE_AGAIN_S = (900.0, 3600.0)  # a machine is busy while it starts


class HostAssembly:
    """One per process."""

    def __init__(self, settings: Settings, spare: SpareWorker | None = None) -> None:
        self._settings = settings
        budget = quick_budget(settings)
        self.sources = ModelSources(settings, model_room(budget))
        self.pool = ModelPool(WorkerLauncher(settings.model_socket.parent, spare), budget)
        self.host = ModelHost(self.pool, self._find)
        self._folder = models_folder(settings.data_folder)
        self.downloads = Downloads(self._folder, fetch_model, self.host.refresh_soon)

    async def run(self) -> None:
        """Runs until cancelled. Raises CspsError if no model can be loaded at the start."""
        self.host.apply(await asyncio.to_thread(self.sources.find_quickly))
        await self._require_starter()
        async with self._watching():
            await self.host.refresh()
            await self.host.hopeless

    async def close(self) -> None:
        await self.pool.close()

    async def _require_starter(self) -> None:
        """Prepares the starter if it must answer and the installation did not prepare it."""
        models = self.host.models
        assert models is not None
        if models.default.deployment is None and models.starter.deployment is None:
            await asyncio.to_thread(self.sources.prepare_starter)
            self.host.apply(await asyncio.to_thread(self.sources.find_quickly))

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        tasks = BackgroundTasks()
        for each in (self.sources.catalogue, self.sources.personalities):
            tasks.start(each.watch(self.host.refresh_soon))
        tasks.start(self._watch_selection())
        tasks.start(self._count_gpus())
        tasks.start(self._measure_again())
        tasks.start(self.downloads.run())
        try:
            yield
        finally:
            await tasks.close()

    async def _count_gpus(self) -> None:
        gpus = (await asyncio.to_thread(inspect_machine)).usable_gpus
        quick, self.pool.budget = self.pool.budget, full_budget(self._settings, self.pool.budget, gpus)
        self.pool.update()
        if gpus:
            self.sources.room = model_room(quick, gpus)
            self.host.refresh_soon()

    async def _measure_again(self) -> None:
        """Chooses again with better knowledge of the machine: never a worse model."""
        for delay_s in MEASURE_AGAIN_S:
            await asyncio.sleep(delay_s)
            await asyncio.to_thread(self.sources.measure_again)
            self.host.refresh_soon()

    async def _watch_selection(self) -> None:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        async for _changes in watchfiles.awatch(self._folder, watch_filter=concerns_models, recursive=False):
            self.host.refresh_soon()

    async def _find(self) -> LocalModels:
        models = await asyncio.to_thread(self.sources.find)
        missing = [each.missing for each in models.wanted() if each.missing]
        self.downloads.want(missing)
        await asyncio.to_thread(remove_leftovers, self._folder, missing)
        return models


def concerns_models(change: watchfiles.Change, path: str) -> bool:
    """Tells whether a change in the models folder is another selection, or the removal of a repository's folder."""
    name = Path(path).name
    return name == SELECTION_FILE or (change is watchfiles.Change.deleted and "--" in name)


async def fetch_model(source: HubFile, models: Path, on_progress: OnProgress) -> Path:
    from core.model.library.download.fetching import fetch  # imports an HTTP client, too late for the start

    return await fetch(source, models, on_progress)


class WorkerLauncher:
    """Gives each worker a socket of its own in `folder`, which is closed to other users: its mode protects them."""

    def __init__(self, folder: Path, spare: SpareWorker | None = None) -> None:
        self._folder = folder
        self._spare = spare
        for stale in folder.glob("w*.sock"):  # of a killed host
            stale.unlink(missing_ok=True)
        self._numbers = count(1)

    def __call__(self, deployment: Deployment) -> WorkerProcess:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        socket = self._folder / f"w{next(self._numbers)}.sock"  # short: a socket's path has 104 bytes at most
        spare, self._spare = self._spare, None
        return WorkerProcess(replace(deployment.options, socket=str(socket)), spare)
