"""What every process of the service does around its work: settings, logging, signals, and the exit code.

0 after SIGTERM or SIGINT; 2 when the operator has to change something, which the last lines on stderr say; 1 for a
failure that may mend itself.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine

from core.configuration import settings
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError
from core.runtime import log

OPERATOR_MUST_ACT = 2
FAILED = 1


def main(name: str, serve: Callable[[Settings], Coroutine[None, None, None]]) -> int:
    """The exit code of a process that is `serve`, which ends by itself after `stop_event` was set."""
    try:
        loaded = settings.load()
        log.configure(loaded.log, name)
        asyncio.run(serve(loaded))
    except ConfigError as error:
        return say(name, error.message, OPERATOR_MUST_ACT)
    except CspsError as error:
        return say(name, error.message, FAILED)
    return 0


def stop_event() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def say(name: str, message: str, code: int) -> int:
    print(f"{opening(name)}{message}", file=sys.stderr)
    return code


def opening(name: str) -> str:
    """What a process's last words begin with: `csps-llm up` knows them by it."""
    return f"csps-llm {name}: "
