"""What a log shows, and what it never shows."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import structlog

from core.errors import NotFound
from core.runtime import log

SECRET = "my-health-card-1234"


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """`configure` is for a whole process; a test gives it back."""
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
    """The prompt is in a frame, in a message, in a cause's message and in a group's."""
    remembered = {"prompt": prompt}
    try:
        int(remembered["prompt"])
    except ValueError as exc:
        raise ExceptionGroup(prompt, [KeyError(prompt), OSError(28, "No space left", prompt)]) from exc


def refuse(name: str) -> None:
    raise NotFound(f"no personality named {name}")


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_shows_where_it_came_from_and_nothing_that_a_person_wrote(form: str) -> None:
    """Frames are named, values and foreign messages are not shown; those of the operating system are."""
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
def test_what_libraries_log_is_held_to_the_same(form: str) -> None:
    """An exception that a library logs shows no message either."""
    stream = configured(form)
    try:
        fail_with_secrets(SECRET)
    except ExceptionGroup:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    assert "Error handling request" in stream.getvalue()
    assert SECRET not in stream.getvalue()


async def test_a_task_that_nobody_awaited_shows_no_message() -> None:
    """asyncio writes the exception into the text of its own record: only the first line passes."""
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
    """The interpreter's last words are replaced."""
    stream = configured("text")
    try:
        fail_with_secrets(SECRET)
    except ExceptionGroup as exc:
        sys.excepthook(type(exc), exc, exc.__traceback__)
    assert "process_failed" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_our_own_errors_keep_their_message_on_one_line() -> None:
    """They are written for a developer and hold no person's text; a name in them cannot forge a line."""
    stream = configured("text")
    try:
        refuse("x\n12:00:00 [info] forged")
    except NotFound:
        structlog.get_logger().exception("refused")
    assert "core.errors.NotFound: no personality named x\\n12:00:00 [info] forged" in stream.getvalue()


def test_a_value_cannot_forge_a_line_or_steer_a_terminal() -> None:
    """Control characters become their escapes; French stays French."""
    stream = configured("text")
    structlog.get_logger().info("fetched", title="été\n\x1b[2Jforged")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()
    assert "été" in stream.getvalue()


def test_json_has_one_object_a_line_that_names_the_process() -> None:
    """For programs: event, level, time in UTC, process and the event's own values."""
    stream = configured("json")
    structlog.get_logger().info("model_ready", took_s=1.5)
    event = json.loads(stream.getvalue())
    timestamp = event.pop("timestamp")
    assert timestamp.endswith("Z")
    assert event == {"event": "model_ready", "took_s": 1.5, "level": "info", "process": "web"}


def test_levels() -> None:
    """Below the level nothing is shown; of libraries, never less than warnings."""
    stream = configured("text", level="debug")
    logging.getLogger("httpx").info("GET /gpt/whisper?prompt=secret")
    structlog.get_logger().debug("shown")
    assert "shown" in stream.getvalue()
    assert "prompt" not in stream.getvalue()
    stream = configured("text", level="warning")
    structlog.get_logger().info("hidden")
    assert stream.getvalue() == ""
