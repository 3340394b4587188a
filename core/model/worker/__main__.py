"""`python -m core.model.worker OPTIONS [HOST_PID]` loads one model and serves it on a Unix socket until SIGTERM.

OPTIONS is a `WorkerOptions` as JSON, or "-" if that comes on standard input. The process ends with the host, whose id
is HOST_PID. It announces on its standard output how its start ended (`announcements`); the log goes to standard error.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable

import structlog
from aiohttp import web

from core.configuration.setting_sections import LogSettings
from core.errors import ConfigError, CspsError
from core.model.http_service import refusal_response
from core.model.worker.announcements import Announcement, WorkerFailed, WorkerReady, encode_announcement
from core.model.worker.loaded_model import LoadedModel
from core.model.worker.options import WorkerOptions
from core.model.worker.runner_config import load_runner
from core.model.worker.server import ModelService, create_app
from core.runtime import log as logging
from core.runtime import process
from core.runtime.die_with_parent import end_with_parent
from core.runtime.http_server import serve_app

log = structlog.get_logger()

MIN_FLUSH_S = 2.0  # for writing idle conversations, also after running answers took the whole drain time
FROM_STANDARD_INPUT = "-"
Announce = Callable[[Announcement], None]


def main(arguments: list[str]) -> int:
    """Returns the exit code: 2 if the model cannot be loaded before somebody changes something, 1 for other errors."""
    if len(arguments) > 1:
        end_with_parent(int(arguments[1]))
    content = sys.stdin.read() if arguments[0] == FROM_STANDARD_INPUT else arguments[0]
    if not content:  # the host did not need this worker
        return 0
    options = WorkerOptions.from_json(content)
    logging.configure(LogSettings.model_validate({"level": options.log_level, "format": options.log_format}), "model")
    announce = open_announcements()
    try:
        asyncio.run(serve(options, announce))
    except CspsError as exc:
        permanent = isinstance(exc, ConfigError)
        announce(WorkerFailed(exc.message, permanent))
        return process.OPERATOR_MUST_ACT if permanent else process.FAILED
    return 0


def open_announcements() -> Announce:
    """Keeps standard output for announcements: whatever a library prints goes to standard error from now on."""
    sys.stdout.flush()
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def announce(announcement: Announcement) -> None:
        print(encode_announcement(announcement), file=pipe, flush=True)

    return announce


async def serve(options: WorkerOptions, announce: Announce) -> None:
    """Listens at once with the status "loading", loads, serves; after a signal, finishes running replies and stops."""
    stop = process.stop_event()
    service = ModelService()
    async with serve_app(
        create_app(service),
        lambda runner: web.UnixSite(runner, options.socket),
        lambda exc: ConfigError(f"cannot listen at {options.socket}: {exc.strerror or exc}"),
        refusal_response,
        handler_cancellation=True,
        shutdown_timeout=options.drain_s,
    ):
        loading = asyncio.create_task(load(service, options, announce))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({loading, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            loading.result()
            await stopped
        service.stopping = True
        deadline = time.monotonic() + options.drain_s
    if not loading.done():
        os._exit(os.EX_OK)  # asyncio would wait for the load, whose thread cannot be interrupted
    if service.model:
        # Threads may still tokenise for clients that disconnected.
        await asyncio.get_running_loop().shutdown_default_executor()
        service.model.close(flush_s=max(MIN_FLUSH_S, deadline - time.monotonic()))


async def load(service: ModelService, options: WorkerOptions, announce: Announce) -> None:
    started = time.monotonic()
    runner = await asyncio.to_thread(load_runner, options)
    service.model = LoadedModel(runner, options)
    announce(WorkerReady(runner.window, runner.cache_tokens, runner.embeds, time.monotonic() - started))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
