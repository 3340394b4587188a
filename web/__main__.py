"""`python -m web`: the web process, from its settings to its exit code.

0 after SIGTERM or SIGINT; 2 when the operator has to change something, which one line on stderr says.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
import sys

import structlog

from core import bootstrap, log, settings
from core.errors import ConfigError, CspsError
from core.settings import Settings, WebSettings
from web.app import create_app
from web.server import serving

OPERATOR_MUST_ACT = 2
FAILED = 1
OTHER_FILES = 256


def main() -> int:
    try:
        loaded = settings.load()
        log.configure(loaded.log, "web")
        asyncio.run(serve(loaded))
    except ConfigError as error:
        return say(error.message, OPERATOR_MUST_ACT)
    except CspsError as error:
        return say(error.message, FAILED)
    return 0


async def serve(loaded: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises ConfigError where the operator has to act."""
    allow_files(loaded.web.connections)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with bootstrap.engine(loaded) as engine:
        app = create_app(engine, loaded)
        try:
            async with serving(app, loaded.web) as url:
                events = structlog.get_logger()
                events.info("web_serving", url=url)
                await stop.wait()
                events.info("web_stopping", drain_s=loaded.web.drain_s)
        except OSError as exc:
            raise ConfigError(reason(exc, loaded.web)) from exc


def allow_files(connections: int) -> None:
    """A shell's usual limit of 1024 open files is less than the sockets that may be open, and what else we open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def reason(exc: OSError, web: WebSettings) -> str:
    """Why the address cannot be listened on, and what to do."""
    if exc.errno == errno.EADDRINUSE:
        return f"port {web.port} on {web.host} is in use: stop what uses it, or set PORT to another one"
    if exc.errno == errno.EACCES:
        return f"port {web.port} may not be used by this account: set PORT to one above 1023"
    words = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
    return f"cannot listen on {web.host}, port {web.port}: {words}; check HOST and PORT"


def say(message: str, code: int) -> int:
    print(f"csps-llm web: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
