"""Commands: in both languages, by words, buttons and slash commands, and only in one's own conversation."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bindings.delivery.outlet import Closing
from bindings.incoming import Command
from bindings.intake.intake import Intake
from core.contract import Done, Language, Prompt, Text, Turn, Usage
from core.errors import ModelUnavailable, Stopping, StorageError
from core.texts import text
from tests.bindings.intake.support_intake import DIRECT, THREAD, Office, message
from tests.support.fakes import FakeEngine, ReplyStep

WHERE = THREAD.conversation


class CountingEngine(FakeEngine):
    """Says which answer it is: "1: hello"."""

    def __init__(self) -> None:
        super().__init__(self.say, names=("whisper", "chuchotte", "guide"))

    def say(self, prompt: Prompt) -> Iterable[ReplyStep]:
        return (Text(f"{len(self.prompts)}: {prompt.text}"), Done("stop", "fake-model", Usage()))


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine()


@pytest.fixture
def office(tmp_path: Path, engine: CountingEngine) -> Office:
    return Office(tmp_path / "var", engine)


class Gated:
    """An engine that writes the first words and then waits."""

    def __init__(self, engine: FakeEngine) -> None:
        self.gate = asyncio.Event()
        engine.replies = self.say

    def say(self, prompt: Prompt) -> Iterable[ReplyStep]:
        return (Text("It begins"), self.gate, Text(" and ends."), Done("stop", "fake-model", Usage()))


async def until_shown(office: Office, conversation: str = WHERE) -> None:
    async with asyncio.timeout(10):
        while not office.channels.texts(conversation):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("text", "part", "language"),
    [("help", "Ask me anything", "en"), ("/Aide !", "Demandez-moi", "fr")],
)
async def test_help_says_who_answers_what_can_be_done_and_what_is_kept(
    office: Office, engine: FakeEngine, text: str, part: str, language: str
) -> None:
    await office.asked(message(text))

    (page,) = office.channels.shown(WHERE)
    assert part in page.text
    assert language == page.language == office.channels.languages[-1]
    assert ("Chuchotte" if language == "fr" else "Whisper") in page.text
    for fact in ("fake-model", "30", "JSON", "CSV", "{"):
        assert fact in page.text
    assert page.closing == Closing("", "")
    assert [] == engine.prompts


async def test_help_also_comes_while_no_model_answers(office: Office, engine: FakeEngine) -> None:
    async def describe(personality: str) -> None:
        raise ModelUnavailable("gone")

    engine.describe = describe  # type: ignore[assignment, method-assign]
    await office.asked(message("help"))

    assert "no model is available at the moment" in office.channels.texts(WHERE)[0]


@pytest.mark.parametrize("text", ["stop", "Arrête!"])
async def test_stop_ends_the_answer_with_a_note(office: Office, engine: FakeEngine, text: str) -> None:
    """What was written stands, the model is free, and the next question is answered."""
    gated = Gated(engine)
    async with office.process() as intake:
        await intake.take(message("A long story, please", 1))
        await until_shown(office)
        await intake.take(message(text, 2, user="U2"))
        await office.settled()
        assert engine.cancelled.is_set()
        gated.gate.set()
        await intake.take(message("And now?", 3))
        await office.settled()

    first, second = office.channels.shown(WHERE)
    assert ("It begins", "It begins and ends.") == (first.text, second.text)
    assert first.closing
    assert "Stopped" in str(first.closing.note)
    assert "fake-model" in first.closing.footer


@pytest.mark.parametrize(
    ("text", "answer"), [("stop", "No answer is being written"), ("arrêter", "Aucune réponse n’est en cours")]
)
async def test_stop_where_nothing_is_written_says_so(office: Office, text: str, answer: str) -> None:
    await office.asked(message("hello", 1, DIRECT), message(text, 2))

    assert answer in office.channels.texts(WHERE)[0]


async def test_stop_does_not_reach_another_conversation(office: Office, engine: FakeEngine) -> None:
    gated = Gated(engine)
    async with office.process() as intake:
        await intake.take(message("A story", 1))
        await until_shown(office)
        await intake.take(message("stop", 2, DIRECT))
        gated.gate.set()
        await office.settled()

    assert ["It begins and ends."] == office.channels.texts(WHERE)


async def test_the_platforms_own_stop_ends_the_answer_with_a_note(office: Office, engine: FakeEngine) -> None:
    """If it was pressed on the message that is being written."""
    Gated(engine)
    async with office.process() as intake:
        await intake.take(message("A story", 1))
        await until_shown(office)
        (ref,) = office.channels.channels[WHERE].messages
        await intake.stop_answer(THREAD, "m-other")
        await intake.stop_answer(DIRECT, ref)
        assert not engine.cancelled.is_set()
        await intake.stop_answer(THREAD, ref)
        await office.settled()

    (page,) = office.channels.shown(WHERE)
    assert page.closing
    assert "Stopped" in str(page.closing.note)


async def test_a_question_that_is_deleted_ends_quietly(office: Office, engine: FakeEngine) -> None:
    """Also while it waits, and where only the channel is known; nothing of it stays."""
    Gated(engine)
    async with office.process() as intake:
        await intake.take(message("A secret story", 1))
        await intake.take(message("Another secret", 2))
        await until_shown(office)
        await intake.withdraw_question(replace(THREAD, thread=None), "m2")
        await intake.withdraw_question(THREAD, "m-unknown")
        assert not engine.cancelled.is_set()
        await intake.withdraw_question(THREAD, "m1")
        await office.settled()

    assert [] == office.channels.shown(WHERE)
    assert 1 == len(engine.prompts)
    with closing(sqlite3.connect(office.folder / "csps-llm.db")) as database:
        assert "secret" not in "\n".join(database.iterdump())


@pytest.mark.parametrize("text", ["again", "regenerate", "/Recommence", "Régénère !"])
async def test_regenerate_writes_the_latest_answer_anew_in_its_place(
    office: Office, engine: FakeEngine, text: str
) -> None:
    """Under the key of the question, with what was heard then; nothing is posted."""
    office.channels.said = (Turn("user", "said before"),)
    await office.asked(message("one", 1), message("two", 2))
    office.channels.said = (Turn("assistant", "said after"),)
    await office.asked(message(text, 3))

    assert ["1: one", "3: two"] == office.channels.texts(WHERE)
    before, again = engine.prompts[1:]
    assert replace(before, again=True) == again


async def test_a_button_regenerates_its_own_answer(office: Office, engine: FakeEngine) -> None:
    async with office.process() as intake:
        for number, text in enumerate(("one", "two"), 1):
            await intake.take(message(text, number))
        await office.settled()
        first = office.channels.shown(WHERE)[0].closing
        assert first
        await intake.take(message("", 3, command=Command("regenerate", first.answer)))
        await office.settled()
        second = office.channels.shown(WHERE)[0].closing

    assert ["3: one", "2: two"] == office.channels.texts(WHERE)
    assert second
    assert first.answer == second.answer


async def test_nobody_regenerates_an_answer_of_another_conversation(office: Office, engine: FakeEngine) -> None:
    """Whatever id they present."""
    async with office.process() as intake:
        await intake.take(message("one", 1))
        await office.settled()
        shown = office.channels.shown(WHERE)[0].closing
        assert shown
        await intake.take(message("", 2, DIRECT, user="U2", command=Command("regenerate", shown.answer)))
        await intake.take(message("recommence", 3, DIRECT, user="U2"))
        await office.settled()

    assert ["1: one"] == office.channels.texts(WHERE)
    assert ["This conversation has no answer", "Cette conversation ne contient aucune réponse"] == [
        text[: len(part)]
        for text, part in zip(
            office.channels.texts(DIRECT.conversation),
            ("This conversation has no answer", "Cette conversation ne contient aucune réponse"),
            strict=True,
        )
    ]
    assert 1 == len(engine.prompts)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("forget", "is forgotten"), ("Oublie cette conversation.", "est oubliée")],
)
async def test_forget_deletes_what_was_said_and_chosen(
    office: Office, engine: FakeEngine, text: str, answer: str
) -> None:
    """Here and with the engine; the answer under way ends, what waits is dropped."""
    gated = Gated(engine)
    async with office.process() as intake:
        await intake.take(message("personality guide", 1))
        await office.settled()
        await intake.take(message("a secret of mine", 2))
        async with asyncio.timeout(10):
            while "It begins" not in office.channels.texts(WHERE):
                await asyncio.sleep(0.005)
        await intake.take(message("my other secret", 3))
        await intake.take(message(text, 4))
        await office.settled()
        assert not await intake.is_participating(THREAD)

    assert answer in office.channels.texts(WHERE)[-1]
    assert 1 == len(engine.prompts)
    assert {} == engine.sessions
    with closing(sqlite3.connect(office.folder / "csps-llm.db")) as database:
        assert "secret" not in "\n".join(database.iterdump())
    gated.gate.set()
    await office.asked(message("hello", 5))
    assert "whisper" == engine.prompts[-1].personality


async def test_forgetting_what_never_was_is_fine(office: Office) -> None:
    await office.asked(message("forget"))

    assert "is forgotten" in office.channels.texts(WHERE)[0]


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (message("personality chuchotte"), "**Chuchotte** now answers"),
        (message("Personnalité Chuchotte"), "**Chuchotte** répond maintenant"),
        (message("", command=Command("personality", "chuchotte")), "**Chuchotte** now answers"),
    ],
)
async def test_a_personality_is_chosen_for_the_conversation(
    office: Office, engine: FakeEngine, wanted: object, answer: str
) -> None:
    """By words or a slash command; it stays over a restart and elsewhere nothing changes."""
    await office.asked(wanted)  # type: ignore[arg-type]
    await office.asked(message("What is this?", 2))
    await office.asked(message("What is that?", 3, DIRECT))

    assert answer in office.channels.texts(WHERE)[0]
    assert ["chuchotte", "whisper"] == [prompt.personality for prompt in engine.prompts]


@pytest.mark.parametrize(("text", "first"), [("personality", "Write “personality”"), ("personnalité nobody", "Aucune")])
async def test_those_that_can_be_chosen_are_listed(office: Office, text: str, first: str) -> None:
    """With who answers now; also where the name is not one of them."""
    await office.asked(message(text))

    (shown,) = office.channels.texts(WHERE)
    assert shown.startswith(first)
    for name in ("`whisper`", "`chuchotte`", "`guide`"):
        assert name in shown
    assert 1 == shown.count("(answers here)") + shown.count("(répond ici)")


async def test_a_message_that_only_begins_like_a_command_is_answered(office: Office, engine: FakeEngine) -> None:
    """And so is one that a file came with."""
    office.channels.files = {"u": b"text"}
    await office.asked(message("stop using commas please", 1), message("help", 2, note__txt="u"))

    assert ["stop using commas please", "help"] == [prompt.text for prompt in engine.prompts]


async def test_the_names_for_slash_commands_are_the_personalities(office: Office) -> None:
    async with office.opened() as intake:
        assert isinstance(intake, Intake)
        assert {"whisper", "chuchotte", "guide"} <= set(intake.personality_names())


async def test_a_failure_of_the_engine_does_not_keep_a_conversation_from_being_forgotten_later(
    office: Office, engine: FakeEngine
) -> None:
    """The wish is tried again until it is done."""
    failures = iter([True])
    forget = engine.forget

    async def shaky(conversation: str) -> None:
        if next(failures, False):
            raise StorageError("locked")
        await forget(conversation)

    engine.forget = shaky  # type: ignore[method-assign]
    await office.asked(message("hello", 1))
    await office.asked(message("forget", 2))

    assert {} == engine.sessions
    assert 2 == len(office.channels.shown(WHERE))


CHANNEL = replace(THREAD, thread=None, threaded=True)  # of a slash command, where conversations are threads
SECRETARY = replace(DIRECT, threaded=True)


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Nothing was deleted: in this channel, each thread"), ("fr", "Rien n’a été supprimé\u00a0: dans ce canal")],
)
@pytest.mark.parametrize("way", ["slash command", "first of its thread"])
async def test_where_threads_are_conversations_a_wish_outside_of_them_deletes_nothing(
    office: Office, engine: FakeEngine, way: str, language: Language, told: str
) -> None:
    """Other people's words among them; and it says so, and how it is done."""
    place = CHANNEL if way == "slash command" else replace(THREAD, thread="m2")
    wish = replace(message("", 2, place, language=language), command=Command("forget"))
    await office.asked(message("hello"), wish)

    (page,) = office.channels.shown(place.conversation)
    assert page.text.startswith(told)
    assert WHERE in engine.sessions


async def test_in_a_direct_conversation_it_is_forgotten_and_threads_are_named(
    office: Office, engine: FakeEngine
) -> None:
    """They are conversations of their own."""
    thread = replace(DIRECT, thread="1.0")
    wish = message("", 3, SECRETARY, command=Command("forget"))
    await office.asked(message("hello", 1, DIRECT), message("hello", 2, thread), wish)

    told = office.channels.texts(DIRECT.conversation)[-1]
    assert "This conversation is forgotten" in told
    assert "Threads are separate conversations" in told
    assert {thread.conversation} == set(engine.sessions)


async def test_a_personality_chosen_for_a_channel_answers_in_threads_that_begin_there(
    office: Office, engine: FakeEngine
) -> None:
    """Not in those that were there, nor where somebody chose another, nor in other channels; and a restart later."""
    later, own = replace(THREAD, thread="2.0"), replace(THREAD, thread="3.0")
    choice = message("guide", 2, CHANNEL, command=Command("personality", "guide"))
    await office.asked(message("hello", 1), choice)
    await office.asked(
        message("hello", 3),
        message("hello", 4, later),
        message("personality chuchotte", 5, own),
        message("hello", 6, own),
        message("hello", 7, replace(later, channel="C2")),
    )

    answered = {prompt.conversation: prompt.personality for prompt in engine.prompts}
    assert {
        WHERE: "whisper",
        later.conversation: "guide",
        own.conversation: "chuchotte",
        "slack:T1:C2:2.0": "whisper",
    } == answered
    (told,) = office.channels.texts(CHANNEL.conversation)
    assert "in threads that begin here from now on. To change who answers in an existing thread" in told


async def test_a_personality_chosen_in_a_direct_conversation_answers_there_and_in_new_threads(
    office: Office, engine: FakeEngine
) -> None:
    choice = message("", 2, SECRETARY, command=Command("personality", "guide"))
    await office.asked(message("hello", 1, DIRECT), choice)
    await office.asked(message("hello", 3, DIRECT), message("hello", 4, replace(DIRECT, thread="1.0")))

    assert ["whisper", "guide", "guide"] == [prompt.personality for prompt in engine.prompts]


async def test_a_channels_choice_that_is_used_is_not_old(office: Office, engine: FakeEngine) -> None:
    """What nobody used for as long as anything is kept goes."""
    day_s = 24 * 3600
    await office.asked(message("", 1, CHANNEL, command=Command("personality", "guide")))
    for day in range(1, 4):
        office.clock.now += 20 * day_s
        await office.asked(message("hello", 1 + day, replace(THREAD, thread=f"{day}.0")))
    office.clock.now += 40 * day_s
    async with office.opened():
        await office.store.purge(timedelta(days=30))
    await office.asked(message("hello", 9, replace(THREAD, thread="9.0")))

    assert ["guide", "guide", "guide", "whisper"] == [prompt.personality for prompt in engine.prompts]


async def test_who_would_be_turned_away_is_known_before_anything_is_shown(office: Office, engine: FakeEngine) -> None:
    """By the lists, the limit, and a stop; asking about it counts for nothing."""
    office.environ = {"BOT_USER_LIMIT": "1", "SLACK_DENY": "U2"}
    async with office.process() as intake:
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
