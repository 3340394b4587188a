"""`python -m web`: runs the web process."""

from __future__ import annotations

import resource
import sys

import structlog

from core import bootstrap
from core.access.key_store import ApiKeyStore
from core.configuration.settings import Settings
from core.runtime import process
from core.runtime.ready_signal import announce_ready
from web.app import create_app, serve

SWITCH_INTERVAL_S = 0.001  # until a thread that parses lets the event loop go on; Python's 5 ms add up over an answer
RESERVED_FILES = 256  # for everything but client connections


async def run(loaded: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises ConfigError where the operator has to act."""
    raise_file_limit(loaded.web.connections)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    stop, web = process.stop_event(), loaded.web
    async with bootstrap.run_core(loaded) as core:
        app = create_app(
            core.engine,
            loaded,
            editing=core.editing,
            schedule=core.schedule,
            metrics=(core.engine_metrics,),
            encoder=core.encoder,
            desk=core.desk,
            keys=ApiKeyStore(core.database),
        )
        async with serve(app, web) as url:
            events = structlog.get_logger()
            events.info("web_serving", url=url)
            announce_ready()
            await stop.wait()
            events.info("web_stopping", notice_s=web.notice_s, drain_s=web.drain_s)


def raise_file_limit(connections: int) -> None:
    """Raises the soft limit of open files: a shell's usual 1024 may be below the connections that we accept."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    file_count = 2 * connections + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < file_count:
        most = file_count if hard == resource.RLIM_INFINITY else min(file_count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


if __name__ == "__main__":
    sys.exit(process.main("web", run))
