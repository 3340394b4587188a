"""The models of this host: which one a request means, and which are loaded beforehand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from pathlib import Path

import structlog
from aiohttp import web

from core.configuration.settings import Settings
from core.contract import Json
from core.errors import ConfigError, ModelRefused, ModelUnavailable
from core.model.host.deployment import Deployment
from core.model.host.pool import ModelPool
from core.model.host.router import find_default
from core.model.host.tickets import Ticket
from core.model.host.worker_process import WorkerProcess
from core.openai.responses import model_object

log = structlog.get_logger()


class ModelHost:
    def __init__(self, settings: Settings, budget_bytes: int) -> None:
        self.pool = ModelPool(WorkerLauncher(settings.model_socket.parent), budget_bytes)
        self._settings = settings
        self._default: Deployment | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pool.on_change(self._check_start)

    @property
    def is_downloading(self) -> bool:
        return self._default is None

    async def run(self) -> None:
        """Raises the error of a default model that cannot be loaded; else runs until cancelled."""
        self._default = await asyncio.to_thread(find_default, self._settings)
        self.pool.preload(self._default)
        await self._failed

    def _check_start(self) -> None:
        if self._default and not self._failed.done() and (refusal := self.pool.refusal(self._default)):
            permanent = isinstance(refusal, ModelRefused)
            self._failed.set_exception(ConfigError(refusal.message) if permanent else refusal)

    async def request(self, model: str | None) -> Ticket:
        """Raises web.HTTPNotFound if no model has this id."""
        if self._default is None:
            raise ModelUnavailable("the model is loading", retry_after_s=2)
        if model is not None and model != self._default.model_id:
            raise web.HTTPNotFound(reason=f"this process serves only the model {self._default.model_id!r}")
        return self.pool.request(self._default)

    def status(self) -> str:
        return "ok" if self._default and self.pool.worker(self._default) else "loading"

    async def listing(self) -> list[dict[str, Json]]:
        worker = self.pool.worker(self._default) if self._default else None
        if worker is None or worker.process.ready is None:
            raise ModelUnavailable("the model is loading", retry_after_s=2)
        options, ready = worker.deployment.options, worker.process.ready
        ours = {"max_model_len": ready.window, "starter": options.starter, "embedder": ready.embedder}
        created = int(worker.deployment.file[3] / 1e9)
        return [{**model_object(worker.deployment.model_id, created), **ours}]


class WorkerLauncher:
    """Gives each worker a socket of its own in `folder`, which is closed to other users."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self._numbers = count(1)

    def __call__(self, deployment: Deployment) -> WorkerProcess:
        socket = self._folder / f"w{next(self._numbers)}.sock"
        socket.unlink(missing_ok=True)  # of a killed host
        return WorkerProcess(replace(deployment.options, socket=str(socket)))
