"""A process killed between any two steps: after the next start every answer exists once and complete.

A step is a database write or a call to the platform. The kill comes before it, or after it but before its result is
known. The platform delivers each event until it is acknowledged, and once more after that.
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

from bindings.delivery.outlet import DIRECT, Refused
from bindings.incoming import IncomingMessage, Place
from bindings.intake.intake import Intake
from core.contract import Done, Prompt, Task, Text, Usage
from tests.bindings.intake.support_intake import THREAD, BotHarness, FakeChannels, Killed, KillSwitch, message
from tests.support.fake_engine import FakeEngine, ReplyStep

WHERE = THREAD.conversation
POINTS_LIMIT = 120
POISON = "poison"
DROPPED = {"en": "I cannot process this message", "fr": "Je n’ai pas pu traiter ce message"}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
ROWS = "name\n" + "".join(f"row {number}\n" for number in range(1, 8))


def echo(prompt: Prompt) -> Iterable[ReplyStep]:
    """Two texts, so that a message is posted and then edited. The same question always gets the same answer."""
    mark = "anew" if prompt.again else "re"
    return (Text(f"{mark}: "), Text(prompt.text), Done("stop", "fake-model", Usage()))


def echo_in_steps(channels: FakeChannels) -> Callable[[Prompt], Iterable[ReplyStep]]:
    """`echo`, whose second text waits until the first one is shown: the number of calls does not depend on time."""

    def replies(prompt: Prompt) -> Iterable[ReplyStep]:
        first, *others = echo(prompt)
        return (first, channels.outlets[-1].shown, *others)

    return replies


def named(task: Task) -> dict[str, str]:
    return {"name": task.prompt}


@asynccontextmanager
async def killable_process(harness: BotHarness, switch: KillSwitch) -> AsyncIterator[tuple[Intake, asyncio.Task[None]]]:
    """A process that the switch can kill."""
    async with harness.open(switch) as intake:
        running = asyncio.create_task(intake.run())
        running.add_done_callback(lambda _: harness.channels.changes.notify())
        try:
            yield intake, running
        finally:
            running.cancel()
            await asyncio.wait({running})
            if not running.cancelled():
                running.exception()


async def run_until_done(harness: BotHarness, messages: Sequence[IncomingMessage], switch: KillSwitch) -> None:
    """Runs a process until everything is finished or it is killed."""
    async with killable_process(harness, switch) as (intake, running):
        with suppress(Killed):
            for each in messages:
                await intake.take(each)
                await until_done_or_killed(harness, switch, running)
        await until_done_or_killed(harness, switch, running)


async def until_done_or_killed(harness: BotHarness, switch: KillSwitch, running: asyncio.Task[None]) -> None:
    async def done_or_killed() -> bool:
        return switch.killed or running.done() or await harness.is_finished()

    await harness.until(done_or_killed)


async def kill_at_every_point(
    make: Callable[[Path], BotHarness],
    folder: Path,
    messages: Sequence[IncomingMessage],
    check: Callable[[BotHarness], None],
) -> int:
    """Runs the messages once for each kill point. Returns the number of points."""
    for point in range(POINTS_LIMIT):
        harness, switch = make(folder / str(point)), KillSwitch(point)
        harness.engine.replies = echo_in_steps(harness.channels)  # type: ignore[attr-defined]
        await run_until_done(harness, messages, switch)
        await run_until_done(harness, [*messages, *messages], KillSwitch())
        check(harness)
        if not switch.killed:
            return point
    raise AssertionError("the messages need more kill points than the limit")


def thread_place(number: int) -> Place:
    return replace(THREAD, thread=f"{number}.0")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(echo, toiled=named)


async def test_an_answer_exists_once(tmp_path: Path, engine: FakeEngine) -> None:
    """It is one complete message with its footer."""

    def check(harness: BotHarness) -> None:
        (page,) = harness.channels.shown(WHERE)
        assert "re: hello" == page.text
        assert page.final
        assert page.closing
        assert "fake-model" in page.closing.footer

    points = await kill_at_every_point(lambda folder: BotHarness(folder, engine), tmp_path, [message("hello")], check)
    assert points >= 14


@pytest.mark.parametrize("refused", ["post", "edit"])
async def test_a_refused_answer_exists_once(tmp_path: Path, engine: FakeEngine, refused: str) -> None:
    """Nothing is left of the form that was refused, once another one holds the answer."""

    def make(folder: Path) -> BotHarness:
        channels = FakeChannels(refuses=lambda call: Refused("no") if call.name == refused else None, plainer=DIRECT)
        return BotHarness(folder, engine, channels)

    def check(harness: BotHarness) -> None:
        (page,) = harness.channels.shown(WHERE)
        assert ("re: hello", True) == (page.text, page.final)

    assert await kill_at_every_point(make, tmp_path, [message("hello")], check) >= 16


async def test_answers_keep_their_order(tmp_path: Path, engine: FakeEngine) -> None:
    def check(harness: BotHarness) -> None:
        assert ["re: one", "re: two"] == harness.channels.texts(WHERE)

    messages = [message("one", 1), message("two", 2)]
    assert await kill_at_every_point(lambda folder: BotHarness(folder, engine), tmp_path, messages, check) >= 24


async def test_a_regenerated_answer_replaces_the_first(tmp_path: Path, engine: FakeEngine) -> None:
    def check(harness: BotHarness) -> None:
        assert ["anew: hello"] == harness.channels.texts(WHERE)

    messages = [message("hello", 1), message("again", 2)]
    assert await kill_at_every_point(lambda folder: BotHarness(folder, engine), tmp_path, messages, check) >= 20


async def test_a_conversation_is_forgotten_in_spite_of_kills(tmp_path: Path, engine: FakeEngine) -> None:
    def check(harness: BotHarness) -> None:
        answer, notice = harness.channels.texts(WHERE)
        assert "re: hello" == answer
        assert "is forgotten" in notice
        assert {} == engine.sessions

    messages = [message("hello", 1), message("forget", 2)]
    assert await kill_at_every_point(lambda folder: BotHarness(folder, engine), tmp_path, messages, check) >= 20


async def test_a_file_is_sent_once(tmp_path: Path, engine: FakeEngine) -> None:
    engine.toiled = {"name": "x" * 5000}

    def check(harness: BotHarness) -> None:
        channel = harness.channels.channels[WHERE]
        (file,) = channel.files.values()
        assert {"name": "x" * 5000} == json.loads(file.body)
        assert ["The answer is in the file answer.json. It was checked against your schema."] == [
            page.text for page in channel.messages.values()
        ]

    asked = message(f"Name it ```{json.dumps(SCHEMA)}```")
    assert await kill_at_every_point(lambda folder: BotHarness(folder, engine), tmp_path, [asked], check) >= 16


async def test_a_job_answers_each_row_once(tmp_path: Path, engine: FakeEngine) -> None:
    """Kills come before, after and between its rows."""

    def make(folder: Path) -> BotHarness:
        return BotHarness(folder, engine, FakeChannels(files={"u": ROWS.encode()}), environ={"LLM_SLOTS": "2"})

    def check(harness: BotHarness) -> None:
        channel = harness.channels.channels[WHERE]
        (file,) = channel.files.values()
        lines = [json.loads(line) for line in file.body.splitlines()]
        assert [{"row": number, "value": {"name": f"Name row {number}"}} for number in range(1, 8)] == lines
        assert 1 == len(channel.messages)
        assert "7 rows, all answered" in next(iter(channel.messages.values())).text
        assert [] == harness.jobs

    asked = message(f"Name {{name}} ```{json.dumps(SCHEMA)}```", rows__csv="u")
    assert await kill_at_every_point(make, tmp_path, [asked], check) >= 16


def crash_on_poison(switch: KillSwitch) -> Callable[[Prompt], Iterable[ReplyStep]]:
    """Answers every prompt, but crashes the process for the poison."""

    def replies(prompt: Prompt) -> Iterable[ReplyStep]:
        if POISON in prompt.text:
            switch.killed = True
            raise Killed
        return echo(prompt)

    return replies


async def start_repeatedly(harness: BotHarness, messages: Sequence[IncomingMessage], count: int) -> int:
    """Runs `count` processes one after another. Returns the number of crashes."""
    deaths = 0
    for _ in range(count):
        switch = KillSwitch()
        harness.engine.replies = crash_on_poison(switch)  # type: ignore[attr-defined]
        await run_until_done(harness, messages, switch)
        deaths += switch.killed
    return deaths


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_message_that_crashes_every_process_is_dropped(
    tmp_path: Path, engine: FakeEngine, language: Literal["en", "fr"]
) -> None:
    """Four processes crash: one took it, three resumed it. Its author gets a notice; others get answers."""
    harness = BotHarness(tmp_path, engine)
    others = [message(f"number {number}", number, thread_place(number)) for number in (2, 3)]
    poison = message(POISON, language=language)

    assert 4 == await start_repeatedly(harness, [poison, *others], 6)
    assert [DROPPED[language]] == [text.partition(":")[0].strip() for text in harness.channels.texts(WHERE)]
    assert [["re: number 2"], ["re: number 3"]] == [
        harness.channels.texts(other.place.conversation) for other in others
    ]
    async with harness.open():
        assert 0 == await harness.unfinished()


async def test_messages_of_crashed_processes_run_one_at_a_time(tmp_path: Path, engine: FakeEngine) -> None:
    """Messages that only ran beside the culprit are answered and not dropped."""
    harness = BotHarness(tmp_path, engine)
    together, most = 0, 0

    def counted(prompt: Prompt) -> Iterable[ReplyStep]:
        nonlocal together, most
        together += 1
        most = max(most, together)
        yield from (Text("re: "), Text(prompt.text))
        together -= 1
        yield Done("stop", "fake-model", Usage())

    async with harness.open() as intake:
        for number in (1, 2, 3):
            await intake.take(message("hello", number, thread_place(number)))
    started: asyncio.Queue[Prompt] = asyncio.Queue()

    def endless(prompt: Prompt) -> Iterable[ReplyStep]:
        started.put_nowait(prompt)
        yield asyncio.Event()

    engine.replies = endless
    switch = KillSwitch()
    async with killable_process(harness, switch):
        for _ in range(3):
            await started.get()
        switch.killed = True
    engine.replies = counted
    await run_until_done(harness, [], KillSwitch())

    assert 1 == most
    assert [["re: hello"]] * 3 == [harness.channels.texts(thread_place(number).conversation) for number in (1, 2, 3)]


async def test_orderly_stops_do_not_count_as_crashes(tmp_path: Path, engine: FakeEngine) -> None:
    """A long answer survives any number of updates of the bot."""
    harness = BotHarness(tmp_path, engine)
    engine.replies = lambda _: (asyncio.Event(),)
    for _ in range(6):
        engine.started.clear()
        async with harness.process() as intake:
            await intake.take(message("hello"))
            await engine.started.wait()
            await intake.drain(0)
    engine.replies = echo
    async with harness.process():
        await harness.until_finished()

    assert ["re: hello"] == harness.channels.texts(WHERE)
