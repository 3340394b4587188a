"""`python -m web`: the web process, from its settings to its end."""

from __future__ import annotations

import resource
import sys

import structlog

from core import bootstrap
from core.configuration.settings import Settings
from core.runtime import process
from web.app import create_app
from web.server import serving

OTHER_FILES = 256


async def serve(loaded: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises ConfigError where the operator has to act."""
    allow_files(loaded.web.connections)
    stop, web = process.stop_event(), loaded.web
    async with bootstrap.engine(loaded) as engine:
        app = create_app(engine, loaded)
        async with serving(app, web) as url:
            events = structlog.get_logger()
            events.info("web_serving", url=url)
            await stop.wait()
            events.info("web_stopping", drain_s=web.drain_s)


def allow_files(connections: int) -> None:
    """A shell's usual limit of 1024 open files is less than the sockets that may be open, and what else we open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


if __name__ == "__main__":
    sys.exit(process.main("web", serve))
