"""The supervisor with real processes: small scripts that say what happens to them.

Each script announces itself by a line on stdout, which the supervisor reports: tests wait for such lines, not for time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core import PROJECT_ROOT
from core.cli.output import lines_of
from core.cli.supervisor import Process, RestartBackoff, Supervisor, in_words

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


class Heard:
    """A report that can be waited on."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.events: list[tuple[str, str, dict[str, object]]] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def line(self, process: str, text: str) -> None:
        self.lines.append((process, text))
        self._notify()

    def event(self, event: str, process: str, **values: object) -> None:
        self.events.append((event, process, values))
        self._notify()

    def _notify(self) -> None:
        task = asyncio.ensure_future(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(condition)

    def pids(self, process: str) -> list[int]:
        return [int(text.split()[1]) for name, text in self.lines if name == process and text.startswith("pid ")]

    def named(self, event: str) -> list[dict[str, object]]:
        return [values for name, _, values in self.events if name == event]


def python(name: str, script: str, **options: object) -> Process:
    return Process(name, (sys.executable, "-c", script), **options)  # type: ignore[arg-type]


def at_once() -> RestartBackoff:
    return RestartBackoff(first_s=0.0)


@asynccontextmanager
async def running(
    *processes: Process, backoff: Callable[[], RestartBackoff] = at_once
) -> AsyncIterator[tuple[Supervisor, Heard, asyncio.Task[None]]]:
    heard = Heard()
    supervisor = Supervisor(processes, heard, os.environ, PROJECT_ROOT, backoff)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, heard, task
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


async def test_what_is_killed_runs_again_and_the_others_go_on() -> None:
    """After kill -9 of one process it has a new life; the other keeps the one it has."""
    async with running(python("model", SERVE), python("web", SERVE)) as (_, heard, _task):
        await heard.until(lambda: len(heard.pids("model")) == len(heard.pids("web")) == 1)
        os.kill(heard.pids("model")[0], signal.SIGKILL)
        await heard.until(lambda: len(heard.pids("model")) == 2)
        assert [each["why"] for each in heard.named("ended")] == ["SIGKILL"]
        assert len(heard.pids("web")) == 1
        assert alive(heard.pids("web")[0])


async def test_what_ends_by_itself_runs_again() -> None:
    """Exit code 0 is no reason to stay away: the Procfile says that it should run."""
    async with running(python("web", "print('pid 1')")) as (_, heard, _task):
        await heard.until(lambda: len(heard.pids("web")) >= 3)
        assert heard.named("ended")[0]["why"] == "exit code 0"


async def test_stop_is_polite_and_leaves_nothing() -> None:
    """SIGTERM lets a process say its last words; then nothing is left and `run` returns."""
    async with running(python("web", POLITE)) as (supervisor, heard, task):
        await heard.until(lambda: bool(heard.pids("web")))
        supervisor.stop()
        await task
        assert ("web", "leaving") in heard.lines
        assert heard.named("ended") == heard.named("overdue") == []
        assert not alive(heard.pids("web")[0])


async def test_who_does_not_end_in_time_is_killed() -> None:
    """A process that ignores SIGTERM is killed after its grace, and this is said."""
    async with running(python("web", DEAF, grace_s=0.2)) as (supervisor, heard, task):
        await heard.until(lambda: bool(heard.pids("web")))
        supervisor.stop()
        await task
        assert len(heard.named("overdue")) == 1
        assert not alive(heard.pids("web")[0])


async def test_a_second_stop_kills_at_once() -> None:
    """Whoever asks twice does not wait for the grace (an hour, here)."""
    async with running(python("web", DEAF, grace_s=3600.0)) as (supervisor, heard, task):
        await heard.until(lambda: bool(heard.pids("web")))
        supervisor.stop()
        supervisor.stop()
        await task
        assert not alive(heard.pids("web")[0])


async def test_the_model_is_stopped_after_those_who_need_it() -> None:
    """Answers under way finish only while the model runs: the others end first."""
    async with running(python("model", POLITE, last=True), python("web", POLITE)) as (supervisor, heard, task):
        await heard.until(lambda: bool(heard.pids("model") and heard.pids("web")))
        supervisor.stop()
        await task
        assert [name for name, text in heard.lines if text == "leaving"] == ["web", "model"]


async def test_what_a_process_started_ends_with_it() -> None:
    """A killed process's own children are not left behind."""
    script = "import subprocess, sys, time\n"
    script += f"child = subprocess.Popen([sys.executable, '-c', {SERVE!r}], stdout=subprocess.DEVNULL)\n"
    script += "print('pid', child.pid)\nwhile True: time.sleep(60)"
    async with running(python("web", script)) as (_, heard, _task):
        await heard.until(lambda: len(heard.pids("web")) == 1)
        started = next(values for values in heard.named("started"))
        os.kill(int(str(started["pid"])), signal.SIGKILL)
        await heard.until(lambda: len(heard.pids("web")) == 2)
        await gone(heard.pids("web")[0])


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
async def test_no_orphans_when_the_supervisor_itself_is_killed() -> None:
    """kill -9 of the supervisor ends its processes, also one that ignores SIGTERM."""
    script = f"""
import asyncio, os, sys
from core.cli.supervisor import Process, RestartBackoff, Supervisor
from pathlib import Path
class Report:
    def line(self, process, text): print(text, flush=True)
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


async def test_a_guard_that_reports_a_hang_has_the_process_killed() -> None:
    """The reason is told, and the process runs again."""
    hangs = asyncio.Event()

    async def guard(_pid: int, _ready: Callable[[], None]) -> str:
        await hangs.wait()
        hangs.clear()
        return "it did not answer"

    async with running(python("model", DEAF, guards=(guard,))) as (_, heard, _task):
        await heard.until(lambda: len(heard.pids("model")) == 1)
        hangs.set()
        await heard.until(lambda: len(heard.pids("model")) == 2)
        assert [each["why"] for each in heard.named("ended")] == ["it did not answer"]
        assert not alive(heard.pids("model")[0])


async def test_no_guard_disturbs_a_stop() -> None:
    """A process that drains may be silent: while it is being stopped, only its grace counts."""
    stopping = asyncio.Event()

    async def guard(_pid: int, _ready: Callable[[], None]) -> str:
        await stopping.wait()
        return "it did not answer"

    slow = POLITE.replace("print('leaving')", "print('draining'); time.sleep(0.3); print('leaving')")
    async with running(python("web", slow, guards=(guard,))) as (supervisor, heard, task):
        await heard.until(lambda: bool(heard.pids("web")))
        supervisor.stop()
        await heard.until(lambda: ("web", "draining") in heard.lines)
        stopping.set()
        await task
        assert ("web", "leaving") in heard.lines


async def test_a_process_that_keeps_dying_is_shown_and_the_others_go_on() -> None:
    """After five deaths in a row its last lines are reported, once for each five."""
    dying = "import sys\nprint('no such model', file=sys.stderr)\nsys.exit(2)"
    async with running(python("model", dying), python("web", SERVE)) as (_, heard, _task):
        await heard.until(lambda: bool(heard.named("failing")))
        failing = heard.named("failing")[0]
        assert failing["times"] == 5
        assert "no such model" in str(failing["last_lines"])
        assert len(heard.pids("web")) == 1


# Told to stop while it refuses, it still ends by itself.
REFUSING = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('hello')
print('csps-llm {name}: PORT: many\\nHOST: none', file=sys.stderr)
sys.exit(2)
"""


async def test_who_can_never_start_ends_all() -> None:
    """Exit code 2 before it was ever ready: no restart would mend that. The others are stopped, and what it said is
    kept for the end instead of standing among their lines; the same message of two is one."""
    processes = [python(name, REFUSING.format(name=name), ours=True) for name in ("web", "slack")]
    async with running(python("model", POLITE, last=True), *processes) as (supervisor, heard, task):
        async with asyncio.timeout(30):
            await task
        assert supervisor.refusals == ["PORT: many\nHOST: none"]
    assert {text for name, text in heard.lines if name != "model"} <= {"hello"}
    assert heard.named("ended") == heard.named("waiting") == []
    assert all(not alive(pid) for pid in heard.pids("model"))


async def test_who_was_ready_once_is_waited_for() -> None:
    """A file that somebody broke while it ran: it is said what is wrong and that it is tried again, and it is."""
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
        async with running(python("web", script, guards=(guard,), ours=True)) as (supervisor, heard, task):
            await heard.until(lambda: len(heard.pids("web")) == 1)
            mark.touch()
            os.kill(heard.pids("web")[0], signal.SIGKILL)
            await heard.until(lambda: len(heard.pids("web")) == 2)
            assert [each["last_lines"] for each in heard.named("waiting")] == [("PORT: many", "HOST: none")]
            assert [each["why"] for each in heard.named("ended")] == ["SIGKILL"]
            assert supervisor.refusals == []
            assert not task.done()


async def test_a_refusal_during_a_stop_is_none() -> None:
    """Who asked for the end gets it, whatever a process says on its way out."""
    script = POLITE.replace("sys.exit(0)", "sys.exit(2)")
    async with running(python("web", script, ours=True)) as (supervisor, heard, task):
        await heard.until(lambda: bool(heard.pids("web")))
        supervisor.stop()
        await task
        assert supervisor.refusals == []


async def test_others_may_mean_anything_by_2() -> None:
    """A process of the operator's own does not know our exit codes: it runs again, and its lines are shown."""
    async with running(python("web", REFUSING.format(name="web"))) as (_, heard, task):
        await heard.until(lambda: len(heard.named("ended")) >= 2)
        assert heard.lines[:3] == [("web", "hello"), ("web", "csps-llm web: PORT: many"), ("web", "HOST: none")]
        assert not task.done()


async def test_a_command_that_does_not_exist_is_tried_again() -> None:
    """A broken line of the Procfile does not take the others down."""
    async with running(Process("web", ("/no/such/program",))) as (_, heard, _task):
        await heard.until(lambda: len(heard.named("ended")) >= 2)


def test_backoff_doubles_up_to_its_limit_and_forgets() -> None:
    """0.5 s, doubling to 30 s; after a minute of health it begins again."""
    backoff = RestartBackoff()
    waits = [backoff.after(lived_s=1.0) for _ in range(9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert backoff.after(lived_s=60.0) == 0.5
    assert backoff.after(lived_s=59.9) == 1.0


@pytest.mark.parametrize(("code", "words"), [(1, "exit code 1"), (-9, "SIGKILL"), (-6, "SIGABRT"), (-99, "signal 99")])
def test_exit_codes_in_words(code: int, words: str) -> None:
    """A signal is named, as whoever looks for the reason would name it."""
    assert in_words(code) == words


async def test_lines_come_whole_and_endless_ones_in_pieces() -> None:
    """A line ends at its end, wherever the chunks do; one without end does not fill the memory."""
    stream = asyncio.StreamReader()
    for chunk in (b"fir", b"st\nsecond\r\n\nla", b"st"):
        stream.feed_data(chunk)
    stream.feed_eof()
    assert [line async for line in lines_of(stream)] == ["first", "second", "", "last"]
    endless = asyncio.StreamReader(limit=1 << 22)
    endless.feed_data(b"x" * 200_000)
    endless.feed_eof()
    assert [len(line) for line in [line async for line in lines_of(endless)]] == [65536, 65536, 65536, 3392]
