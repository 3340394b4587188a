"""When something fails: the model, the platform, the disk, a place that is gone, a process that is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from bindings.delivery.outlet import Gone, Unreachable
from bindings.incoming import IncomingMessage
from core.contract import Done, Prompt, Text, Usage
from core.errors import ModelUnavailable, Stopping, StorageError
from tests.bindings.intake.support_intake import THREAD, FakeChannels, Office, message
from tests.bindings.support_fakes import Trouble
from tests.support.fakes import FakeEngine, ReplyStep

WHERE = THREAD.conversation


def echo(prompt: Prompt) -> Iterable[ReplyStep]:
    return (Text(f"re: {prompt.text}"), Done("stop", "fake-model", Usage(3, 2, 1)))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(echo, names=("whisper", "chuchotte", "guide"))


@pytest.fixture
def office(tmp_path: Path, engine: FakeEngine) -> Office:
    return Office(tmp_path / "var", engine)


async def test_a_failure_of_the_model_is_told_to_who_asked(office: Office, engine: FakeEngine) -> None:
    engine.replies = (ModelUnavailable("no model"),)
    await office.asked(message("Is anybody here?"))

    assert ["The model is not available at the moment. Please try again later."] == office.channels.texts(WHERE)
    assert 1 == office.metrics.answers.labels("failed")._value.get()


async def test_a_place_that_is_gone_is_let_be(office: Office) -> None:
    """Nobody waits for that answer; the next ones come."""

    class Lost(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> object:  # type: ignore[override]
            outlet = super().outlet(incoming)
            if incoming.message == "m1":
                outlet.trouble = iter([Trouble(Gone("no such channel"))] * 5)
            return outlet

    office.channels = Lost()
    await office.asked(message("one", 1), message("two", 2))

    assert ["re: two"] == office.channels.texts(WHERE)
    assert 1 == office.metrics.answers.labels("gone")._value.get()


async def test_a_defect_ends_one_delivery_and_not_the_process(office: Office) -> None:
    class Broken(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> object:  # type: ignore[override]
            if incoming.message == "m1":
                raise ZeroDivisionError
            return super().outlet(incoming)

    office.channels = Broken()
    await office.asked(message("one", 1), message("two", 2))

    assert ["re: two"] == office.channels.texts(WHERE)


async def test_who_asked_is_told_of_a_defect(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of a job stays that nobody will take up again."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bindings.intake.message_handler.MessageHandler._answer", broken)
    await office.asked(message("one"))

    assert ["Something went wrong on our side. Please try again."] == office.channels.texts(WHERE)


async def test_a_disk_that_is_full_while_somebody_is_limited_leaves_nothing_unsaid(office: Office) -> None:
    """It is taken: the platform would give it again in vain."""
    office.environ["BOT_USER_LIMIT"] = "1"
    async with office.process() as intake:
        await intake.take(message("one"))
        await office.settled()

        async def refuse(_: object) -> None:
            raise StorageError("disk full")

        office.store.mark_limited = refuse  # type: ignore[method-assign, assignment]
        assert await intake.take(message("two", 2))
        await office.settled()

    assert "re: one" == office.channels.texts(WHERE)[0]
    assert 2 == len(office.channels.texts(WHERE))
    assert "re: two" not in office.channels.texts(WHERE)


async def test_a_platform_that_was_down_gets_the_answer_when_it_is_back(office: Office) -> None:
    """Through 429 and 5xx, also where a post was made whose outcome nobody knew."""

    class Shaky(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> object:  # type: ignore[override]
            outlet = super().outlet(incoming)
            outlet.trouble = iter([Trouble(Unreachable("502")), Trouble(Unreachable("cut"), done=True)])
            return outlet

    office.channels = Shaky()
    await office.asked(message("one"))

    assert ["re: one"] == office.channels.texts(WHERE)


async def test_a_database_that_refuses_leaves_the_event_to_the_platform(office: Office, engine: FakeEngine) -> None:
    """It is not acknowledged, and answered when it is delivered again."""
    async with office.process() as intake:
        writing = office.store._database.write

        async def refuse(work: object) -> object:
            raise StorageError("disk full")

        office.store._database.write = refuse  # type: ignore[method-assign, assignment]
        with pytest.raises(StorageError):
            await intake.take(message("one"))
        office.store._database.write = writing  # type: ignore[method-assign]
        assert await intake.take(message("one"))
        await office.settled()

    assert ["re: one"] == office.channels.texts(WHERE)


async def test_a_disk_that_was_full_for_a_while_loses_and_doubles_nothing(office: Office) -> None:
    async with office.process() as intake:
        await intake.take(message("one"))
        writing, refusals = office.store._database.write, iter([True] * 3)

        async def shaky(work: object) -> object:
            if next(refusals, False):
                raise StorageError("disk full")
            return await writing(work)  # type: ignore[arg-type]

        office.store._database.write = shaky  # type: ignore[method-assign, assignment]
        await office.settled()

    assert ["re: one"] == office.channels.texts(WHERE)


async def test_draining_finishes_what_runs_and_leaves_the_rest_to_the_next_process(
    office: Office, engine: FakeEngine
) -> None:
    """And takes no more, so that the platform delivers again."""
    gate = asyncio.Event()
    engine.replies = lambda prompt: (gate, *echo(prompt))
    async with office.process() as intake:
        await intake.take(message("runs", 1))
        await intake.take(message("waits", 2))
        await engine.started.wait()
        draining = asyncio.create_task(intake.drain(20))
        await asyncio.sleep(0)
        with pytest.raises(Stopping):
            await intake.take(message("too late", 3))
        gate.set()
        await draining
        assert ["re: runs"] == office.channels.texts(WHERE)
        assert 1 == await office.unfinished()
    async with office.process():
        await office.settled()

    assert ["re: runs", "re: waits"] == office.channels.texts(WHERE)


async def test_an_answer_that_does_not_end_in_time_is_finished_by_the_next_process(
    office: Office, engine: FakeEngine
) -> None:
    """In the message that it had begun, under its key."""
    gate = asyncio.Event()
    engine.replies = lambda prompt: (Text("re: "), gate, Text(prompt.text), Done("stop", "fake-model", Usage()))
    async with office.process() as intake:
        await intake.take(message("one"))
        async with asyncio.timeout(10):
            while not office.channels.texts(WHERE):
                await asyncio.sleep(0.005)
        await intake.drain(0)
    gate.set()
    async with office.process():
        await office.settled()

    assert ["re: one"] == office.channels.texts(WHERE)
    assert engine.prompts[0] == engine.prompts[1]
