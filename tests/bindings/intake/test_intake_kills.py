"""A process that is killed between any two steps: after the next start everything is there once and whole.

A step is a write to the database or a call to the platform; the kill comes before it, or after it was done and before
anybody knows. The platform delivers each event again until it was acknowledged, and once more after that.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from bindings.incoming import IncomingMessage, Place
from bindings.intake.intake import Intake
from core.contract import Done, Prompt, Task, Text, Usage
from tests.bindings.intake.support_intake import THREAD, FakeChannels, Killed, Office, Switch, message
from tests.support.fakes import FakeEngine, ReplyStep

WHERE = THREAD.conversation
POINTS_LIMIT = 120
POISON = "poison"
GIVEN_UP = {"en": "I cannot process this message", "fr": "Je n’ai pas pu traiter ce message"}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
ROWS = "name\n" + "".join(f"row {number}\n" for number in range(1, 8))


def echo(prompt: Prompt) -> Iterable[ReplyStep]:
    """Two pieces, so that a message is posted and then edited; one answer to one question, however often asked."""
    mark = "anew" if prompt.again else "re"
    return (Text(f"{mark}: "), Text(prompt.text), Done("stop", "fake-model", Usage()))


def named(task: Task) -> dict[str, str]:
    return {"name": task.prompt}


@asynccontextmanager
async def doomed(office: Office, switch: Switch) -> AsyncIterator[tuple[Intake, asyncio.Task[None]]]:
    """A process that the switch may kill."""
    async with office.opened(switch) as intake:
        running = asyncio.create_task(intake.run())
        try:
            yield intake, running
        finally:
            running.cancel()
            await asyncio.wait({running})
            if not running.cancelled():
                running.exception()


async def lived(office: Office, messages: Sequence[IncomingMessage], switch: Switch) -> None:
    """Until everything is done or the process is killed."""
    async with doomed(office, switch) as (intake, running):
        with suppress(Killed):
            for each in messages:
                await intake.take(each)
                await done_or_dead(office, switch, running)
        await done_or_dead(office, switch, running)


async def done_or_dead(office: Office, switch: Switch, running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        while not (switch.killed or running.done()) and (await office.unfinished() or office.jobs):
            await asyncio.sleep(0.002)


async def killed_everywhere(
    make: Callable[[Path], Office], folder: Path, messages: Sequence[IncomingMessage], check: Callable[[Office], None]
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


def place_of(number: int) -> Place:
    return replace(THREAD, thread=f"{number}.0")


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


def poisoned(switch: Switch) -> Callable[[Prompt], Iterable[ReplyStep]]:
    """Answers, but for the poison, of which the process dies."""

    def replies(prompt: Prompt) -> Iterable[ReplyStep]:
        if POISON in prompt.text:
            switch.killed = True
            raise Killed
        return echo(prompt)

    return replies


async def starts(office: Office, messages: Sequence[IncomingMessage], count: int) -> int:
    """So many processes, one after another; how many died."""
    deaths = 0
    for _ in range(count):
        switch = Switch()
        office.engine.replies = poisoned(switch)  # type: ignore[attr-defined]
        await lived(office, messages, switch)
        deaths += switch.killed
    return deaths


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_what_every_process_dies_of_is_given_up(
    tmp_path: Path, engine: FakeEngine, language: Literal["en", "fr"]
) -> None:
    """After the process that took it and three that took it up; who asked is told, and others are answered."""
    office = Office(tmp_path, engine)
    others = [message(f"number {number}", number, place_of(number)) for number in (2, 3)]
    poison = message(POISON, language=language)

    assert 4 == await starts(office, [poison, *others], 6)
    assert [GIVEN_UP[language]] == [text.partition(":")[0].strip() for text in office.channels.texts(WHERE)]
    assert [["re: number 2"], ["re: number 3"]] == [office.channels.texts(other.place.conversation) for other in others]
    async with office.opened():
        assert 0 == await office.unfinished()


async def test_what_processes_died_with_goes_one_by_one(tmp_path: Path, engine: FakeEngine) -> None:
    """So that what was under way beside it by chance is answered, and not given up with it."""
    office = Office(tmp_path, engine)
    together, most = 0, 0

    def counted(prompt: Prompt) -> Iterable[ReplyStep]:
        nonlocal together, most
        together += 1
        most = max(most, together)
        yield from (Text("re: "), Text(prompt.text))
        together -= 1
        yield Done("stop", "fake-model", Usage())

    async with office.opened() as intake:
        for number in (1, 2, 3):
            await intake.take(message("hello", number, place_of(number)))
    engine.replies = lambda _: (asyncio.Event(),)
    switch = Switch()
    async with doomed(office, switch):
        async with asyncio.timeout(20):
            while len(engine.prompts) < 3:
                await asyncio.sleep(0.002)
        switch.killed = True
    engine.replies = counted
    await lived(office, [], Switch())

    assert 1 == most
    assert [["re: hello"]] * 3 == [office.channels.texts(place_of(number).conversation) for number in (1, 2, 3)]


async def test_processes_that_stop_in_order_count_for_nothing(tmp_path: Path, engine: FakeEngine) -> None:
    """A long answer outlives any number of updates of the bot."""
    office = Office(tmp_path, engine)
    engine.replies = lambda _: (asyncio.Event(),)
    for number in range(1, 7):
        async with office.process() as intake:
            await intake.take(message("hello"))
            async with asyncio.timeout(20):
                while len(engine.prompts) < number:
                    await asyncio.sleep(0.002)
            await intake.drain(0)
    engine.replies = echo
    async with office.process():
        await office.settled()

    assert ["re: hello"] == office.channels.texts(WHERE)
