"""How every process logs: structlog, one event a line, as text or JSON, on stderr.

Owns what may be shown of an exception, and refuses to know what the events mean.

A person's text never reaches a log. Values in frames are not shown, and neither are the messages of exceptions that
others raise: a ValueError or a ValidationError likes to quote what it was given.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from core.errors import CspsError

EVENT_WIDTH = 28


class LogFormat(Protocol):
    """What `configure` needs of `settings.log`."""

    @property
    def level(self) -> str: ...  # debug, info, warning, error

    @property
    def format(self) -> str: ...  # text, json


def configure(settings: LogFormat, process: str, stream: TextIO | None = None) -> None:
    """Set up logging for this process, named `process` in JSON, on stderr unless `stream` is given."""
    stream = stream or sys.stderr
    json = settings.format == "json"
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if json else "%H:%M:%S", utc=True),
    ]
    last: list[Processor] = [structlog.processors.ExceptionRenderer(exception_text), *renderer(json, process, stream)]
    structlog.configure(
        processors=[*before, *last],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    route_libraries(before, last, stream)
    sys.excepthook = log_uncaught
    threading.excepthook = log_uncaught_in_thread


def renderer(json: bool, process: str, stream: TextIO) -> list[Processor]:
    """The last steps: a line of JSON that names its process, or text that people read."""
    if json:

        def name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
            return {**event, "process": process}

        return [name, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    return [one_line, structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=EVENT_WIDTH, sort_keys=False)]


def route_libraries(before: list[Processor], last: list[Processor], stream: TextIO) -> None:
    """Warnings and errors of libraries come out like our own."""
    handler = logging.StreamHandler(stream)
    drop_extra = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[first_line, *before, structlog.stdlib.add_logger_name], processors=[drop_extra, *last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)


def first_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """asyncio puts the task, with its exception's message, in the lines after the first."""
    return {**event, "event": str(event["event"]).split("\n", 1)[0]}


def one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A value cannot forge a second log line, nor steer a terminal."""
    return {
        key: printable(value) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


def printable(text: str) -> str:
    """Control characters, line ends among them, become their escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def exception_text(exc_info: ExcInfo) -> str:
    """Where an exception came from, frame by frame and cause by cause."""
    return "\n".join(describe(exc_info[1]))


def describe(exc: BaseException) -> Iterator[str]:
    cause = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    if cause is not None:
        yield from describe(cause)
        yield "… which led to:"
    yield from "".join(traceback.format_tb(exc.__traceback__)).splitlines()
    kind = type(exc)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    yield f"{name}: {printable(safe_message(exc))}"
    for inner in exc.exceptions if isinstance(exc, BaseExceptionGroup) else ():
        yield from (f"  | {line}" for line in describe(inner))


def safe_message(exc: BaseException) -> str:
    """Our own messages hold no person's text, and the operating system's know none."""
    if isinstance(exc, CspsError):
        return exc.message
    if isinstance(exc, OSError) and exc.strerror:
        return f"[Errno {exc.errno}] {exc.strerror}"
    return "(message withheld: it may quote what a person wrote)"


def log_uncaught(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    """Replaces Python's own last words, which show the message."""
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger().critical("process_failed", exc_info=(kind, exc, trace))


def log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
