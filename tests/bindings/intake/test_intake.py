"""The intake: one answer for each message, in order, for those who may ask; and what stands under it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from bindings.delivery.outlet import Refused, Unreachable
from bindings.incoming import Place
from core.contract import Attachment, Done, Prompt, Text, Turn, Usage
from core.errors import ConfigError
from tests.bindings.intake.support_intake import DIRECT, THREAD, Office, message
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


async def test_a_message_is_answered_where_it_was_asked(office: Office, engine: FakeEngine) -> None:
    """By the personality of its language, with who wrote it and its key."""
    await office.asked(message("What is the time here?"), message("Quelle heure est-il chez vous ?", 2, DIRECT))

    assert ["re: What is the time here?"] == office.channels.texts(WHERE)
    assert ["re: Quelle heure est-il chez vous ?"] == office.channels.texts(DIRECT.conversation)
    english, french = sorted(engine.prompts, key=lambda prompt: prompt.personality, reverse=True)
    assert ("whisper", "en", WHERE, "slack:T1:U1") == (
        english.personality,
        english.language,
        english.conversation,
        english.user,
    )
    assert ("chuchotte", "fr") == (french.personality, french.language)
    assert english.key == message("").event
    assert not english.again


async def test_an_event_that_comes_four_times_is_answered_once(office: Office, engine: FakeEngine) -> None:
    """At once, later, and after a restart."""
    async with office.process() as intake:
        taken = await asyncio.gather(*(intake.take(message("one")) for _ in range(4)))
        await office.settled()
        taken.append(await intake.take(message("one")))
    async with office.process() as intake:
        taken.append(await intake.take(message("one")))
        await office.settled()

    assert 1 == taken.count(True)
    assert 1 == len(engine.prompts) == len(office.channels.shown(WHERE))
    assert 5 == office.metrics.repeats._value.get()
    assert 1 == office.metrics.events._value.get()


async def test_messages_of_a_conversation_are_answered_in_order(office: Office, engine: FakeEngine) -> None:
    """Each when the one before it is whole; another conversation does not wait for them."""
    gate = asyncio.Event()
    engine.replies = lambda prompt: (*((gate,) if prompt.text == "first" else ()), *echo(prompt))
    async with office.process() as intake:
        for number, text in enumerate(("first", "second", "third"), 1):
            await intake.take(message(text, number))
        await intake.take(message("elsewhere", 4, DIRECT))
        async with asyncio.timeout(10):
            while not office.channels.texts(DIRECT.conversation):
                await asyncio.sleep(0.005)
        assert not {"second", "third"} & {prompt.text for prompt in engine.prompts}
        gate.set()
        await office.settled()

    assert ["re: first", "re: second", "re: third"] == office.channels.texts(WHERE)


async def test_the_footer_says_that_it_is_ai_and_which_model(office: Office) -> None:
    """In the person's language; where the platform says the first, only the second."""
    await office.asked(message("What is this here?"))
    office.channels.ai_label = True
    await office.asked(message("Qu’est-ce que c’est que ça ?", 2, DIRECT))

    (english,), (french,) = office.channels.shown(WHERE), office.channels.shown(DIRECT.conversation)
    assert english.closing
    assert french.closing
    assert "Written by AI (model fake-model). Check important information." == english.closing.footer
    assert "Modèle\u00a0: fake-model" == french.closing.footer
    assert english.closing.answer != french.closing.answer != ""


async def test_privacy_is_told_at_the_first_contact_only(office: Office) -> None:
    """Once to each person, also over a restart: who runs it, for how long, and how to delete it."""
    await office.asked(message("hello there", 1), message("hello again there", 2))
    await office.asked(message("and again, my friend", 3), message("is it my turn?", 4, user="U2"))

    notices = [page.closing.notice for page in office.channels.shown(WHERE) if page.closing]
    assert [True, False, False, True] == [bool(notice) for notice in notices]
    assert "30 days" in str(notices[0])
    assert "forget" in str(notices[0])


async def test_what_others_said_and_what_is_attached_is_context(office: Office, engine: FakeEngine) -> None:
    """Files that are not read are named under the answer."""
    office.channels.said = (Turn("user", "We meet on Monday", "Ann"),)
    office.channels.files = {"u1": b"agenda"}
    asked = message("When do we meet?", notes__md="u1", scan__xlsx="u2")
    await office.asked(replace(asked, quoted=(Attachment("quoted", "a quote"),)))

    (prompt,) = engine.prompts
    assert (Attachment("quoted", "a quote"), Attachment("notes.md", "agenda")) == prompt.attachments
    assert office.channels.said == prompt.thread_messages
    (page,) = office.channels.shown(WHERE)
    assert page.closing
    assert "Not read: scan.xlsx" in str(page.closing.notice)
    assert ["u1"] == office.channels.fetched


async def test_files_that_were_read_in_part_are_named_under_the_answer(office: Office, engine: FakeEngine) -> None:
    async def first_words(name: str, body: bytes, media_type: str) -> Attachment:
        return Attachment(name, "The beginning.", cut=True)

    engine.read = first_words  # type: ignore[method-assign]
    office.channels.files = {"u1": b"%PDF"}
    await office.asked(message("What is in it?", long__pdf="u1"))

    (page,) = office.channels.shown(WHERE)
    assert page.closing
    assert "Read in part: long.pdf." in str(page.closing.notice)
    assert (Attachment("long.pdf", "The beginning.", cut=True),) == engine.prompts[0].attachments


@pytest.mark.parametrize("failure", [Unreachable("no"), Refused("no"), TimeoutError()])
async def test_a_thread_that_cannot_be_heard_is_answered_without(office: Office, failure: Exception) -> None:
    office.channels.said_failure = failure
    await office.asked(message("hello"))

    assert ["re: hello"] == office.channels.texts(WHERE)


async def test_a_mention_without_a_word_is_about_what_is_there(office: Office, engine: FakeEngine) -> None:
    """The file, or what was just said; and if there is nothing, the bot says what it can do."""
    office.channels.files = {"u1": b"agenda"}
    await office.asked(message("  ", 1, notes__txt="u1"))
    office.channels.said = (Turn("user", "Is it Monday?", "Ann"),)
    await office.asked(message("", 2))
    office.channels.said = ()
    await office.asked(message("", 3))

    assert ["Say briefly what this is about.", "Answer what was just said."] == [each.text for each in engine.prompts]
    assert "Ask me anything" in office.channels.texts(WHERE)[2]


async def test_an_unread_file_alone_is_answered_by_saying_so(office: Office, engine: FakeEngine) -> None:
    await office.asked(message("", 1, scan__xlsx="u"))

    assert [] == engine.prompts
    assert [
        "Not read: scan.xlsx. Its format is not supported. "
        "Supported formats: text, Markdown, HTML, CSV, JSON, PDF and Word (.docx)."
    ] == office.channels.texts(WHERE)


async def test_a_conversation_keeps_the_personality_that_it_began_with(office: Office, engine: FakeEngine) -> None:
    """Also when somebody goes on in the other language, and after the operator routes the channel elsewhere."""
    await office.asked(message("Where is the library?", 1))
    office.environ = {"SLACK_PERSONALITIES": "C1=guide"}
    await office.asked(message("Et à quelle heure est-ce que ça ouvre ?", 2))
    await office.asked(message("Hello?", 3, replace(THREAD, thread="2.0")))

    assert ["whisper", "whisper", "guide"] == [prompt.personality for prompt in engine.prompts]
    assert ["en", "fr"] == [prompt.language for prompt in engine.prompts][:2]


async def test_a_routed_name_that_is_not_there_ends_the_start(office: Office) -> None:
    office.environ = {"SLACK_PERSONALITY": "whisperer"}
    with pytest.raises(ConfigError, match="whisperer"):
        async with office.opened():
            pass


async def test_who_is_not_admitted_gets_silence_in_a_channel(office: Office, engine: FakeEngine) -> None:
    """And nothing of what they said is kept."""
    office.environ = {"SLACK_ALLOW": "T2"}
    async with office.process() as intake:
        assert await intake.take(message("a secret"))
        await office.settled()

    assert [] == engine.prompts
    assert {} == office.channels.channels
    assert b"a secret" not in b"".join(file.read_bytes() for file in office.folder.glob("*.db*"))


async def test_who_is_not_admitted_is_told_once_in_a_direct_message(office: Office, engine: FakeEngine) -> None:
    """In the language of what they wrote, of which nothing is kept."""
    office.environ = {"SLACK_DENY": "U1"}
    secret = "Dis-moi, c’est quoi le secret de la maison ?"
    await office.asked(message(secret, 1, DIRECT), message("Please?", 2, DIRECT))
    await office.asked(message("help", 3, DIRECT))

    assert [] == engine.prompts
    assert [
        "Cet agent conversationnel n’est pas configuré pour vous répondre ici. Ses responsables peuvent changer cela."
    ] == (office.channels.texts(DIRECT.conversation))
    assert b"secret" not in b"".join(file.read_bytes() for file in office.folder.glob("*.db*"))


async def test_a_person_who_asks_too_much_is_told_once(office: Office, engine: FakeEngine) -> None:
    """Repeats do not count; ten minutes later they are answered again; others are all the while."""
    office.environ = {"BOT_USER_LIMIT": "2"}
    async with office.process() as intake:
        for number in (1, 1, 1, 2, 3, 4, 5):
            await intake.take(message(f"message {number}", number))
        await intake.take(message("another person", 6, user="U2"))
        await office.settled()
        office.clock.now += 600
        await intake.take(message("later", 7))
        await office.settled()

    told = "You have sent many messages in a short time. Your next message will be answered in about 10 minutes."
    assert ["re: message 1", "re: message 2", told, "re: another person", "re: later"] == office.channels.texts(WHERE)
    assert 4 == len(engine.prompts)


async def test_stop_and_forget_are_never_too_much(office: Office) -> None:
    office.environ = {"BOT_USER_LIMIT": "1"}
    await office.asked(message("hello", 1), message("again", 2), message("stop", 3), message("forget", 4))

    assert "is forgotten" in office.channels.texts(WHERE)[-1]


async def test_taking_part_begins_with_the_first_question(office: Office) -> None:
    async with office.process() as intake:
        assert not await intake.is_participating(THREAD)
        await intake.take(message("one"))
        assert await intake.is_participating(THREAD)


async def test_feedback_is_for_answers_that_there_are(office: Office) -> None:
    async with office.process() as intake:
        await intake.take(message("one"))
        await office.settled()
        (page,) = office.channels.shown(WHERE)
        assert page.closing
        assert await intake.record_feedback(page.closing.answer, "U1", "good", "thanks")
        assert not await intake.record_feedback("made-up", "U1", "bad")

    assert 1 == office.metrics.feedback.labels("good")._value.get()


async def test_a_greeting_is_in_the_language_and_by_who_answers_there(office: Office) -> None:
    """It says that an AI answers and which model, and gives something to begin with."""
    async with office.process() as intake:
        french = await intake.greeting(DIRECT, "fr")
        either = await intake.greeting(DIRECT, None)

    assert ("Chuchotte", "fr") == (french.title, french.language)
    assert "modèle fake-model" in french.text
    assert ("Whisper", "en") == (either.title, either.language)
    assert 3 == len(french.prompts) == len(either.prompts)


async def test_of_a_workspace_that_uninstalled_the_bot_nothing_stays(office: Office, engine: FakeEngine) -> None:
    """Neither here nor with the engine; a direct message without a workspace is nobody's."""
    async with office.process() as intake:
        await intake.take(message("a secret"))
        await intake.take(message("hello", 2, Place("slack", "T2", "C", None, "channel")))
        await office.settled()
        await intake.forget_workspace("T1")
        await intake.forget_workspace("")
        assert {"slack:T2:C"} == set(engine.sessions)
        assert not await intake.is_participating(THREAD)


@pytest.mark.parametrize("way", ["forget", "left", "uninstalled"])
async def test_what_the_platform_keeps_of_a_conversation_goes_with_it(office: Office, way: str) -> None:
    """As files that wait for somebody's consent."""
    async with office.process() as intake:
        await intake.take(message("hello"))
        await office.settled()
        if way == "forget":
            await intake.take(message("forget", 2))
            await office.settled()
        elif way == "left":
            await intake.forget_places("T1", lambda place: place.channel == "C1")
        else:
            await intake.forget_workspace("T1")

    assert [WHERE] == office.channels.forgotten


async def test_what_the_platform_keeps_is_purged_with_the_deliveries(office: Office) -> None:
    """At the start, and then daily."""
    async with office.process():
        async with asyncio.timeout(10):
            while not office.channels.purges:
                await asyncio.sleep(0.005)


def test_metrics_name_nobody(office: Office) -> None:
    """Only bounded sets of labels."""
    names = [metric.name for metric in office.metrics.registry.collect()]

    assert {"csps_bot_events", "csps_bot_repeats", "csps_bot_calls", "csps_bot_answers", "csps_bot_connected"} <= set(
        names
    )
    assert json.dumps(names)
