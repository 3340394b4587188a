"""Notices that a process hangs: stopped by a signal, or no longer answering its health check.

A guard is called with a process id and returns, with the reason, when that process must be killed. It polls, because
nothing announces that a process does nothing. Until then it tells when the process does its work.
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

State = Literal["ready", "answers", "stalled", "silent"]
OK = 200


@dataclass(frozen=True)
class Limits:
    interval_s: float = 1.0
    deadline_s: float = 5.0  # of one check
    silent_s: float = 15.0  # without an answer, once it has answered
    start_s: float = 300.0  # until it answers for the first time
    stopped_interval_s: float = 0.4


class Health(Protocol):
    async def state(self, deadline_s: float) -> State: ...

    async def close(self) -> None: ...


class HttpHealth:
    """GET `url`, through the Unix socket `socket` where one is given. The `status` in its JSON says how it is.

    One connection is kept from check to check. It is httpcore's: httpx would set up TLS, which nothing here speaks.
    """

    def __init__(self, url: str, socket: Path | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._socket = str(socket) if socket else None
        self._headers = list((headers or {}).items())
        self._pool: httpcore.AsyncConnectionPool | None = None  # of the event loop that first asks

    async def state(self, deadline_s: float) -> State:
        """200 with {"status": "ok"} is ready; whatever else is answered is an answer, but for "stalled"."""
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._get()
        except (httpcore.NetworkError, httpcore.ProtocolError, TimeoutError, OSError):
            return "silent"
        status = status_of(answer)
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


def status_of(answer: httpcore.Response) -> str:
    """The `status` of a health answer; "" where there is none."""
    try:
        body = json.loads(answer.content)
    except ValueError:
        return ""
    return str(body.get("status", "")) if isinstance(body, dict) else ""


class Silence:
    """Decides from one health check after the other. Loading takes as long as it takes, while it answers."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._heard_at = clock()
        self._allowed_s = limits.start_s

    def see(self, state: State) -> str | None:
        """Why the process hangs, or None."""
        if state == "stalled":
            return "it says that it is stalled"
        if state != "silent":
            self._heard_at, self._allowed_s = self._clock(), self._limits.silent_s
        silent_s = self._clock() - self._heard_at
        return f"it did not answer for {silent_s:.0f} s" if silent_s > self._allowed_s else None


class Answers:
    """Guards a process by its health check, and calls `ready` whenever that says that all is well."""

    def __init__(self, health: Health, limits: Limits | None = None) -> None:
        self._health = health
        self._limits = limits or Limits()

    async def __call__(self, _pid: int, ready: Callable[[], None]) -> str:
        silence = Silence(self._limits)
        try:
            while True:
                state = await self._health.state(self._limits.deadline_s)
                if state == "ready":
                    ready()
                if reason := silence.see(state):
                    return reason
                await asyncio.sleep(self._limits.interval_s)
        finally:
            await self._health.close()


class Runs:
    """Guards a process against SIGSTOP, which the kernel tells at once where a health check would take its time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    async def __call__(self, pid: int, _ready: Callable[[], None]) -> str:
        seen = 0
        while seen < 2:  # twice in a row: a debugger that only looks is gone by then
            await asyncio.sleep(self._limits.stopped_interval_s)
            seen = seen + 1 if stopped(pid) else 0
        return "it was stopped (SIGSTOP)"


def stopped(pid: int) -> bool:
    """Whether the kernel says so; False where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] == ["T"]
