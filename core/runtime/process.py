"""The frame of every process of the service: settings, logging, signals and the exit code.

Exit codes: 0 after SIGTERM or SIGINT; 1 for a failure that a restart may cure; 2 when the operator must change
something. The last lines on stderr then explain it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine

from core.configuration import settings
from core.configuration.settings import Settings
from core.errors import ConfigError, CspsError
from core.runtime import log, traces
from core.runtime.service_manager import reporting_alive
from core.texts import overlay

OPERATOR_MUST_ACT = 2
FAILED = 1


def main(name: str, serve: Callable[[Settings], Coroutine[None, None, None]]) -> int:
    """Runs `serve`, which returns after `stop_event` is set. Returns the exit code."""
    try:
        loaded = settings.load()
        log.configure(loaded.log, name)
        overlay(loaded.config)
        traces.configure(name, os.environ)
        asyncio.run(run_reporting(serve(loaded)))
    except ConfigError as error:
        return print_error(name, error.message, OPERATOR_MUST_ACT)
    except CspsError as error:
        return print_error(name, error.message, FAILED)
    return 0


async def run_reporting(serving: Coroutine[None, None, None]) -> None:
    async with reporting_alive():
        await serving


def stop_event() -> asyncio.Event:
    """Returns an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def print_error(name: str, message: str, code: int) -> int:
    print(f"{error_prefix(name)}{message}", file=sys.stderr)
    return code


def error_prefix(name: str) -> str:
    """Returns the beginning of a process's error line on stderr, by which `csps-llm up` recognizes it."""
    return f"csps-llm {name}: "
