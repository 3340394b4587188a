"""The supervisor with real processes: small scripts that print what happens to them.

The supervisor reports each printed line. Tests wait for such lines, not for time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from bindings.selftest.changes import Changes
from core import PROJECT_ROOT
from core.cli.supervisor import Process, Supervisor, iter_lines
from core.runtime.backoff import RestartBackoff
from core.runtime.process_end import ProcessEndReason, explain_exit

SERVE = "import os, time\nprint('pid', os.getpid())\nwhile True: time.sleep(60)"
DEAF = "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('pid', os.getpid())\n"
DEAF += "while True: time.sleep(60)"
POLITE = """
import os, signal, sys, time
def leave(*_):
    print('leaving')
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print('pid', os.getpid())
while True: time.sleep(60)
"""


class FakeReport(Changes):
    """A report with which tests wait for lines and events."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []
        self.events: list[tuple[str, str, dict[str, object]]] = []

    def line(self, process: str, content: str) -> None:
        self.lines.append((process, content))
        self.notify()

    def event(self, event: str, process: str, **values: object) -> None:
        self.events.append((event, process, values))
        self.notify()

    def pids(self, process: str) -> list[int]:
        return [int(text.split()[1]) for name, text in self.lines if name == process and text.startswith("pid ")]

    def named(self, event: str) -> list[dict[str, object]]:
        return [values for name, _, values in self.events if name == event]


def python(name: str, script: str, **options: object) -> Process:
    return Process(name, (sys.executable, "-c", script), **options)  # type: ignore[arg-type]


def no_pause() -> RestartBackoff:
    return RestartBackoff(first_s=0.0)


@asynccontextmanager
async def running(
    *processes: Process, backoff: Callable[[], RestartBackoff] = no_pause
) -> AsyncIterator[tuple[Supervisor, FakeReport, asyncio.Task[None]]]:
    report = FakeReport()
    supervisor = Supervisor(processes, report, os.environ, PROJECT_ROOT, backoff)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, report, task
    finally:
        supervisor.stop()
        supervisor.stop()
        async with asyncio.timeout(30):
            await task


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_process_is_restarted() -> None:
    """After kill -9 it runs again; the other process is not touched."""
    async with running(python("model", SERVE), python("web", SERVE)) as (_, report, _task):
        await report.until(lambda: len(report.pids("model")) == len(report.pids("web")) == 1)
        os.kill(report.pids("model")[0], signal.SIGKILL)
        await report.until(lambda: len(report.pids("model")) == 2)
        assert [each["why"] for each in report.named("ended")] == ["SIGKILL"]
        assert len(report.pids("web")) == 1
        assert alive(report.pids("web")[0])


async def test_a_process_that_ends_is_restarted() -> None:
    """Also with exit code 0: the Procfile says that it should run."""
    async with running(python("web", "print('pid 1')")) as (_, report, _task):
        await report.until(lambda: len(report.pids("web")) >= 3)
        assert report.named("ended")[0]["why"] == "exit code 0"


async def test_stop_lets_processes_finish() -> None:
    """After SIGTERM a process may still print. Then it is gone and `run` returns."""
    async with running(python("web", POLITE)) as (supervisor, report, task):
        await report.until(lambda: bool(report.pids("web")))
        supervisor.stop()
        await task
        assert ("web", "leaving") in report.lines
        assert report.named("ended") == report.named("overdue") == []
        assert not alive(report.pids("web")[0])


async def test_a_process_that_ignores_sigterm_is_killed() -> None:
    """It is killed after its grace, with an `overdue` event."""
    async with running(python("web", DEAF, grace_s=0.2)) as (supervisor, report, task):
        await report.until(lambda: bool(report.pids("web")))
        supervisor.stop()
        await task
        assert len(report.named("overdue")) == 1
        assert not alive(report.pids("web")[0])


async def test_a_second_stop_kills_at_once() -> None:
    """The second call does not wait for the grace, here an hour."""
    async with running(python("web", DEAF, grace_s=3600.0)) as (supervisor, report, task):
        await report.until(lambda: bool(report.pids("web")))
        supervisor.stop()
        supervisor.stop()
        await task
        assert not alive(report.pids("web")[0])


async def test_the_model_stops_last() -> None:
    """Running answers need the model to finish, so the other processes end first."""
    async with running(python("model", POLITE, stops_last=True), python("web", POLITE)) as (supervisor, report, task):
        await report.until(lambda: bool(report.pids("model") and report.pids("web")))
        supervisor.stop()
        await task
        assert [name for name, text in report.lines if text == "leaving"] == ["web", "model"]


async def test_children_end_with_their_process() -> None:
    """A killed process leaves no children behind."""
    script = "import subprocess, sys, time\n"
    script += f"child = subprocess.Popen([sys.executable, '-c', {SERVE!r}], stdout=subprocess.DEVNULL)\n"
    script += "print('pid', child.pid)\nwhile True: time.sleep(60)"
    async with running(python("web", script)) as (_, report, _task):
        await report.until(lambda: len(report.pids("web")) == 1)
        started = next(values for values in report.named("started"))
        os.kill(int(str(started["pid"])), signal.SIGKILL)
        await report.until(lambda: len(report.pids("web")) == 2)
        await gone(report.pids("web")[0])


async def gone(pid: int) -> None:
    """Returns when the process has ended; a zombie counts. Only Linux announces it, elsewhere this polls."""
    async with asyncio.timeout(30):
        if not hasattr(os, "pidfd_open"):
            while alive(pid):
                await asyncio.sleep(0.01)
            return
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent ended")
async def test_a_killed_supervisor_leaves_no_orphans() -> None:
    """kill -9 of the supervisor ends its processes, also those that ignore SIGTERM."""
    script = f"""
import asyncio, os, sys
from core.cli.supervisor import Process, Supervisor
from pathlib import Path
class Report:
    def line(self, process, content): print(content, flush=True)
    def event(self, *_, **__): pass
web = Process("web", (sys.executable, "-c", {DEAF!r}))
asyncio.run(Supervisor([web], Report(), os.environ, Path({str(PROJECT_ROOT)!r})).run())
"""
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, cwd=PROJECT_ROOT
    )
    assert supervisor.stdout
    async with asyncio.timeout(30):
        pid = int((await supervisor.stdout.readline()).split()[1])
    assert alive(pid)
    supervisor.kill()
    await supervisor.wait()
    await gone(pid)


async def test_a_hanging_process_is_killed_and_restarted() -> None:
    """The guard's reason is in the event."""
    hangs = asyncio.Event()

    async def guard(_pid: int, _ready: Callable[[], None]) -> str:
        await hangs.wait()
        hangs.clear()
        return "it did not answer"

    async with running(python("model", DEAF, guards=(guard,))) as (_, report, _task):
        await report.until(lambda: len(report.pids("model")) == 1)
        hangs.set()
        await report.until(lambda: len(report.pids("model")) == 2)
        assert [each["why"] for each in report.named("ended")] == ["it did not answer"]
        assert not alive(report.pids("model")[0])


async def test_guards_are_ignored_during_a_stop() -> None:
    """A process that drains may be silent: only its grace counts."""
    stopping = asyncio.Event()

    async def guard(_pid: int, _ready: Callable[[], None]) -> str:
        await stopping.wait()
        return "it did not answer"

    slow = POLITE.replace("print('leaving')", "print('draining'); time.sleep(0.3); print('leaving')")
    async with running(python("web", slow, guards=(guard,))) as (supervisor, report, task):
        await report.until(lambda: bool(report.pids("web")))
        supervisor.stop()
        await report.until(lambda: ("web", "draining") in report.lines)
        stopping.set()
        await task
        assert ("web", "leaving") in report.lines


async def test_a_process_that_keeps_failing_is_reported() -> None:
    """After five failures in a row its last lines are in an event. The other process goes on."""
    dying = "import sys\nprint('no such model', file=sys.stderr)\nsys.exit(2)"
    async with running(python("model", dying), python("web", SERVE)) as (_, report, _task):
        await report.until(lambda: bool(report.named("failing")))
        failing = report.named("failing")[0]
        assert failing["times"] == 5
        assert "no such model" in str(failing["last_lines"])
        assert len(report.pids("web")) == 1


# It ignores SIGTERM, so that a stop does not hide its exit code.
REFUSING = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('hello')
print('csps-llm {name}: PORT: many\\nHOST: none', file=sys.stderr)
sys.exit(2)
"""


async def test_a_process_that_can_never_start_ends_all() -> None:
    """Exit code 2 before it was ever ready: no restart would help.

    The others are stopped. Its error appears once, at the end instead of among their lines.
    """
    processes = [python(name, REFUSING.format(name=name), ours=True) for name in ("web", "slack")]
    async with running(python("model", POLITE, stops_last=True), *processes) as (supervisor, report, task):
        async with asyncio.timeout(30):
            await task
        assert supervisor.refusals == ["PORT: many\nHOST: none"]
    assert {text for name, text in report.lines if name != "model"} <= {"hello"}
    assert report.named("ended") == report.named("waiting") == []
    assert all(not alive(pid) for pid in report.pids("model"))


async def test_a_process_that_was_ready_is_restarted() -> None:
    """Somebody broke a file while it ran: an event has the error, and the process is started again."""
    script = f"""
import os, pathlib, sys
mark = pathlib.Path(os.environ["MARK"])
if mark.exists():
    mark.unlink()
    exec({REFUSING.format(name="web")!r})
exec({SERVE!r})
"""

    async def guard(_pid: int, ready: Callable[[], None]) -> str:
        ready()
        await asyncio.Event().wait()
        return ""

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        mark = Path(folder, "broken")
        patched.setenv("MARK", str(mark))
        async with running(python("web", script, guards=(guard,), ours=True)) as (supervisor, report, task):
            await report.until(lambda: len(report.pids("web")) == 1)
            mark.touch()
            os.kill(report.pids("web")[0], signal.SIGKILL)
            await report.until(lambda: len(report.pids("web")) == 2)
            assert [each["last_lines"] for each in report.named("waiting")] == [("PORT: many", "HOST: none")]
            assert [each["why"] for each in report.named("ended")] == ["SIGKILL"]
            assert supervisor.refusals == []
            assert not task.done()


async def test_exit_code_2_during_a_stop_is_no_refusal() -> None:
    """After `stop` the exit codes of processes do not matter."""
    script = POLITE.replace("sys.exit(0)", "sys.exit(2)")
    async with running(python("web", script, ours=True)) as (supervisor, report, task):
        await report.until(lambda: bool(report.pids("web")))
        supervisor.stop()
        await task
        assert supervisor.refusals == []


async def test_exit_code_2_of_a_foreign_process() -> None:
    """A process of the operator's own does not follow our exit codes: it is restarted, and its lines appear."""
    async with running(python("web", REFUSING.format(name="web"))) as (_, report, task):
        await report.until(lambda: len(report.named("ended")) >= 2)
        assert report.lines[:3] == [("web", "hello"), ("web", "csps-llm web: PORT: many"), ("web", "HOST: none")]
        assert not task.done()


async def test_a_missing_command_is_tried_again() -> None:
    """A wrong line of the Procfile does not stop the other processes."""
    async with running(Process("web", ("/no/such/program",))) as (_, report, _task):
        await report.until(lambda: len(report.named("ended")) >= 2)


SERVED = """
import os
from core.runtime.ready_signal import announce_ready
announce_ready()
print('pid', os.getpid())
"""


async def test_a_process_that_served_is_restarted_at_once() -> None:
    """Only one that dies before it serves has to wait, here for an hour."""
    hour = partial(RestartBackoff, first_s=3600.0, limit_s=3600.0)
    async with running(python("web", SERVED), python("model", "print('pid 1')"), backoff=hour) as (_, report, _task):
        await report.until(lambda: len(report.pids("web")) >= 4 and len(report.pids("model")) == 1)
        await report.until(lambda: any(process == "model" for event, process, _ in report.events if event == "ended"))
        delays = {(process, values["delay_s"]) for event, process, values in report.events if event == "ended"}
        assert {("web", 0.0), ("model", 3600.0)} == delays
        assert report.named("failing") == []


def test_backoff_doubles_up_to_its_limit() -> None:
    """From 0.5 s to 30 s. A process that ran for a minute, or served, resets the count."""
    backoff = RestartBackoff()
    waits = [backoff.after(ran_s=1.0) for _ in range(9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert backoff.after(ran_s=60.0) == 0.5
    assert backoff.after(ran_s=59.9) == 1.0
    assert backoff.after(ran_s=0.1, served=True) == 0.0
    assert backoff.after(ran_s=0.1) == 0.5


@pytest.mark.parametrize(("code", "reason"), [(1, "exit code 1"), (-9, "SIGKILL"), (-6, "SIGABRT"), (-99, "signal 99")])
def test_exit_codes_are_explained(code: int, reason: str) -> None:
    """A signal has its name."""
    assert explain_exit(code) == reason


def test_a_reason_has_a_text_in_each_language() -> None:
    """Logs have the English one."""
    reason = ProcessEndReason("silent", seconds=16)
    assert reason == "it did not answer for 16 s"
    assert reason.in_language("fr") == "il n’a pas répondu pendant 16\u00a0s"


async def test_lines_are_complete_up_to_64_kib() -> None:
    """Chunks may end anywhere. A longer line comes in parts, so that it does not fill the memory."""
    stream = asyncio.StreamReader()
    for chunk in (b"fir", b"st\nsecond\r\n\nla", b"st"):
        stream.feed_data(chunk)
    stream.feed_eof()
    assert [line async for line in iter_lines(stream)] == ["first", "second", "", "last"]
    endless = asyncio.StreamReader(limit=1 << 22)
    endless.feed_data(b"x" * 200_000)
    endless.feed_eof()
    assert [len(line) for line in [line async for line in iter_lines(endless)]] == [65536, 65536, 65536, 3392]
