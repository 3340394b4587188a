"""A process that is killed between any two steps: after the next start everything is there once and whole.

A step is a write to the database or a call to the platform; the kill comes before it, or after it was done and before
anybody knows. The platform delivers each event again until it was acknowledged, and once more after that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bindings.desk.desk import Desk
from bindings.incoming import Incoming
from core.contract import Done, Prompt, Task, Text, Usage
from tests.bindings.desk.desking import THREAD, FakeChannels, Killed, Office, Switch, message
from tests.fakes import FakeEngine, ReplyStep

WHERE = THREAD.conversation
POINTS_LIMIT = 120
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
ROWS = "name\n" + "".join(f"row {number}\n" for number in range(1, 8))


def echo(prompt: Prompt) -> Iterable[ReplyStep]:
    """Two pieces, so that a message is posted and then edited; one answer to one question, however often asked."""
    mark = "anew" if prompt.again else "re"
    return (Text(f"{mark}: "), Text(prompt.text), Done("stop", "fake-model", Usage()))


def named(task: Task) -> dict[str, str]:
    return {"name": task.prompt}


@asynccontextmanager
async def doomed(office: Office, switch: Switch) -> AsyncIterator[tuple[Desk, asyncio.Task[None]]]:
    """A process that the switch may kill."""
    async with office.opened(switch) as desk:
        running = asyncio.create_task(desk.run())
        try:
            yield desk, running
        finally:
            running.cancel()
            await asyncio.wait({running})
            if not running.cancelled():
                running.exception()


async def lived(office: Office, messages: Sequence[Incoming], switch: Switch) -> None:
    """Until everything is done or the process is killed."""
    async with doomed(office, switch) as (desk, running):
        with suppress(Killed):
            for each in messages:
                await desk.take(each)
                await done_or_dead(office, switch, running)
        await done_or_dead(office, switch, running)


async def done_or_dead(office: Office, switch: Switch, running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        while not (switch.killed or running.done()) and (await office.unfinished() or office.jobs):
            await asyncio.sleep(0.002)


async def killed_everywhere(
    make: Callable[[Path], Office], folder: Path, messages: Sequence[Incoming], check: Callable[[Office], None]
) -> int:
    """Runs it once for each point, and returns how many there were."""
    for point in range(POINTS_LIMIT):
        office, switch = make(folder / str(point)), Switch(point)
        await lived(office, messages, switch)
        await lived(office, [*messages, *messages], Switch())
        check(office)
        if not switch.killed:
            return point
    raise AssertionError("it never ends")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(echo, toiled=named)


async def test_an_answer_is_there_once(tmp_path: Path, engine: FakeEngine) -> None:
    """In one message, whole, with its footer."""

    def check(office: Office) -> None:
        (page,) = office.channels.shown(WHERE)
        assert "re: hello" == page.text
        assert page.final
        assert page.closing
        assert "fake-model" in page.closing.footer

    points = await killed_everywhere(lambda folder: Office(folder, engine), tmp_path, [message("hello")], check)
    assert points >= 14


async def test_answers_keep_their_order(tmp_path: Path, engine: FakeEngine) -> None:
    def check(office: Office) -> None:
        assert ["re: one", "re: two"] == office.channels.texts(WHERE)

    messages = [message("one", 1), message("two", 2)]
    assert await killed_everywhere(lambda folder: Office(folder, engine), tmp_path, messages, check) >= 24


async def test_an_answer_that_is_written_again_replaces_the_first(tmp_path: Path, engine: FakeEngine) -> None:
    def check(office: Office) -> None:
        assert ["anew: hello"] == office.channels.texts(WHERE)

    messages = [message("hello", 1), message("again", 2)]
    assert await killed_everywhere(lambda folder: Office(folder, engine), tmp_path, messages, check) >= 20


async def test_a_conversation_is_forgotten_whatever_happens(tmp_path: Path, engine: FakeEngine) -> None:
    def check(office: Office) -> None:
        answer, told = office.channels.texts(WHERE)
        assert "re: hello" == answer
        assert "is forgotten" in told
        assert {} == engine.sessions

    messages = [message("hello", 1), message("forget", 2)]
    assert await killed_everywhere(lambda folder: Office(folder, engine), tmp_path, messages, check) >= 20


async def test_a_file_is_sent_once(tmp_path: Path, engine: FakeEngine) -> None:
    engine.toiled = {"name": "x" * 5000}

    def check(office: Office) -> None:
        channel = office.channels.channels[WHERE]
        (file,) = channel.files.values()
        assert {"name": "x" * 5000} == json.loads(file.body)
        assert ["The answer is in the file answer.json. It was checked against your schema."] == [
            page.text for page in channel.messages.values()
        ]

    asked = message(f"Name it ```{json.dumps(SCHEMA)}```")
    assert await killed_everywhere(lambda folder: Office(folder, engine), tmp_path, [asked], check) >= 16


async def test_a_job_loses_and_doubles_no_row(tmp_path: Path, engine: FakeEngine) -> None:
    """Killed before, after and in the middle of its rows."""

    def make(folder: Path) -> Office:
        return Office(folder, engine, FakeChannels(files={"u": ROWS.encode()}), environ={"LLM_SLOTS": "2"})

    def check(office: Office) -> None:
        channel = office.channels.channels[WHERE]
        (file,) = channel.files.values()
        lines = [json.loads(line) for line in file.body.splitlines()]
        assert [{"row": number, "value": {"name": f"Name row {number}"}} for number in range(1, 8)] == lines
        assert 1 == len(channel.messages)
        assert "7 rows, all answered" in next(iter(channel.messages.values())).text
        assert [] == office.jobs

    asked = message(f"Name {{name}} ```{json.dumps(SCHEMA)}```", rows__csv="u")
    assert await killed_everywhere(make, tmp_path, [asked], check) >= 16
