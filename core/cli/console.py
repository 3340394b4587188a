"""The one readable log of `csps-llm up`: lines of many processes, each with its process's name.

A terminal that is paused or gone must not stop the service, so a thread of its own writes, and drops what it cannot.
Knows nothing of what the lines mean.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

WAITING_LINES = 10_000
CLOSE_S = 2.0
BOLD = 1
COLOURS = (34, 36, 35, 33, 32)  # blue, cyan, magenta, yellow, green
OWN_NAME = "up"


class Console:
    """Writes `model │ …` in text mode; in JSON mode one object a line, as the processes themselves do."""

    def __init__(self, stream: TextIO, names: Sequence[str], *, as_json: bool, colour: bool) -> None:
        self._stream = stream
        self._json = as_json
        self._prefixes = prefixes((OWN_NAME, *names), colour)
        self._lines: queue.Queue[str | None] = queue.Queue(WAITING_LINES)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def line(self, process: str, text: str) -> None:
        """A line that a process printed."""
        shown = plain(text)
        self._put(as_object(process, shown) if self._json else f"{self._prefixes[process]}{shown}")

    def tell(self, event: str, text: str, **values: object) -> None:
        """Something that we have to say ourselves: `text` for people, `event` and `values` for programs."""
        if self._json:
            self._put(json_line({"level": "info", **values, "event": event, "process": OWN_NAME}))
        else:
            for line in text.split("\n"):
                self._put(f"{self._prefixes[OWN_NAME]}{plain(line)}")

    def close(self) -> None:
        """Write what is left, if the terminal takes it."""
        try:
            self._lines.put(None, timeout=CLOSE_S)
        except queue.Full:
            return  # a paused terminal: the thread ends with the process
        self._writer.join(CLOSE_S)

    def _put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._dropped:
                line, self._dropped = f"{line}\n… {self._dropped} lines were not shown", 0
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except OSError:
                silence(self._stream)


def silence(stream: TextIO) -> None:
    """Nobody reads any more, and the service goes on: from here on, lines go nowhere."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - os.devnull is a name, not a path to join
        os.dup2(nowhere.fileno(), stream.fileno())


def prefixes(names: Sequence[str], colour: bool) -> Mapping[str, str]:
    width = max(map(len, names))
    plain_ones = {name: f"{name:<{width}} │ " for name in names}
    if not colour:
        return plain_ones
    return {
        name: f"\x1b[{COLOURS[place % len(COLOURS)] if place else BOLD}m{prefix}\x1b[0m"
        for place, (name, prefix) in enumerate(plain_ones.items())
    }


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """On a terminal, unless https://no-color.org/ is asked for."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def plain(text: str) -> str:
    """Without control characters: what a process repeats must not steer the terminal."""
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def as_object(process: str, text: str) -> str:
    """A process's own JSON stays as it is; what is none (a traceback of the interpreter) becomes some."""
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    return text if is_object else json_line({"event": "output", "line": text, "process": process})


def json_line(values: Mapping[str, object]) -> str:
    stamped = {**values, "timestamp": datetime.now(UTC).isoformat()}
    return json.dumps(stamped, ensure_ascii=False, default=str)
