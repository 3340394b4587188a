"""Keeps processes running: starts them, restarts what dies or hangs, stops all of them in order.

Knows nothing of what the processes do, nor how what happens is shown: it reports events by name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.cli.output import Output, lines_of
from core.runtime.backoff import NO_JITTER, Backoff
from core.runtime.process import OPERATOR_MUST_ACT, error_prefix

TAIL_LINES = 10
LAST_WORDS_S = 2.0  # for output that a grandchild still holds open
FAILURES_TO_SHOW = 5

# Watches a process id, calls the second argument when that process is ready for work, and returns, with the reason,
# when it must be killed.
Guard = Callable[[int, Callable[[], None]], Awaitable[str]]


class Report(Protocol):
    """Where events go. A line is what a process printed; everything else is ours."""

    def line(self, process: str, text: str) -> None: ...

    def event(self, event: str, process: str, **values: object) -> None: ...


@dataclass(frozen=True)
class Process:
    """One line of the Procfile, ready to run."""

    name: str
    command: tuple[str, ...]
    grace_s: float = 10.0  # between SIGTERM and SIGKILL
    guards: tuple[Guard, ...] = ()
    last: bool = False  # stopped when the others have ended, because they need it to finish
    ours: bool = (
        False  # it ends as `core.runtime.process` says: by 2 where a restart mends nothing, and why in its last words
    )


class RestartBackoff:
    """The pause before the next start. A life of `healthy_s` resets the count of failures."""

    def __init__(self, first_s: float = 0.5, limit_s: float = 30.0, healthy_s: float = 60.0) -> None:
        self._backoff = Backoff(first_s, limit_s, NO_JITTER)
        self._healthy_s = healthy_s
        self.failures = 0  # in a row

    def after(self, lived_s: float) -> float:
        """Returns the pause in seconds after a process that lived for `lived_s`."""
        self.failures = 1 if lived_s >= self._healthy_s else self.failures + 1
        return self._backoff.pause_s(self.failures)


class Supervisor:
    """`run` returns when `stop` was asked for, or a process can never start, and nothing is left."""

    def __init__(
        self,
        processes: Sequence[Process],
        report: Report,
        environ: Mapping[str, str],
        folder: Path,
        backoff: Callable[[], RestartBackoff] = RestartBackoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asked = False
        self._stopping = asyncio.Event()
        self._kept = [
            Kept(process, report, environ, folder, backoff(), clock, self._stopping.set) for process in processes
        ]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for kept in self._kept:
                tasks.create_task(kept.keep())
            await self._stopping.wait()
            for last in (False, True):
                async with asyncio.TaskGroup() as ends:
                    for kept in self._kept:
                        if kept.process.last is last:
                            ends.create_task(kept.stop())

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def saw_ready(self, *names: str) -> None:
        """These processes do their work: somebody noticed it before their guards did."""
        for kept in self._kept:
            if kept.process.name in names:
                kept.saw_ready()

    @property
    def refusals(self) -> list[str]:
        """What processes said that can never start, if that is why all was stopped; each message once, for several
        processes may read the same file."""
        return [] if self._asked else list(dict.fromkeys(kept.refusal for kept in self._kept if kept.refusal))

    def stop(self) -> None:
        """Ask all to end, as they wish to; asked again, kill them."""
        if self._stopping.is_set():
            for kept in self._kept:
                kept.kill()
        else:
            self._asked = True
            self._stopping.set()


class LastWords:
    """Holds back a process's last words on why it cannot start (`core.runtime.process.print_error`), for whoever is to
    show that: in the middle of the others' lines it would be missed."""

    def __init__(self, process: str, tail_lines: int) -> None:
        self._opening = error_prefix(process)
        self._held: list[str] = []
        self.tail: deque[str] = deque(maxlen=tail_lines)

    def take(self, line: str) -> bool:
        """Whether to show the line now."""
        self.tail.append(line)
        if self._held or line.startswith(self._opening):
            self._held.append(line)
        return not self._held

    def release(self) -> list[str]:
        """What was held back."""
        held, self._held = self._held, []
        return held

    def message(self) -> str:
        """What was held back, as a message; all of the tail if that is nothing."""
        return "\n".join(self.release() or self.tail).removeprefix(self._opening)


class Kept:
    """One process, over all its lives. `refuse` is called once if it can never start."""

    def __init__(
        self,
        process: Process,
        report: Report,
        environ: Mapping[str, str],
        folder: Path,
        backoff: RestartBackoff,
        clock: Callable[[], float],
        refuse: Callable[[], None],
    ) -> None:
        self.process = process
        self.refusal: str | None = None  # what it said
        self._report = report
        self._environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self._folder = folder
        self._backoff = backoff
        self._clock = clock
        self._refuse = refuse
        self._child: asyncio.subprocess.Process | None = None
        self._words = LastWords(process.name, TAIL_LINES)
        self._was_ready = False  # in any life
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()

    async def keep(self) -> None:
        """Run it until `stop`, again and again."""
        try:
            while not self._stopping.is_set():
                began = self._clock()
                why = await self._live()
                if self._refused and not self._was_ready:
                    return self._give_up()
                if not self._stopping.is_set():
                    await self._pause(why, self._backoff.after(self._clock() - began))
        finally:
            self._show(self._words.release())
            self._ended.set()

    @property
    def _refused(self) -> bool:
        return self.process.ours and self._child is not None and self._child.returncode == OPERATOR_MUST_ACT

    def _give_up(self) -> None:
        self.refusal = self._words.message()
        self._report.event("refused", self.process.name)
        self._refuse()

    def saw_ready(self) -> None:
        self._was_ready = True

    async def stop(self) -> None:
        """End it: SIGTERM, its grace, SIGKILL."""
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

    async def _live(self) -> str:
        """One life. Returns why it ended."""
        self._child = None
        with closing(Output()) as output:
            try:
                self._child = child = await self._start(output)
            except OSError as exc:
                return f"it could not be started: {exc.strerror}"
            try:
                self._report.event("started", self.process.name, pid=child.pid)
                if self._stopping.is_set():  # asked for while it was being started
                    self._signal(signal.SIGTERM)
                return await self._watch(child, await output.reader())
            finally:
                kill_group(child.pid)  # and what it started itself, and itself if we are cancelled

    async def _start(self, output: Output) -> asyncio.subprocess.Process:
        # A group of its own: Ctrl-C in the terminal reaches us alone, and what it starts can be ended with it.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "core.runtime.die_with_parent", str(os.getpid()), *self.process.command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output.sink,
            stderr=output.sink,
            process_group=0,
            env=self._environ,
            cwd=self._folder,
        )

    async def _watch(self, child: asyncio.subprocess.Process, printed: asyncio.StreamReader) -> str:
        hung: list[str] = []

        async def guard(watch: Guard) -> None:
            why = await watch(child.pid, self.saw_ready)
            if not self._stopping.is_set():  # who drains has its own deadline
                hung.append(why)
                kill_group(child.pid)

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(printed))
            guards = [tasks.create_task(guard(watch)) for watch in self.process.guards]
            code = await child.wait()
            for watching in guards:
                watching.cancel()
            kill_group(child.pid)
            await asyncio.wait([reading], timeout=LAST_WORDS_S)
            reading.cancel()
        return hung[0] if hung else in_words(code)

    async def _read(self, printed: asyncio.StreamReader) -> None:
        async for line in lines_of(printed):
            if self._words.take(line):
                self._show([line])

    def _show(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._report.line(self.process.name, line)

    async def _pause(self, why: str, delay_s: float) -> None:
        name, failures = self.process.name, self._backoff.failures
        if self._refused:  # by what somebody changed while it ran: others may be talking to us just now
            self._report.event("waiting", name, delay_s=delay_s, last_lines=tuple(self._words.message().split("\n")))
        else:
            self._show(self._words.release())
            self._report.event("ended", name, why=why, delay_s=delay_s)
            if failures % FAILURES_TO_SHOW == 0:
                self._report.event("failing", name, times=failures, last_lines=tuple(self._words.tail))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay_s)

    def _signal(self, number: signal.Signals) -> None:
        if self._child and self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)


def kill_group(pid: int) -> None:
    """A process and all that it started and did not move elsewhere."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says EPERM where only zombies are left
        os.killpg(pid, signal.SIGKILL)


def in_words(code: int) -> str:
    """ "exit code 1", or "SIGKILL" for the -9 of a process that a signal ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
