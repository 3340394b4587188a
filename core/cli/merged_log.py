"""The merged log of `csps-llm up`: the lines of all its processes, each with the name of its process.

A paused or closed terminal must not stop the service. So a thread writes the lines, and lines that it cannot write in
time are dropped. Knows nothing of the lines' meaning.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from core.contract import Language
from core.runtime.log import is_displayable
from core.texts import text

QUEUE_LIMIT_LINES = 10_000
CLOSE_S = 2.0
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
BOLD = 1
COLOURS = (34, 36, 35, 33, 32)  # blue, cyan, magenta, yellow, green
OWN_NAME = "up"
CLEAR_LINE = "\r\x1b[2K"


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The text below the log; an empty one removes it."""

    text: str


class MergedLog:
    """Writes `model │ …` in text mode. In JSON mode it writes one object per line, as the processes do."""

    def __init__(
        self,
        stream: TextIO,
        names: Sequence[str],
        language: Language,
        *,
        as_json: bool,
        colour: bool,
        live: bool = False,
    ) -> None:
        """`live`: the stream is a terminal that can redraw its last line."""
        self._stream = stream
        self._language = language
        self._json = as_json
        self.has_status_line = live and not as_json
        self._status = ""
        self._prefixes = build_prefixes((OWN_NAME, *names), colour)
        self._lines: queue.Queue[str | StatusLine | None] = queue.Queue(QUEUE_LIMIT_LINES)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="merged-log", daemon=True)
        self._writer.start()

    def write_line(self, process: str, line: str) -> None:
        """Writes a line that a process printed."""
        printable = replace_controls(line)
        self._put(to_json_line(process, printable) if self._json else f"{self._prefixes[process]}{printable}")

    def write_event(self, event: str, message: str, **values: object) -> None:
        """Writes an event of `up`: `message` in text mode, `event` and `values` in JSON mode."""
        if self._json:
            self._put(format_json({"level": "info", **values, "event": event, "process": OWN_NAME}))
        else:
            for line in message.split("\n"):
                self._put(f"{self._prefixes[OWN_NAME]}{replace_controls(line)}")

    def show_status(self, line: str | None) -> None:
        """Keeps `line` below the log until the next call; None removes it. Does nothing without a status line."""
        if self.has_status_line:
            self._put(StatusLine(replace_controls(line or "")))

    def close(self) -> None:
        """Waits up to 2 s until the queued lines are written."""
        try:
            self._lines.put(None, timeout=CLOSE_S)
        except queue.Full:
            return  # a paused terminal: the thread ends with the process
        self._writer.join(CLOSE_S)

    def _put(self, line: str | StatusLine) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(self._compose(line))
                self._stream.flush()
            except OSError as exc:
                if exc.errno in FULL_DISK:  # of a file; the log goes on once there is room
                    self._dropped += 1
                else:
                    redirect_to_null(self._stream)

    def _compose(self, line: str | StatusLine) -> str:
        """Returns what to write: the line, and the status below it again."""
        clear = CLEAR_LINE if self._status else ""
        if isinstance(line, StatusLine):
            self._status = line.text[: shutil.get_terminal_size().columns - 1]
            return f"{clear}{self._status}"
        if self._dropped:
            count, self._dropped = self._dropped, 0
            line = f"{line}\n{text('cli-log-dropped', self._language, count=count)}"
        return f"{clear}{line}\n{self._status}"


def redirect_to_null(stream: TextIO) -> None:
    """Discards all further output: the terminal is closed, and the service goes on."""
    with open(os.devnull, "w", encoding="utf-8") as null:  # noqa: PTH123 - os.devnull is a name, not a path to join
        os.dup2(null.fileno(), stream.fileno())


def build_prefixes(names: Sequence[str], colour: bool) -> Mapping[str, str]:
    width = max(map(len, names))
    prefixes = {name: f"{name:<{width}} │ " for name in names}
    if not colour:
        return prefixes
    return {
        name: f"\x1b[{COLOURS[place % len(COLOURS)] if place else BOLD}m{prefix}\x1b[0m"
        for place, (name, prefix) in enumerate(prefixes.items())
    }


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True on a terminal, unless NO_COLOR is set (https://no-color.org/)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def is_live(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tells whether the stream is a terminal that can redraw a line."""
    return stream.isatty() and environ.get("TERM") != "dumb"


def replace_controls(line: str) -> str:
    """Replaces control characters: the output of a process must not steer the terminal."""
    return "".join(char if is_displayable(char) or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line)


def to_json_line(process: str, line: str) -> str:
    """Returns a process's JSON object as it is, and wraps any other line, such as a traceback, into one."""
    try:
        is_object = isinstance(json.loads(line), dict)
    except ValueError:
        is_object = False
    return line if is_object else format_json({"event": "output", "line": line, "process": process})


def format_json(values: Mapping[str, object]) -> str:
    stamped = {**values, "timestamp": datetime.now(UTC).isoformat()}
    return json.dumps(stamped, ensure_ascii=False, default=str)
