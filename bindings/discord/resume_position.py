"""Stores on disk how far the gateway's events are handled, so that the next process can resume the session.

Discord sends an event again only to a client that resumes the session from an earlier sequence number. After a restart,
the bot therefore resumes. It then receives the events sent meanwhile, and those that a killed process had read
but not given to the intake. The intake recognises repeated events by their keys.
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

SAVE_INTERVAL_S = 0.5  # after a crash, the events of this interval come again


@dataclass(frozen=True, slots=True)
class GatewayPosition:
    """A sequence number in a session. The field names are the stored form."""

    scope: str  # the bot and its intents: a session with others cannot be resumed
    session: str
    sequence: int
    gateway: str


class ResumePosition:
    """The position before the oldest event in progress. Events finish in the order in which they started."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._in_progress: deque[GatewayPosition | None] = deque()
        self._saved_at = float("-inf")

    def start_event(self, position: GatewayPosition | None) -> None:
        self._in_progress.append(position)

    def finish_event(self) -> None:
        self._in_progress.popleft()

    def save(self, latest: GatewayPosition, *, now: bool = False) -> None:
        """Saves at most once per SAVE_INTERVAL_S, unless `now`. `latest` is the last event that was read."""
        if not now and self._clock() - self._saved_at < SAVE_INTERVAL_S:
            return
        oldest = self._in_progress[0] if self._in_progress else replace(latest, sequence=latest.sequence + 1)
        if oldest is None or oldest.session != latest.session:
            return  # events of the previous session are in progress, so the file keeps that session
        self._saved_at = self._clock()
        self._write(replace(latest, sequence=oldest.sequence - 1))

    def load(self, scope: str) -> GatewayPosition | None:
        """None: no usable file, so a new session begins."""
        try:
            position = GatewayPosition(**json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return position if position.scope == scope else None

    def _write(self, position: GatewayPosition) -> None:
        try:
            write_atomically(self._file, json.dumps(asdict(position)).encode())
        except OSError as exc:
            log.warning("resume_position_save_failed", platform="discord", problem=type(exc).__name__)
