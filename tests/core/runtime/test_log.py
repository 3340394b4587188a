"""The log: its formats, and the texts that it withholds."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest
import structlog

from core.errors import NotFound
from core.runtime import log

SECRET = "my-health-card-1234"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Restores what `configure` changes in the whole process."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    structlog.reset_defaults()
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)


def configured(form: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    log.configure(SimpleNamespace(format=form, level=level), "web", stream)
    return stream


def fail_with_secrets(prompt: str) -> None:
    """Raises with the prompt in a frame, in a message, in a cause's message and in a group's message."""
    local = {"prompt": prompt}
    try:
        int(local["prompt"])
    except ValueError as exc:
        raise ExceptionGroup(prompt, [KeyError(prompt), OSError(28, "No space left", prompt)]) from exc


def refuse(name: str) -> None:
    raise NotFound(f"no personality named {name}")


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_logged_without_text_of_a_person(form: str) -> None:
    """The log names frames, and shows the operating system's messages but no values and no other messages."""
    stream = configured(form)
    try:
        fail_with_secrets(SECRET)
    except ExceptionGroup:
        structlog.get_logger().exception("request_failed", request="r1")
    shown = stream.getvalue()
    assert SECRET not in shown
    assert "fail_with_secrets" in shown
    assert "ValueError" in shown
    assert "No space left" in shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_logged_by_a_library_shows_no_message(form: str) -> None:
    """The records of libraries pass the same processors."""
    stream = configured(form)
    try:
        fail_with_secrets(SECRET)
    except ExceptionGroup:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    assert "Error handling request" in stream.getvalue()
    assert SECRET not in stream.getvalue()


async def test_an_unawaited_task_shows_no_message() -> None:
    """asyncio writes the exception into the text of its record; only the first line passes."""
    stream = configured("text")

    async def failing() -> None:
        raise ValueError(SECRET)

    task = asyncio.create_task(failing())
    await asyncio.wait([task])
    del task
    gc.collect()
    assert "never retrieved" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_an_uncaught_exception_shows_no_message() -> None:
    """The hook replaces the interpreter's own output."""
    stream = configured("text")
    try:
        fail_with_secrets(SECRET)
    except ExceptionGroup as exc:
        sys.excepthook(type(exc), exc, exc.__traceback__)
    assert "process_failed" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_our_own_errors_keep_their_message_on_one_line() -> None:
    """They hold no text of a person; a name in them cannot forge a line."""
    stream = configured("text")
    try:
        refuse("x\n12:00:00 [info] forged")
    except NotFound:
        structlog.get_logger().exception("refused")
    assert "core.errors.NotFound: no personality named x\\n12:00:00 [info] forged" in stream.getvalue()


def test_a_value_cannot_forge_a_line_or_control_a_terminal() -> None:
    """Control characters are escaped; accented letters and non-breaking spaces stay."""
    stream = configured("text")
    structlog.get_logger().info("fetched", title="été\u00a0:\n\x1b[2Jforged")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()
    assert "été\u00a0:" in stream.getvalue()


def test_json_has_one_object_per_line_that_names_the_process() -> None:
    """An object holds event, level, time in UTC, process and the event's own values."""
    stream = configured("json")
    structlog.get_logger().info("model_ready", duration_s=1.5)
    event = json.loads(stream.getvalue())
    timestamp = event.pop("timestamp")
    assert timestamp.endswith("Z")
    assert event == {"event": "model_ready", "duration_s": 1.5, "level": "info", "process": "web"}


def test_the_level_hides_lower_events() -> None:
    """Events below the level are dropped; libraries log warnings and errors only."""
    stream = configured("text", level="debug")
    logging.getLogger("httpx").info("GET /gpt/whisper?prompt=secret")
    structlog.get_logger().debug("shown")
    assert "shown" in stream.getvalue()
    assert "prompt" not in stream.getvalue()
    stream = configured("text", level="warning")
    structlog.get_logger().info("hidden")
    assert stream.getvalue() == ""


def test_a_repeated_event_is_logged_once_per_interval() -> None:
    """A reset makes the next one due."""
    times = iter([0.0, 59.0, 60.0, 61.0, 62.0])
    interval = log.LogInterval(60.0, lambda: next(times))
    assert [interval.is_due() for _ in range(4)] == [True, False, True, False]
    interval.reset()

    assert interval.is_due()


def test_a_full_disk_under_the_log_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is lost; the code that logs it goes on."""
    with open("/dev/full", "w", encoding="utf-8", buffering=1) as full:  # noqa: PTH123 - a device
        monkeypatch.setattr(sys, "stderr", full)
        log.configure(SimpleNamespace(format="json", level="info"), "web")
        structlog.get_logger().info("request", status=200)
        logging.getLogger("library").warning("words")
        monkeypatch.undo()
        with suppress(OSError):
            full.close()
