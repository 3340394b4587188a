"""Failures of the model, the platform, the disk and the process."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bindings.delivery.outlet import Gone, Refused, Unreachable
from bindings.incoming import IncomingMessage
from bindings.tables import deliveries
from core.contract import Done, Text, Usage
from core.errors import ModelUnavailable, Stopping, StorageError
from core.texts import text
from tests.bindings.intake.support_intake import THREAD, BotHarness, FakeChannels, echo, message
from tests.bindings.support_fakes import CallFailure
from tests.support.fake_engine import FakeEngine

WHERE = THREAD.conversation


async def test_a_failure_of_the_model_is_shown_to_the_person(harness: BotHarness, engine: FakeEngine) -> None:
    engine.replies = (ModelUnavailable("no model"),)
    await harness.answer_all(message("Is anybody here?"))

    assert [text("error-model_unavailable", "en")] == harness.channels.texts(WHERE)
    assert 1 == harness.metrics.answers.labels("failed")._value.get()


async def test_a_place_that_no_longer_exists_is_skipped(harness: BotHarness) -> None:
    """The next messages are answered."""

    class Lost(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> object:  # type: ignore[override]
            outlet = super().outlet(incoming)
            if incoming.message == "m1":
                outlet.failures = iter([CallFailure(Gone("no such channel"))] * 5)
            return outlet

    harness.channels = Lost()
    await harness.answer_all(message("one", 1), message("two", 2))

    assert ["re: two"] == harness.channels.texts(WHERE)
    assert 1 == harness.metrics.answers.labels("gone")._value.get()


async def test_a_refused_answer_is_stored_as_failed_with_its_reason(harness: BotHarness) -> None:
    """The operator finds it in the database and in a metric."""
    harness.channels.refuses = lambda call: Refused("not_in_channel: invite the bot") if call.name == "post" else None
    async with harness.process() as intake:
        await intake.take(message("one"))
        await harness.until_finished()
        wanted = sa.select(deliveries.c.state, deliveries.c.reason)
        [row] = await harness.store._database.read(lambda db: db.execute(wanted).all())

    assert ("failed", "not_in_channel: invite the bot") == tuple(row)
    assert 1 == harness.metrics.undeliverable._value.get()


async def test_a_defect_ends_one_delivery_and_not_the_process(harness: BotHarness) -> None:
    class Broken(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> object:  # type: ignore[override]
            if incoming.message == "m1":
                raise ZeroDivisionError
            return super().outlet(incoming)

    harness.channels = Broken()
    await harness.answer_all(message("one", 1), message("two", 2))

    assert ["re: two"] == harness.channels.texts(WHERE)


async def test_a_defect_is_shown_to_the_person(harness: BotHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files of a job stay behind."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bindings.intake.message_handler.MessageHandler._answer", broken)
    await harness.answer_all(message("one"))

    assert ["Something went wrong on our side. Please try again."] == harness.channels.texts(WHERE)


async def test_repeats_and_unstored_messages_do_not_count(harness: BotHarness) -> None:
    """The platform delivers them again. The notice of the limit is not lost with them either."""
    harness.environ["BOT_USER_LIMIT"] = "1"
    async with harness.process() as intake:
        take, harness.store.take = harness.store.take, refuse  # type: ignore[method-assign]
        with pytest.raises(StorageError):
            await intake.take(message("one"))
        harness.store.take = take  # type: ignore[method-assign]
        await asyncio.gather(*(intake.take(message("one")) for _ in range(4)))
        await harness.until_finished()
        assert await intake.take(message("two", 2))
        assert await intake.take(message("three", 3))
        await harness.until_finished()

    assert "re: one" == harness.channels.texts(WHERE)[0]
    assert 2 == len(harness.channels.texts(WHERE))
    assert "many messages" in harness.channels.texts(WHERE)[1]


async def refuse(*_: object) -> None:
    raise StorageError("disk full")


async def test_an_answer_arrives_after_an_outage_of_the_platform(harness: BotHarness) -> None:
    """Calls fail with 429 and 5xx, and one post has an unknown outcome."""

    class Shaky(FakeChannels):
        def outlet(self, incoming: IncomingMessage) -> object:  # type: ignore[override]
            outlet = super().outlet(incoming)
            outlet.failures = iter([CallFailure(Unreachable("502")), CallFailure(Unreachable("cut"), done=True)])
            return outlet

    harness.channels = Shaky()
    await harness.answer_all(message("one"))

    assert ["re: one"] == harness.channels.texts(WHERE)


async def test_an_event_that_cannot_be_stored_is_not_acknowledged(harness: BotHarness, engine: FakeEngine) -> None:
    """It is answered when the platform delivers it again."""
    async with harness.process() as intake:
        writing = harness.store._database.write

        async def refuse(work: object) -> object:
            raise StorageError("disk full")

        harness.store._database.write = refuse  # type: ignore[method-assign, assignment]
        with pytest.raises(StorageError):
            await intake.take(message("one"))
        harness.store._database.write = writing  # type: ignore[method-assign]
        assert await intake.take(message("one"))
        await harness.until_finished()

    assert ["re: one"] == harness.channels.texts(WHERE)


async def test_a_temporarily_full_disk_causes_one_answer(harness: BotHarness) -> None:
    async with harness.process() as intake:
        await intake.take(message("one"))
        writing, refusals = harness.store._database.write, iter([True] * 3)

        async def shaky(work: object) -> object:
            if next(refusals, False):
                raise StorageError("disk full")
            return await writing(work)  # type: ignore[arg-type]

        harness.store._database.write = shaky  # type: ignore[method-assign, assignment]
        await harness.until_finished()

    assert ["re: one"] == harness.channels.texts(WHERE)


async def test_draining_finishes_running_answers_and_leaves_the_rest(harness: BotHarness, engine: FakeEngine) -> None:
    """New messages are rejected, so that the platform delivers them again. The next process answers the rest."""
    gate = asyncio.Event()
    engine.replies = lambda prompt: (gate, *echo(prompt))
    async with harness.process() as intake:
        await intake.take(message("runs", 1))
        await intake.take(message("waits", 2))
        await engine.started.wait()
        draining = asyncio.create_task(intake.drain(20))
        await asyncio.sleep(0)
        with pytest.raises(Stopping):
            await intake.take(message("too late", 3))
        gate.set()
        await draining
        assert ["re: runs"] == harness.channels.texts(WHERE)
        assert 1 == await harness.unfinished()
    async with harness.process():
        await harness.until_finished()

    assert ["re: runs", "re: waits"] == harness.channels.texts(WHERE)


async def test_the_next_process_finishes_a_late_answer(harness: BotHarness, engine: FakeEngine) -> None:
    """It uses the same message and the same key."""
    gate = asyncio.Event()
    engine.replies = lambda prompt: (Text("re: "), gate, Text(prompt.text), Done("stop", "fake-model", Usage()))
    async with harness.process() as intake:
        await intake.take(message("one"))
        await harness.until(lambda: harness.channels.texts(WHERE))
        await intake.drain(0)
    gate.set()
    async with harness.process():
        await harness.until_finished()

    assert ["re: one"] == harness.channels.texts(WHERE)
    assert engine.prompts[0] == engine.prompts[1]
