"""The host as a process: its address, its start and its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import web

from core.configuration.settings import Settings
from core.errors import ConfigError
from core.model.host.assembly import HostAssembly
from core.model.host.server import HostService, create_app
from core.model.host.spare_worker import SpareWorker
from core.model.http_service import BODY_TIMEOUT_S, refusal_response
from core.model.library.file_digests import FileDigests
from core.runtime import process
from core.runtime.http_server import serve_app

log = structlog.get_logger()


async def serve(settings: Settings, spare: SpareWorker | None = None) -> None:
    """Listens at once with the status "loading", loads, serves; after a signal, finishes running replies and stops.

    `spare` becomes the first worker.
    """
    stop = process.stop_event()
    assembly = HostAssembly(settings, spare)
    digests = FileDigests(settings.data_folder)
    service = HostService(assembly.host, assembly.downloads, require_api_key(settings), digests)
    try:
        async with listening(service, settings):
            running = asyncio.create_task(assembly.run())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            service.stopping = True
            assembly.pool.stop_loading()
            for task in (running, stopped):
                task.cancel()
    finally:
        await digests.close()
        await assembly.close()
    log.info("model_stopped")
    with contextlib.suppress(asyncio.CancelledError):
        await running


@contextlib.asynccontextmanager
async def listening(service: HostService, settings: Settings) -> AsyncIterator[None]:
    """Serves HTTP inside the context. Raises ConfigError if the address cannot be used."""
    address = settings.model.listen or str(settings.model_socket)
    async with serve_app(
        create_app(service),
        lambda runner: create_site(runner, settings),
        lambda exc: ConfigError(f"cannot listen at {address}: {exc.strerror or exc}"),
        refusal_response,
        handler_cancellation=True,
        keepalive_timeout=BODY_TIMEOUT_S,  # also bounds the arrival of a request's head
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
