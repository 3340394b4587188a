"""Keeps processes running: starts them, restarts those that end or hang, and stops all of them in order.

Knows neither the purpose of a process nor how events are displayed: it reports them by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.runtime.backoff import RestartBackoff
from core.runtime.process import OPERATOR_MUST_ACT, error_prefix
from core.runtime.process_end import Guard, ProcessEndReason, explain_exit
from core.runtime.ready_signal import ReadySignal

TAIL_LINES = 10
LINE_LIMIT_BYTES = 64 * 1024
LAST_OUTPUT_S = 2.0  # then the rest of the output is dropped: a child of the ended process may keep its stdout open
FAILURES_PER_REPORT = 5


class SupervisorReport(Protocol):
    """Receives the lines that processes print, and the supervisor's own events."""

    def line(self, process: str, content: str) -> None: ...

    def event(self, event: str, process: str, **values: object) -> None: ...


@dataclass(frozen=True)
class Process:
    """One line of the Procfile, ready to run.

    `ours`: at exit code 2 only the operator can help, and the last output is the error (`core.runtime.process`).
    """

    name: str
    command: tuple[str, ...]
    grace_s: float = 10.0  # between SIGTERM and SIGKILL
    guards: tuple[Guard, ...] = ()
    stops_last: bool = False  # stopped after the others, which need it to finish
    ours: bool = False


class Supervisor:
    """`run` returns when all processes have ended: after `stop`, or because one of them can never start."""

    def __init__(
        self,
        processes: Sequence[Process],
        report: SupervisorReport,
        environ: Mapping[str, str],
        folder: Path,
        backoff: Callable[[], RestartBackoff] = RestartBackoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stop_requested = False
        self._stopping = asyncio.Event()
        self._supervised = [
            SupervisedProcess(process, report, environ, folder, backoff(), clock, self._stopping.set)
            for process in processes
        ]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for each in self._supervised:
                tasks.create_task(each.run())
            await self._stopping.wait()
            for stops_last in (False, True):
                async with asyncio.TaskGroup() as stops:
                    for each in self._supervised:
                        if each.process.stops_last is stops_last:
                            stops.create_task(each.stop())

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def mark_ready(self, *names: str) -> None:
        """Records that these processes do their work, when somebody notices it before their guards do."""
        for each in self._supervised:
            if each.process.name in names:
                each.mark_ready()

    @property
    def refusals(self) -> list[str]:
        """The errors of processes that can never start, if they ended the run.

        Each message appears once: several processes may read the same file.
        """
        messages = [] if self._stop_requested else [each.refusal for each in self._supervised if each.refusal]
        return list(dict.fromkeys(messages))

    def stop(self) -> None:
        """Asks all processes to end. A second call kills them."""
        if self._stopping.is_set():
            for each in self._supervised:
                each.kill()
        else:
            self._stop_requested = True
            self._stopping.set()


class ErrorBuffer:
    """Holds back the error that `core.runtime.process.print_error` prints last, when a process cannot start.

    Among the lines of other processes nobody would see it.
    """

    def __init__(self, process: str, tail_lines: int) -> None:
        self._prefix = error_prefix(process)
        self._lines: list[str] = []
        self.tail: deque[str] = deque(maxlen=tail_lines)

    def take(self, line: str) -> bool:
        """Returns whether the line may be displayed now."""
        self.tail.append(line)
        if self._lines or line.startswith(self._prefix):
            self._lines.append(line)
        return not self._lines

    def release(self) -> list[str]:
        """Returns the lines that were held back, and forgets them."""
        lines, self._lines = self._lines, []
        return lines

    def message(self) -> str:
        """Returns the error without its prefix; the last lines if there is no error."""
        return "\n".join(self.release() or self.tail).removeprefix(self._prefix)


class SupervisedProcess:
    """One process over all its restarts. `refuse` is called once if it can never start."""

    def __init__(
        self,
        process: Process,
        report: SupervisorReport,
        environ: Mapping[str, str],
        folder: Path,
        backoff: RestartBackoff,
        clock: Callable[[], float],
        refuse: Callable[[], None],
    ) -> None:
        self.process = process
        self.refusal: str | None = None  # the error of a process that can never start
        self._report = report
        self._environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self._folder = folder
        self._backoff = backoff
        self._clock = clock
        self._refuse = refuse
        self._child: asyncio.subprocess.Process | None = None
        self._error = ErrorBuffer(process.name, TAIL_LINES)
        self._was_ready = False  # at any time since the first start
        self._served = False  # since the latest start
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Starts the process again and again until `stop`."""
        try:
            while not self._stopping.is_set():
                started_at = self._clock()
                why = await self._run_once()
                if self._refused and not self._was_ready:
                    return self._give_up()
                if not self._stopping.is_set():
                    await self._pause(why, self._backoff.after(self._clock() - started_at, served=self._served))
        finally:
            self._show(self._error.release())
            self._ended.set()

    @property
    def _refused(self) -> bool:
        return self.process.ours and self._child is not None and self._child.returncode == OPERATOR_MUST_ACT

    def _give_up(self) -> None:
        self.refusal = self._error.message()
        self._report.event("refused", self.process.name)
        self._refuse()

    def mark_ready(self) -> None:
        self._was_ready = self._served = True

    async def stop(self) -> None:
        """Ends the process: SIGTERM, its grace, SIGKILL."""
        self._stopping.set()
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), self.process.grace_s)
        except TimeoutError:
            self._report.event("overdue", self.process.name, grace_s=self.process.grace_s)
            self.kill()
            await self._ended.wait()

    def kill(self) -> None:
        self._stopping.set()
        if self._child and self._child.returncode is None:
            kill_group(self._child.pid)

    async def _run_once(self) -> str:
        """Runs the process until it ends. Returns the reason."""
        self._child = None
        self._served = False
        with closing(OutputPipe()) as pipe, closing(ReadySignal()) as ready:
            try:
                self._child = child = await self._start(pipe, ready)
            except OSError as exc:
                return ProcessEndReason("not_started", reason=exc.strerror)
            try:
                self._report.event("started", self.process.name, pid=child.pid)
                if self._stopping.is_set():  # `stop` was called during the start
                    self._signal(signal.SIGTERM)
                return await self._watch(child, await pipe.open_reader())
            finally:
                kill_group(child.pid)  # its own children, and itself if this task is cancelled
                if ready.was_sent():
                    self.mark_ready()

    async def _start(self, pipe: OutputPipe, ready: ReadySignal) -> asyncio.subprocess.Process:
        # A process group of its own: Ctrl+C in the terminal reaches only us, and its children can be killed with it.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "core.runtime.die_with_parent", str(os.getpid()), *self.process.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=pipe.sink,
            stderr=pipe.sink,
            process_group=0,
            pass_fds=(ready.fd,),
            env={**self._environ, **ready.environ},
            cwd=self._folder,
        )

    async def _watch(self, child: asyncio.subprocess.Process, output: asyncio.StreamReader) -> str:
        kill_reasons: list[str] = []

        async def guard(watch: Guard) -> None:
            why = await watch(child.pid, self.mark_ready)
            if not self._stopping.is_set():  # a process that drains has its own deadline
                kill_reasons.append(why)
                kill_group(child.pid)

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(output))
            guards = [tasks.create_task(guard(watch)) for watch in self.process.guards]
            code = await child.wait()
            for task in guards:
                task.cancel()
            kill_group(child.pid)
            await asyncio.wait([reading], timeout=LAST_OUTPUT_S)
            reading.cancel()
        return kill_reasons[0] if kill_reasons else explain_exit(code)

    async def _read(self, output: asyncio.StreamReader) -> None:
        async for line in iter_lines(output):
            if self._error.take(line):
                self._show([line])

    def _show(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._report.line(self.process.name, line)

    async def _pause(self, why: str, delay_s: float) -> None:
        name, failures = self.process.name, self._backoff.failures
        if self._refused:  # somebody changed a file while it ran; the other processes may be serving people
            self._report.event("waiting", name, delay_s=delay_s, last_lines=tuple(self._error.message().split("\n")))
        else:
            self._show(self._error.release())
            self._report.event("ended", name, why=why, delay_s=delay_s)
            if failures and failures % FAILURES_PER_REPORT == 0:
                self._report.event("failing", name, times=failures, last_lines=tuple(self._error.tail))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay_s)

    def _signal(self, number: signal.Signals) -> None:
        if self._child and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)


def kill_group(pid: int) -> None:
    """Kills a process and the children that did not leave its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM if only zombies are left
        os.killpg(pid, signal.SIGKILL)


class OutputPipe:
    """A pipe whose `sink` is the stdout and stderr of a process.

    With a pipe of asyncio's, a process would not count as ended while a child of its own holds that pipe open.
    """

    def __init__(self) -> None:
        source, sink = os.pipe()
        self._source = os.fdopen(source, "rb", buffering=0)
        self.sink = os.fdopen(sink, "wb", buffering=0)
        self._transport: asyncio.ReadTransport | None = None

    async def open_reader(self) -> asyncio.StreamReader:
        """Calls it once the process has its copy of the sink: ours is closed, so that the output has an end."""
        self.sink.close()
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._source)
        return reader

    def close(self) -> None:
        self.sink.close()
        (self._transport or self._source).close()


async def iter_lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yields lines. Cuts lines above 64 KiB into parts, for which `readline` would raise."""
    rest = b""
    while chunk := await stream.read(LINE_LIMIT_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) >= LINE_LIMIT_BYTES:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace")
