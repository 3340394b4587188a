"""Guards that notice a hanging process: it is stopped by a signal, or no longer answers its health check.

A guard is called with a process id. It calls `ready` while the process works, and returns the reason when the process
must be killed. It polls, because no event announces that a process hangs.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import httpcore

from core.runtime.process_end import ProcessEndReason

HealthState = Literal["ready", "answers", "stalled", "silent"]
OK = 200


@dataclass(frozen=True)
class GuardTiming:
    """The intervals and deadlines of the guards, in seconds."""

    interval_s: float = 1.0
    deadline_s: float = 5.0  # of one health check
    silent_s: float = 15.0  # without an answer, after the first one
    start_s: float = 300.0  # until the first answer
    stopped_interval_s: float = 0.4


class HealthProbe(Protocol):
    async def state(self, deadline_s: float) -> HealthState: ...

    async def close(self) -> None: ...


class HttpHealthProbe:
    """Sends GET to `url`, through a Unix socket if one is given, and reads `status` in the JSON answer.

    It keeps one connection from check to check. It uses httpcore, because httpx would set up TLS, which nothing here
    speaks.
    """

    def __init__(self, url: str, socket: Path | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._socket = str(socket) if socket else None
        self._headers = list((headers or {}).items())
        self._pool: httpcore.AsyncConnectionPool | None = None  # belongs to the event loop of the first check

    async def state(self, deadline_s: float) -> HealthState:
        """200 with {"status": "ok"} is "ready". Any other answer is "answers", except {"status": "stalled"}."""
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._get()
        except (httpcore.NetworkError, httpcore.ProtocolError, TimeoutError, OSError):
            return "silent"
        status = parse_status(answer)
        if status == "stalled":
            return "stalled"
        return "ready" if answer.status == OK and status == "ok" else "answers"

    async def close(self) -> None:
        if self._pool:
            await self._pool.aclose()
            self._pool = None

    async def _get(self) -> httpcore.Response:
        self._pool = self._pool or httpcore.AsyncConnectionPool(uds=self._socket)
        return await self._pool.request("GET", self._url, headers=self._headers)


def parse_status(answer: httpcore.Response) -> str:
    """The `status` of a health answer; "" if it has none."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ""
    return str(body.get("status", "")) if isinstance(body, dict) else ""


class HangDetector:
    """Decides from successive health checks whether a process hangs. While it answers, it may load for any time."""

    def __init__(self, timing: GuardTiming, clock: Callable[[], float] = time.monotonic) -> None:
        self._timing = timing
        self._clock = clock
        self._answered_at = clock()
        self._limit_s = timing.start_s

    def check(self, state: HealthState) -> ProcessEndReason | None:
        """Returns the reason if the process hangs."""
        if state == "stalled":
            return ProcessEndReason("stalled")
        if state != "silent":
            self._answered_at, self._limit_s = self._clock(), self._timing.silent_s
        silent_s = self._clock() - self._answered_at
        return ProcessEndReason("silent", seconds=round(silent_s)) if silent_s > self._limit_s else None


class HealthGuard:
    """Guards a process by its health check, and calls `ready` at each check that finds it ready."""

    def __init__(self, health: HealthProbe, timing: GuardTiming | None = None) -> None:
        self._health = health
        self._timing = timing or GuardTiming()

    async def __call__(self, _pid: int, ready: Callable[[], None]) -> str:
        detector = HangDetector(self._timing)
        try:
            while True:
                state = await self._health.state(self._timing.deadline_s)
                if state == "ready":
                    ready()
                if reason := detector.check(state):
                    return reason
                await asyncio.sleep(self._timing.interval_s)
        finally:
            await self._health.close()


class StopSignalGuard:
    """Guards a process against SIGSTOP. The kernel tells it at once, long before a health check times out."""

    def __init__(self, timing: GuardTiming | None = None) -> None:
        self._timing = timing or GuardTiming()

    async def __call__(self, pid: int, _ready: Callable[[], None]) -> str:
        times = 0
        while times < 2:  # twice in a row: a debugger stops a process only for a moment
            await asyncio.sleep(self._timing.stopped_interval_s)
            times = times + 1 if is_stopped(pid) else 0
        return ProcessEndReason("stopped")


def is_stopped(pid: int) -> bool:
    """Tells whether a signal stopped the process; False on systems without /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] == ["T"]
