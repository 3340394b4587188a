"""Commands: in both languages, typed, by button and by slash command, each for its own conversation."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bindings.delivery.outlet import Closing
from bindings.incoming import BotCommand, ThreadMessages
from bindings.intake.intake import Intake
from core.contract import Done, ModelProgress, Prompt, Text, Turn, Usage
from core.errors import ModelUnavailable, Stopping, StorageError
from core.texts import text
from tests.bindings.intake.support_intake import DIRECT, THREAD, BotHarness, message
from tests.support.fake_engine import FakeEngine, ReplyStep

WHERE = THREAD.conversation


class CountingEngine(FakeEngine):
    """Numbers its answers: "1: hello"."""

    def __init__(self) -> None:
        super().__init__(self.say, names=("whisper", "chuchotte", "guide"))

    def say(self, prompt: Prompt) -> Iterable[ReplyStep]:
        return (Text(f"{len(self.prompts)}: {prompt.text}"), Done("stop", "fake-model", Usage()))


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def harness(tmp_path: Path, engine: CountingEngine) -> BotHarness:
    return BotHarness(tmp_path / "var", engine)


class Gated:
    """Makes an engine write the first words and then wait."""

    def __init__(self, engine: FakeEngine) -> None:
        self.gate = asyncio.Event()
        engine.replies = self.say

    def say(self, prompt: Prompt) -> Iterable[ReplyStep]:
        return (Text("It begins"), self.gate, Text(" and ends."), Done("stop", "fake-model", Usage()))


async def until_shown(harness: BotHarness) -> None:
    await harness.until(lambda: harness.channels.texts(WHERE))


@pytest.mark.parametrize(
    ("text", "part", "language"),
    [("help", "Ask me anything", "en"), ("/Aide !", "Demandez-moi", "fr")],
)
async def test_help_names_the_personality_the_commands_and_the_retention(
    harness: BotHarness, engine: FakeEngine, text: str, part: str, language: str
) -> None:
    await harness.answer_all(message(text))

    (page,) = harness.channels.shown(WHERE)
    assert part in page.text
    assert language == page.language == harness.channels.languages[-1]
    assert ("Chuchotte" if language == "fr" else "Whisper") in page.text
    for fact in ("fake-model", "30", "JSON", "CSV", "{"):
        assert fact in page.text
    assert page.closing == Closing("", "")
    assert [] == engine.prompts


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("help", "model fake-model, a demonstration model of limited quality, until Ministral 3B is ready."),
        ("aide", "en attendant que Ministral 3B soit prêt."),
    ],
)
async def test_help_names_the_model_that_is_on_its_way(
    harness: BotHarness, engine: FakeEngine, text: str, phrase: str
) -> None:
    """After a failed download, only the model that answers is named."""
    engine.next_model = ModelProgress("Ministral 3B", "downloading", 1, 2)
    await harness.answer_all(message(text, 1))
    engine.next_model = ModelProgress("Ministral 3B", "failed")
    await harness.answer_all(message(text, 2))

    awaited, failed = harness.channels.texts(WHERE)
    assert phrase in awaited
    assert "Ministral" not in failed


async def test_help_works_without_a_model(harness: BotHarness, engine: FakeEngine) -> None:
    async def describe(personality: str, wait_s: float) -> None:
        raise ModelUnavailable("gone")

    engine.describe = describe  # type: ignore[assignment, method-assign]
    await harness.answer_all(message("help"))

    assert "no model is available at the moment" in harness.channels.texts(WHERE)[0]


@pytest.mark.parametrize("text", ["stop", "Arrête!"])
async def test_stop_ends_the_answer_with_a_note(harness: BotHarness, engine: FakeEngine, text: str) -> None:
    """The text so far stays, the model is free, and the next question is answered."""
    gated = Gated(engine)
    async with harness.process() as intake:
        await intake.take(message("A long story, please", 1))
        await until_shown(harness)
        await intake.take(message(text, 2, user="U2"))
        await harness.until_finished()
        assert engine.cancelled.is_set()
        gated.gate.set()
        await intake.take(message("And now?", 3))
        await harness.until_finished()

    first, second = harness.channels.shown(WHERE)
    assert ("It begins", "It begins and ends.") == (first.text, second.text)
    assert first.closing
    assert "Stopped" in str(first.closing.note)
    assert "fake-model" in first.closing.footer


@pytest.mark.parametrize(
    ("text", "answer"), [("stop", "No answer is being written"), ("arrêter", "Aucune réponse n’est en cours")]
)
async def test_stop_without_a_running_answer_gets_a_notice(harness: BotHarness, text: str, answer: str) -> None:
    await harness.answer_all(message("hello", 1, DIRECT), message(text, 2))

    assert answer in harness.channels.texts(WHERE)[0]


async def test_stop_does_not_affect_another_conversation(harness: BotHarness, engine: FakeEngine) -> None:
    gated = Gated(engine)
    async with harness.process() as intake:
        await intake.take(message("A story", 1))
        await until_shown(harness)
        await intake.take(message("stop", 2, DIRECT))
        gated.gate.set()
        await harness.until_finished()

    assert ["It begins and ends."] == harness.channels.texts(WHERE)


async def test_the_stop_button_of_the_platform_ends_the_answer_with_a_note(
    harness: BotHarness, engine: FakeEngine
) -> None:
    """It has to be pressed on the running answer's message."""
    Gated(engine)
    async with harness.process() as intake:
        await intake.take(message("A story", 1))
        await until_shown(harness)
        (ref,) = harness.channels.channels[WHERE].messages
        await intake.stop_answer(THREAD, "m-other")
        await intake.stop_answer(DIRECT, ref)
        assert not engine.cancelled.is_set()
        await intake.stop_answer(THREAD, ref)
        await harness.until_finished()

    (page,) = harness.channels.shown(WHERE)
    assert page.closing
    assert "Stopped" in str(page.closing.note)


async def test_a_deleted_question_ends_silently(harness: BotHarness, engine: FakeEngine) -> None:
    """This holds while it waits, and if only the channel is known. Nothing of it stays stored."""
    Gated(engine)
    async with harness.process() as intake:
        await intake.take(message("A secret story", 1))
        await intake.take(message("Another secret", 2))
        await until_shown(harness)
        await intake.withdraw_question(replace(THREAD, thread=None), "m2")
        await intake.withdraw_question(THREAD, "m-unknown")
        assert not engine.cancelled.is_set()
        await intake.withdraw_question(THREAD, "m1")
        await harness.until_finished()

    assert [] == harness.channels.shown(WHERE)
    assert 1 == len(engine.prompts)
    with closing(sqlite3.connect(harness.folder / "csps-llm.db")) as database:
        assert "secret" not in "\n".join(database.iterdump())


@pytest.mark.parametrize("text", ["again", "regenerate", "/Recommence", "Régénère !"])
async def test_regenerate_replaces_the_latest_answer_in_its_message(
    harness: BotHarness, engine: FakeEngine, text: str
) -> None:
    """The prompt has the question's key and its original thread messages."""
    harness.channels.thread = ThreadMessages((Turn("user", "said before"),))
    await harness.answer_all(message("one", 1), message("two", 2))
    harness.channels.thread = ThreadMessages((Turn("assistant", "said after"),))
    await harness.answer_all(message(text, 3))

    assert ["1: one", "3: two"] == harness.channels.texts(WHERE)
    before, again = engine.prompts[1:]
    assert replace(before, again=True) == again


async def test_a_button_regenerates_its_own_answer(harness: BotHarness, engine: FakeEngine) -> None:
    async with harness.process() as intake:
        for number, text in enumerate(("one", "two"), 1):
            await intake.take(message(text, number))
        await harness.until_finished()
        first = harness.channels.shown(WHERE)[0].closing
        assert first
        await intake.take(message("", 3, command=BotCommand("regenerate", first.answer_id)))
        await harness.until_finished()
        second = harness.channels.shown(WHERE)[0].closing

    assert ["3: one", "2: two"] == harness.channels.texts(WHERE)
    assert second
    assert first.answer_id == second.answer_id


async def test_an_answer_of_another_conversation_cannot_be_regenerated(harness: BotHarness, engine: FakeEngine) -> None:
    """The id of that answer does not help."""
    async with harness.process() as intake:
        await intake.take(message("one", 1))
        await harness.until_finished()
        shown = harness.channels.shown(WHERE)[0].closing
        assert shown
        await intake.take(message("", 2, DIRECT, user="U2", command=BotCommand("regenerate", shown.answer_id)))
        await intake.take(message("recommence", 3, DIRECT, user="U2"))
        await harness.until_finished()

    assert ["1: one"] == harness.channels.texts(WHERE)
    assert ["This conversation has no answer", "Cette conversation ne contient aucune réponse"] == [
        text[: len(part)]
        for text, part in zip(
            harness.channels.texts(DIRECT.conversation),
            ("This conversation has no answer", "Cette conversation ne contient aucune réponse"),
            strict=True,
        )
    ]
    assert 1 == len(engine.prompts)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("forget", "is forgotten"), ("Oublie cette conversation.", "est oubliée")],
)
async def test_forget_deletes_content_and_choices(
    harness: BotHarness, engine: FakeEngine, text: str, answer: str
) -> None:
    """The engine's data goes too. The running answer ends, and waiting messages are dropped."""
    gated = Gated(engine)
    async with harness.process() as intake:
        await intake.take(message("personality guide", 1))
        await harness.until_finished()
        await intake.take(message("a secret of mine", 2))
        await harness.until(lambda: "It begins" in harness.channels.texts(WHERE))
        await intake.take(message("my other secret", 3))
        await intake.take(message(text, 4))
        await harness.until_finished()
        assert not await intake.answers_without_mention(message("more"))

    assert answer in harness.channels.texts(WHERE)[-1]
    assert 1 == len(engine.prompts)
    assert {} == engine.sessions
    with closing(sqlite3.connect(harness.folder / "csps-llm.db")) as database:
        assert "secret" not in "\n".join(database.iterdump())
    gated.gate.set()
    await harness.answer_all(message("hello", 5))
    assert "whisper" == engine.prompts[-1].personality


async def test_forgetting_an_empty_conversation_succeeds(harness: BotHarness) -> None:
    await harness.answer_all(message("forget"))

    assert "is forgotten" in harness.channels.texts(WHERE)[0]


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (message("personality chuchotte"), "**Chuchotte** now answers"),
        (message("Personnalité Chuchotte"), "**Chuchotte** répond maintenant"),
        (message("", command=BotCommand("personality", "chuchotte")), "**Chuchotte** now answers"),
    ],
)
async def test_a_personality_is_chosen_for_the_conversation(
    harness: BotHarness, engine: FakeEngine, wanted: object, answer: str
) -> None:
    """It stays after a restart; other conversations do not change."""
    await harness.answer_all(wanted)  # type: ignore[arg-type]
    await harness.answer_all(message("What is this?", 2))
    await harness.answer_all(message("What is that?", 3, DIRECT))

    assert answer in harness.channels.texts(WHERE)[0]
    assert ["chuchotte", "whisper"] == [prompt.personality for prompt in engine.prompts]


@pytest.mark.parametrize(("text", "first"), [("personality", "Write “personality”"), ("personnalité nobody", "Aucune")])
async def test_the_personalities_are_listed(harness: BotHarness, text: str, first: str) -> None:
    """The current one is marked. An unknown name gets the list too."""
    await harness.answer_all(message(text))

    (shown,) = harness.channels.texts(WHERE)
    assert shown.startswith(first)
    for name in ("`whisper`", "`chuchotte`", "`guide`"):
        assert name in shown
    assert 1 == shown.count("(answers here)") + shown.count("(répond ici)")


async def test_a_message_that_only_begins_like_a_command_is_answered(harness: BotHarness, engine: FakeEngine) -> None:
    """A command word with a file attached is a question too."""
    harness.channels.files = {"u": b"text"}
    await harness.answer_all(message("stop using commas please", 1), message("help", 2, note__txt="u"))

    assert ["stop using commas please", "help"] == [prompt.text for prompt in engine.prompts]


async def test_slash_commands_offer_the_personalities(harness: BotHarness) -> None:
    async with harness.open() as intake:
        assert isinstance(intake, Intake)
        assert {"whisper", "chuchotte", "guide"} <= set(intake.personality_names())


async def test_forget_is_retried_after_a_failure_of_the_engine(harness: BotHarness, engine: FakeEngine) -> None:
    failures = iter([True])
    forget = engine.forget

    async def shaky(conversation: str) -> None:
        if next(failures, False):
            raise StorageError("locked")
        await forget(conversation)

    engine.forget = shaky  # type: ignore[method-assign]
    await harness.answer_all(message("hello", 1))
    await harness.answer_all(message("forget", 2))

    assert {} == engine.sessions
    assert 2 == len(harness.channels.shown(WHERE))


async def test_a_rejection_is_known_before_anything_is_posted(harness: BotHarness, engine: FakeEngine) -> None:
    """It covers the lists, the limit and a stopping bot; the question itself does not count."""
    harness.environ = {"BOT_USER_LIMIT": "1", "SLACK_DENY": "U2"}
    async with harness.process() as intake:
        for _ in range(3):
            assert intake.rejection(message("hello")) is None
        denied = intake.rejection(message("hello", user="U2"))
        await intake.take(message("hello"))
        limited = intake.rejection(message("hello", 2), "fr")
        await intake.drain(1)
        with pytest.raises(Stopping):
            intake.rejection(message("hello", 3))

    assert denied == text("bot-refused", "en")
    assert limited
    assert "10\u00a0minutes" in limited
