"""`python -m core.model`: loads the model and serves it until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import web

from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model.worker.loaded_model import LoadedModel, find_model, load_runner
from core.model.worker.options import WorkerOptions
from core.model.worker.server import ModelService, create_app
from core.runtime import process
from core.runtime.http_server import serve_app

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Listens at once with the status "loading", loads, serves; after a signal, finishes running replies and stops."""
    stop = process.stop_event()
    service = ModelService(api_key=require_api_key(settings))
    async with listening(service, settings):
        loading = asyncio.create_task(load(service, settings))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({loading, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            loading.result()
            await stopped
        service.stopping = True
    if not loading.done():
        log.info("model_stopped", loading=True)
        os._exit(os.EX_OK)  # asyncio would wait for the download or load, whose thread cannot be interrupted
    if service.host:
        # Threads may still tokenise for clients that disconnected.
        await asyncio.get_running_loop().shutdown_default_executor()
        service.host.close()
    log.info("model_stopped")


async def load(service: ModelService, settings: Settings) -> None:
    started = time.monotonic()
    file = await asyncio.to_thread(find_model, settings)
    log.info("model_load_started", model=file.name, size_mb=round(file.path.stat().st_size / 1e6))
    options = WorkerOptions.from_settings(settings, file)
    runner = await asyncio.to_thread(load_runner, options)
    service.host = LoadedModel(runner, options)
    log.info(
        "model_ready",
        model=file.name,
        starter=file.starter,
        window_tokens=runner.window,
        cache_tokens=runner.cache_tokens,
        slots=settings.model.slots,
        duration_s=round(time.monotonic() - started, 1),
    )


@contextlib.asynccontextmanager
async def listening(service: ModelService, settings: Settings) -> AsyncIterator[None]:
    """Serves HTTP inside the context. Raises ConfigError if the address cannot be used."""
    address = settings.model.listen or str(settings.model_socket)
    async with serve_app(
        create_app(service),
        lambda runner: create_site(runner, settings),
        lambda exc: ConfigError(f"cannot listen at {address}: {exc.strerror or exc}"),
        handler_cancellation=True,
        shutdown_timeout=settings.web.drain_s,
    ):
        log.info("model_listening", address=address)
        yield


def create_site(runner: web.AppRunner, settings: Settings) -> web.BaseSite:
    if settings.model.listen:
        host, _, port = settings.model.listen.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise ConfigError("LLM_LISTEN must be host:port, for example 127.0.0.1:8081")
        return web.TCPSite(runner, host.strip("[]"), int(port))
    return web.UnixSite(runner, str(prepare_socket(settings.model_socket)))


def prepare_socket(path: Path) -> Path:
    """Removes a killed process's socket, and closes the folder to other users: its mode alone protects the socket."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    return path


def require_api_key(settings: Settings) -> str | None:
    """Returns the key that callers must send over TCP; None on a Unix socket. Raises ConfigError if it is missing."""
    if not settings.model.listen:
        return None
    if settings.model.api_key is None:
        raise ConfigError("LLM_LISTEN opens the model to the network: set LLM_API_KEY, which callers must then send")
    return settings.model.api_key.get_secret_value()


if __name__ == "__main__":
    sys.exit(process.main("model", serve))
