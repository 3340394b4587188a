"""Logging of every process: structlog, one event per line, as text or JSON, on stderr.

Owns how an exception is logged. Knows nothing of the meaning of the events.

A person's text never reaches a log. A logged exception shows no values of its frames. It shows its message only if this
project or the operating system wrote it, because a ValueError or a ValidationError often quotes its input.
"""

from __future__ import annotations

import io
import logging
import math
import sys
import threading
import time
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from core.configuration.setting_sections import LogSettings
from core.errors import CspsError

EVENT_WIDTH = 28


class LogInterval:
    """Limits a repeated event to one line per `interval_s`."""

    def __init__(self, interval_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._logged_at = -math.inf

    def is_due(self) -> bool:
        """Tells whether to log the event now, and starts the next interval if so."""
        now = self._clock()
        if now - self._logged_at < self._interval_s:
            return False
        self._logged_at = now
        return True

    def reset(self) -> None:
        """Makes the next event due at once."""
        self._logged_at = -math.inf


class UnfailingStream(io.TextIOBase):
    """A stream whose failure reaches nobody who logs: a full disk under the log must not fail a request."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


def configure(settings: LogSettings, process: str, stream: TextIO | None = None) -> None:
    """Sets up logging for this process, on stderr by default. `process` is its name in JSON events."""
    stream = stream or cast(TextIO, UnfailingStream(sys.stderr))
    json = settings.format == "json"
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S", utc=True),
    ]
    final: list[Processor] = [
        structlog.processors.ExceptionRenderer(format_exception),
        *build_renderers(json, process, stream),
    ]
    structlog.configure(
        processors=[*common, *final],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    route_libraries(common, final, stream)
    sys.excepthook = log_uncaught
    threading.excepthook = log_uncaught_in_thread


def build_renderers(json: bool, process: str, stream: TextIO) -> list[Processor]:
    """Returns the last processors: for a line of JSON that names its process, or for text."""
    if json:

        def add_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
            return {**event, "process": process}

        return [add_process, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    return [
        escape_values,
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=EVENT_WIDTH, sort_keys=False),
    ]


def route_libraries(common: list[Processor], final: list[Processor], stream: TextIO) -> None:
    """Renders the warnings and errors of libraries like our own events."""
    handler = logging.StreamHandler(stream)
    drop_extra = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[keep_first_line, *common, structlog.stdlib.add_logger_name],
            processors=[drop_extra, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def keep_first_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Drops the lines after the first, where asyncio puts the task with the message of its exception."""
    return {**event, "event": str(event["event"]).split("\n", 1)[0]}


def escape_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escapes control characters, so that no value forges a log line or controls a terminal."""
    return {
        key: escape_control(value) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


def escape_control(text: str) -> str:
    """Replaces control characters, line ends included, by their escapes."""
    return "".join(char if is_displayable(char) else repr(char)[1:-1] for char in text)


def is_displayable(char: str) -> bool:
    """True for a character that shows something or is a space of any width; `str.isprintable` excludes U+00A0."""
    return char.isprintable() or unicodedata.category(char) == "Zs"


def format_exception(exc_info: ExcInfo) -> str:
    """Formats the frames of an exception and of its causes."""
    return "\n".join(format_lines(exc_info[1]))


def format_lines(exc: BaseException) -> Iterator[str]:
    cause = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    if cause is not None:
        yield from format_lines(cause)
        yield "… which led to:"
    yield from "".join(traceback.format_tb(exc.__traceback__)).splitlines()
    kind = type(exc)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    yield f"{name}: {escape_control(safe_message(exc))}"
    for inner in exc.exceptions if isinstance(exc, BaseExceptionGroup) else ():
        yield from (f"  | {line}" for line in format_lines(inner))


def safe_message(exc: BaseException) -> str:
    """Returns the message of an error of this project or of the operating system: neither holds a person's text."""
    if isinstance(exc, CspsError):
        return exc.message
    if isinstance(exc, OSError) and exc.strerror:
        return f"[Errno {exc.errno}] {exc.strerror}"
    return "(message withheld: it may quote what a person wrote)"


def log_uncaught(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    """Replaces Python's own hook, which prints the message of the exception."""
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("process_failed", exc_info=(kind, exc, trace))


def log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
