"""How far the gateway's events are taken, on disk: a process that comes after this one goes on from there.

Discord delivers a message once, to a session, and forgets it unless that session is resumed with the number of an
event before it. So it is resumed after a restart too: what was said meanwhile is answered, and so is what a killed
process had read and not yet given to the intake. Events that come again are known by their keys.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog

from core.runtime.atomic_files import write_atomically

log = structlog.get_logger()

EVERY_S = 0.5  # the events since are only taken again


@dataclass(frozen=True, slots=True)
class Position:
    """Of a session. `scope`: of which bot, with which intents; another's cannot be resumed."""

    scope: str
    session: str
    sequence: int
    gateway: str


class Bookmark:
    """Events are finished in the order in which they began."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._unfinished: deque[Position | None] = deque()
        self._saved_at = float("-inf")

    def began(self, event: Position | None) -> None:
        self._unfinished.append(event)

    def finished(self) -> None:
        self._unfinished.popleft()

    def save(self, read: Position, *, now: bool = False) -> None:
        """`read`: up to where events were read. Not every time, unless it must be `now`."""
        if not now and self._clock() - self._saved_at < EVERY_S:
            return
        oldest = self._unfinished[0] if self._unfinished else replace(read, sequence=read.sequence + 1)
        if oldest is None or oldest.session != read.session:
            return  # of the session before: until those are taken, the file speaks of that one
        self._saved_at = self._clock()
        self._write(replace(read, sequence=oldest.sequence - 1))

    def load(self, scope: str) -> Position | None:
        try:
            found = Position(**json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # none yet, or cut short: then a new session begins
        return found if found.scope == scope else None

    def _write(self, position: Position) -> None:
        try:
            write_atomically(self._file, json.dumps(asdict(position)).encode())
        except OSError as exc:
            log.warning("bookmark_not_saved", platform="discord", problem=type(exc).__name__)
