"""One worker from its start to its end: a child process that loads one model. Knows nothing of other models."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp

from core import PROJECT_ROOT
from core.model.host.spare_worker import SpareWorker
from core.model.worker.announcements import WorkerFailed, WorkerReady, parse_announcement
from core.model.worker.options import WorkerOptions
from core.runtime.hang_guards import GuardTiming, HealthGuard, HttpHealthProbe, StopSignalGuard
from core.runtime.process_end import Guard, explain_exit

STOP_MARGIN_S = 5.0  # to end after the last answer
ANNOUNCEMENT_LIMIT_BYTES = 2**20

Child = asyncio.subprocess.Process | SpareWorker


@dataclass(frozen=True, slots=True)
class WorkerEnd:
    """The end of a worker. `failure`: its own message that it cannot load the model."""

    reason: str
    ran_s: float
    failure: WorkerFailed | None = None

    def without_folder(self, folder: Path) -> WorkerEnd:
        """Names files in `folder` by their names alone."""
        if self.failure is None:
            return self
        message = self.failure.message.replace(f"{folder}{os.sep}", "")
        return replace(self, failure=replace(self.failure, message=message))


class WorkerGone(aiohttp.ClientError):
    """The worker has ended, and got nothing of a request."""


class WorkerProcess:
    """`run` once. `http` reaches the worker; `ready` is its announcement, None while it loads.

    `spare`: a process that is used instead of a new one.
    """

    def __init__(
        self, options: WorkerOptions, spare: SpareWorker | None = None, timing: GuardTiming | None = None
    ) -> None:
        self.options = options
        self._spare = spare
        self.ready: WorkerReady | None = None
        self._timing = timing or GuardTiming()
        self._child: Child | None = None
        self._failure: WorkerFailed | None = None
        self._stopping = False
        self._ended = asyncio.Event()
        self._http: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def http(self) -> aiohttp.ClientSession:
        """Raises WorkerGone if the process has ended."""
        if self._ended.is_set():
            raise WorkerGone
        if self._http is None:
            connector = aiohttp.UnixConnector(self.options.socket, limit=0)
            self._http = aiohttp.ClientSession("http://worker", connector=connector, timeout=aiohttp.ClientTimeout())
        return self._http

    async def run(self, became_ready: Callable[[], None]) -> WorkerEnd:
        """Starts the process and returns when it has ended. Raises OSError if it cannot be started."""
        started = time.monotonic()
        try:
            self._child = child = await self._start()
            try:
                if self._stopping:
                    child.send_signal(signal.SIGTERM)
                reason = await self._watch(child, became_ready)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
            return WorkerEnd(reason, time.monotonic() - started, self._failure)
        finally:
            self._ended.set()
            remove_socket(self.options.socket)
            if self._http:
                await self._http.close()

    async def stop(self) -> None:
        """Ends the worker: SIGTERM, the time for its running answers, SIGKILL."""
        self._stopping = True
        if self._child and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), self.options.drain_s + STOP_MARGIN_S)
        except TimeoutError:
            if self._child:
                with contextlib.suppress(ProcessLookupError):
                    self._child.kill()
            await self._ended.wait()

    async def _start(self) -> Child:
        if self._spare:
            self._spare.begin(self.options.to_json())
            return self._spare
        # The worker stays in our process group, which `csps-llm up` kills as a whole.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "core.model.worker", self.options.to_json(), str(os.getpid())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT_ROOT,
            limit=ANNOUNCEMENT_LIMIT_BYTES,
        )

    async def _watch(self, child: Child, became_ready: Callable[[], None]) -> str:
        """Returns the reason of the process's end, which may be a guard's."""
        kill_reasons: list[str] = []

        async def guard(watch: Guard) -> None:
            reason = await watch(child.pid, lambda: None)
            if not self._stopping:  # a process that drains has its own deadline
                kill_reasons.append(reason)
                child.kill()

        async with asyncio.TaskGroup() as tasks:
            watching = [tasks.create_task(guard(watch)) for watch in self._guards()]
            await self._read_announcements(child, became_ready)
            code = await child.wait()
            for task in watching:
                task.cancel()
        return kill_reasons[0] if kill_reasons else explain_exit(code)

    def _guards(self) -> Sequence[Guard]:
        probe = HttpHealthProbe("http://worker/health", Path(self.options.socket))
        return StopSignalGuard(self._timing), HealthGuard(probe, self._timing)

    async def _read_announcements(self, child: Child, became_ready: Callable[[], None]) -> None:
        """Returns when the process closes its end, which it does at its exit."""
        async for line in lines_of(child):
            match parse_announcement(line):
                case WorkerReady() as ready:
                    self.ready = ready
                    became_ready()
                case WorkerFailed() as failed:
                    self._failure = failed


def lines_of(child: Child) -> AsyncIterator[bytes]:
    if isinstance(child, SpareWorker):
        return child.lines(ANNOUNCEMENT_LIMIT_BYTES)
    assert child.stdout is not None
    return child.stdout


def remove_socket(path: str) -> None:
    Path(path).unlink(missing_ok=True)
