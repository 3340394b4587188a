"""The intake: one answer for each admitted message, in order, with its footer and notices."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from bindings.delivery.outlet import Refused, Unreachable
from bindings.incoming import AttachedFile, FoundParts, Place, ThreadMessages, UnreadPart
from core.contract import Attachment, Omission, Turn
from core.errors import ConfigError
from core.texts import text
from tests.bindings.intake.support_intake import DIRECT, THREAD, BotHarness, echo, message
from tests.support.fake_engine import FakeEngine

PARTLY = (Omission("pages", 60, 113),)
WHERE = THREAD.conversation


async def test_a_message_is_answered_in_its_place(harness: BotHarness, engine: FakeEngine) -> None:
    """The personality fits the language; the prompt has the person and the event key."""
    await harness.answer_all(message("What is the time here?"), message("Quelle heure est-il chez vous ?", 2, DIRECT))

    assert ["re: What is the time here?"] == harness.channels.texts(WHERE)
    assert ["re: Quelle heure est-il chez vous ?"] == harness.channels.texts(DIRECT.conversation)
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


async def test_an_event_delivered_repeatedly_is_answered_once(harness: BotHarness, engine: FakeEngine) -> None:
    """Repeats come at once, later, and after a restart."""
    async with harness.process() as intake:
        taken = await asyncio.gather(*(intake.take(message("one")) for _ in range(4)))
        await harness.until_finished()
        taken.append(await intake.take(message("one")))
    async with harness.process() as intake:
        taken.append(await intake.take(message("one")))
        await harness.until_finished()

    assert 1 == taken.count(True)
    assert 1 == len(engine.prompts) == len(harness.channels.shown(WHERE))
    assert 5 == harness.metrics.repeats._value.get()
    assert 1 == harness.metrics.events._value.get()


async def test_messages_of_a_conversation_are_answered_in_order(harness: BotHarness, engine: FakeEngine) -> None:
    """Each waits for the previous answer; another conversation does not."""
    gate = asyncio.Event()
    engine.replies = lambda prompt: (*((gate,) if prompt.text == "first" else ()), *echo(prompt))
    async with harness.process() as intake:
        for number, text in enumerate(("first", "second", "third"), 1):
            await intake.take(message(text, number))
        await intake.take(message("elsewhere", 4, DIRECT))
        await harness.until(lambda: harness.channels.texts(DIRECT.conversation))
        assert not {"second", "third"} & {prompt.text for prompt in engine.prompts}
        gate.set()
        await harness.until_finished()

    assert ["re: first", "re: second", "re: third"] == harness.channels.texts(WHERE)


async def test_the_footer_names_ai_and_the_model(harness: BotHarness) -> None:
    """It is in the person's language. Where the platform labels AI, it names only the model."""
    await harness.answer_all(message("What is this here?"))
    harness.channels.ai_label = True
    await harness.answer_all(message("Qu’est-ce que c’est que ça ?", 2, DIRECT))

    (english,), (french,) = harness.channels.shown(WHERE), harness.channels.shown(DIRECT.conversation)
    assert english.closing
    assert french.closing
    assert "Written by AI (model fake-model). Check important information." == english.closing.footer
    assert "Modèle\u00a0: fake-model" == french.closing.footer
    assert english.closing.answer_id != french.closing.answer_id != ""


async def test_the_privacy_notice_comes_at_first_contact_only(harness: BotHarness) -> None:
    """Each person gets it once, also over a restart: the operator, the number of days, and how to delete."""
    await harness.answer_all(message("hello there", 1), message("hello again there", 2))
    await harness.answer_all(message("and again, my friend", 3), message("is it my turn?", 4, user="U2"))

    notices = [page.closing.notice for page in harness.channels.shown(WHERE) if page.closing]
    assert [True, False, False, True] == [bool(notice) for notice in notices]
    assert "30 days" in str(notices[0])
    assert "forget" in str(notices[0])


async def test_thread_messages_and_attachments_reach_the_prompt(harness: BotHarness, engine: FakeEngine) -> None:
    """The notice below the answer names unread files."""
    minutes = AttachedFile("minutes.txt", "u3", "text/plain")
    harness.channels.thread = ThreadMessages((Turn("user", "We meet on Monday", "Ann"),), (minutes,))
    harness.channels.files = {"u1": b"agenda", "u3": b"rooms"}
    asked = message("When do we meet?", notes__md="u1", scan__png="u2")
    await harness.answer_all(replace(asked, quoted=(Attachment("quoted", "a quote"),)))

    (prompt,) = engine.prompts
    assert (
        Attachment("quoted", "a quote"),
        Attachment("notes.md", "agenda"),
        Attachment("minutes.txt", "rooms"),
    ) == prompt.attachments
    assert harness.channels.thread.turns == prompt.thread_messages
    (page,) = harness.channels.shown(WHERE)
    assert page.closing
    assert "Not read: scan.png" in str(page.closing.notice)
    assert ["u1", "u3"] == harness.channels.fetched


async def test_partly_read_files_are_named_below_the_answer(harness: BotHarness, engine: FakeEngine) -> None:
    async def first_words(name: str, body: bytes, media_type: str) -> Attachment:
        return Attachment(name, "The beginning.", omissions=PARTLY)

    engine.read = first_words  # type: ignore[method-assign]
    harness.channels.files = {"u1": b"%PDF"}
    await harness.answer_all(message("What is in it?", long__pdf="u1"))

    (page,) = harness.channels.shown(WHERE)
    assert page.closing
    assert "I read long.pdf only in part" in str(page.closing.notice)
    assert (Attachment("long.pdf", "The beginning.", omissions=PARTLY),) == engine.prompts[0].attachments


@pytest.mark.parametrize("failure", [Unreachable("no"), Refused("no"), TimeoutError()])
async def test_a_message_is_answered_without_an_unreadable_thread(harness: BotHarness, failure: Exception) -> None:
    harness.channels.thread_failure = failure
    await harness.answer_all(message("hello"))

    assert ["re: hello"] == harness.channels.texts(WHERE)


async def test_an_empty_mention_is_about_its_files_or_thread(harness: BotHarness, engine: FakeEngine) -> None:
    """Without either, the bot posts its help text."""
    harness.channels.files = {"u1": b"agenda", "u3": b"rooms"}
    await harness.answer_all(message("  ", 1, notes__txt="u1"))
    harness.channels.thread = ThreadMessages((Turn("user", "Is it Monday?", "Ann"),))
    await harness.answer_all(message("", 2))
    harness.channels.thread = ThreadMessages()
    await harness.answer_all(message("", 3))

    assert ["Say briefly what this is about.", "Answer what was just said."] == [each.text for each in engine.prompts]
    assert "Ask me anything" in harness.channels.texts(WHERE)[2]


async def test_an_unread_file_alone_gets_a_notice(harness: BotHarness, engine: FakeEngine) -> None:
    await harness.answer_all(message("", 1, scan__png="u"))

    assert [] == engine.prompts
    assert ["Not read: scan.png. It is a picture; write or paste the text that it shows."] == harness.channels.texts(
        WHERE
    )


async def test_a_conversation_keeps_its_first_personality(harness: BotHarness, engine: FakeEngine) -> None:
    """It stays after a change of language and after the operator routes the channel elsewhere."""
    await harness.answer_all(message("Where is the library?", 1))
    harness.environ = {"SLACK_PERSONALITIES": "C1=guide"}
    await harness.answer_all(message("Et à quelle heure est-ce que ça ouvre ?", 2))
    await harness.answer_all(message("Hello?", 3, replace(THREAD, thread="2.0")))

    assert ["whisper", "whisper", "guide"] == [prompt.personality for prompt in engine.prompts]
    assert ["en", "fr"] == [prompt.language for prompt in engine.prompts][:2]


async def test_an_unknown_personality_in_the_settings_prevents_the_start(harness: BotHarness) -> None:
    harness.environ = {"SLACK_PERSONALITY": "whisperer"}
    with pytest.raises(ConfigError, match="whisperer"):
        async with harness.open():
            pass


async def test_a_rejected_person_gets_one_notice_in_a_channel(harness: BotHarness, engine: FakeEngine) -> None:
    """Nothing of the message is stored."""
    harness.environ = {"SLACK_ALLOW": "T2"}
    async with harness.process() as intake:
        assert await intake.take(message("a secret"))
        assert await intake.take(message("a secret, again", 2))
        await harness.until_finished()

    assert [] == engine.prompts
    assert [text("bot-refused", "en")] == harness.channels.texts(WHERE)
    assert b"a secret" not in b"".join(file.read_bytes() for file in harness.folder.glob("*.db*"))


async def test_a_rejected_person_gets_one_notice_in_a_direct_message(harness: BotHarness, engine: FakeEngine) -> None:
    """It is in the language of the message, whose text is not stored."""
    harness.environ = {"SLACK_DENY": "U1"}
    secret = "Dis-moi, c’est quoi le secret de la maison ?"
    await harness.answer_all(message(secret, 1, DIRECT), message("Please?", 2, DIRECT))
    await harness.answer_all(message("help", 3, DIRECT))

    assert [] == engine.prompts
    assert [
        "Cet agent conversationnel n’est pas configuré pour vous répondre ici. Ses responsables peuvent changer cela."
    ] == (harness.channels.texts(DIRECT.conversation))
    assert b"secret" not in b"".join(file.read_bytes() for file in harness.folder.glob("*.db*"))


async def test_the_message_limit_gives_one_notice(harness: BotHarness, engine: FakeEngine) -> None:
    """Repeats do not count, the limit ends after ten minutes, and other people are not affected."""
    harness.environ = {"BOT_USER_LIMIT": "2"}
    async with harness.process() as intake:
        for number in (1, 1, 1, 2, 3, 4, 5):
            await intake.take(message(f"message {number}", number))
        await intake.take(message("another person", 6, user="U2"))
        await harness.until_finished()
        harness.clock.now += 600
        await intake.take(message("later", 7))
        await harness.until_finished()

    notice = "You have sent many messages in a short time. Your next message will be answered in about 10 minutes."
    assert ["re: message 1", "re: message 2", notice, "re: another person", "re: later"] == harness.channels.texts(
        WHERE
    )
    assert 4 == len(engine.prompts)


async def test_the_limit_does_not_apply_to_stop_and_forget(harness: BotHarness) -> None:
    harness.environ = {"BOT_USER_LIMIT": "1"}
    await harness.answer_all(message("hello", 1), message("again", 2), message("stop", 3), message("forget", 4))

    assert "is forgotten" in harness.channels.texts(WHERE)[-1]


async def test_participation_begins_with_the_first_question(harness: BotHarness) -> None:
    async with harness.process() as intake:
        assert not await intake.answers_without_mention(message("more"))
        await intake.take(message("one"))
        assert await intake.answers_without_mention(message("more"))


async def test_feedback_needs_an_existing_answer(harness: BotHarness) -> None:
    async with harness.process() as intake:
        await intake.take(message("one"))
        await harness.until_finished()
        (page,) = harness.channels.shown(WHERE)
        assert page.closing
        assert await intake.record_feedback(page.closing.answer_id, "U1", "good", "thanks")
        assert not await intake.record_feedback("made-up", "U1", "bad")

    assert 1 == harness.metrics.feedback.labels("good")._value.get()


async def test_the_greeting_has_the_language_and_personality_of_the_place(harness: BotHarness) -> None:
    """It names AI and the model, and suggests questions."""
    async with harness.process() as intake:
        french = await intake.greeting(DIRECT, "fr")
        either = await intake.greeting(DIRECT, None)

    assert ("Chuchotte", "fr") == (french.title, french.language)
    assert "modèle fake-model" in french.text
    assert ("Whisper", "en") == (either.title, either.language)
    assert 3 == len(french.prompts) == len(either.prompts)


async def test_forgetting_a_workspace_deletes_all_its_data(harness: BotHarness, engine: FakeEngine) -> None:
    """The engine's data goes too. An empty workspace id (Discord's direct messages) deletes nothing."""
    async with harness.process() as intake:
        await intake.take(message("a secret"))
        await intake.take(message("hello", 2, Place("slack", "T2", "C", None, "channel")))
        await harness.until_finished()
        await intake.forget_workspace("T1")
        await intake.forget_workspace("")
        assert {"slack:T2:C"} == set(engine.sessions)
        assert not await intake.answers_without_mention(message("more"))


@pytest.mark.parametrize("way", ["forget", "left", "uninstalled"])
async def test_the_platform_forgets_a_conversation_too(harness: BotHarness, way: str) -> None:
    """It may hold files that await somebody's consent."""
    async with harness.process() as intake:
        await intake.take(message("hello"))
        await harness.until_finished()
        if way == "forget":
            await intake.take(message("forget", 2))
            await harness.until_finished()
        elif way == "left":
            await intake.forget_places("T1", lambda place: place.channel == "C1")
        else:
            await intake.forget_workspace("T1")

    assert [WHERE] == harness.channels.forgotten


async def test_the_platform_is_purged_with_the_deliveries(harness: BotHarness) -> None:
    """This happens at the start and then daily."""
    async with harness.process():
        await harness.until(lambda: harness.channels.purges)


def test_metrics_identify_nobody(harness: BotHarness) -> None:
    """Labels are bounded sets."""
    names = [metric.name for metric in harness.metrics.registry.collect()]

    assert {"csps_bot_events", "csps_bot_repeats", "csps_bot_calls", "csps_bot_answers", "csps_bot_connected"} <= set(
        names
    )
    assert json.dumps(names)


@pytest.mark.parametrize(
    ("environ", "by_who_asked", "by_another"),
    [
        ({}, True, True),
        ({"SLACK_REPLY_IN_THREADS": "asked"}, True, False),
        ({"SLACK_REPLY_IN_THREADS": "mentions"}, False, False),
        ({"SLACK_REPLY_IN_THREADS_OF": "C1=mentions"}, False, False),
        ({"SLACK_REPLY_IN_THREADS": "mentions", "SLACK_REPLY_IN_THREADS_OF": "C1=asked"}, True, False),
        ({"SLACK_REPLY_IN_THREADS": "mentions", "SLACK_ANSWER_WITHOUT_MENTION": "C1"}, True, True),
    ],
)
async def test_the_channel_decides_who_is_answered_without_a_mention(
    harness: BotHarness, environ: dict[str, str], by_who_asked: bool, by_another: bool
) -> None:
    harness.environ = environ
    async with harness.process() as intake:
        await intake.take(message("one"))

        assert by_who_asked == await intake.answers_without_mention(message("two"))
        assert by_another == await intake.answers_without_mention(message("two", user="U2"))
        assert not await intake.answers_without_mention(replace(message("two"), groups=("bots",)))


async def test_a_listed_channel_needs_no_first_mention(harness: BotHarness) -> None:
    harness.environ = {"SLACK_ANSWER_WITHOUT_MENTION": "C1"}
    async with harness.process() as intake:
        assert await intake.answers_without_mention(message("one"))
        assert not await intake.answers_without_mention(
            message("one", place=Place("slack", "T1", "C2", "1", "channel"))
        )


async def test_two_bots_form_no_loop(harness: BotHarness, engine: FakeEngine) -> None:
    """A listed bot gets one answer in a conversation until a person asks there. Other bots get nothing at all."""
    harness.environ = {"SLACK_BOTS": "B1"}
    texts = [("B1", "alert"), ("B1", "thanks"), ("B2", "hi"), ("U1", "a question"), ("B1", "alert again")]
    for number, (author, words) in enumerate(texts, 1):
        groups = ("bots",) if author.startswith("B") else ()
        await harness.answer_all(replace(message(words, number, user=author), groups=groups))

    assert ["alert", "a question", "alert again"] == [prompt.text for prompt in engine.prompts]
    assert 3 == len(harness.channels.shown(WHERE))


async def test_people_of_other_organisations_are_refused_in_their_language(
    harness: BotHarness, engine: FakeEngine
) -> None:
    asked = message("Bonjour, pourriez-vous m’aider avec ce document?", language="en")
    await harness.answer_all(replace(asked, groups=("external",)))

    assert engine.prompts == []
    assert [text("bot-refused", "fr")] == harness.channels.texts(WHERE)


async def test_parts_that_cannot_be_read_are_named_to_the_person_and_the_model(
    harness: BotHarness, engine: FakeEngine
) -> None:
    await harness.answer_all(replace(message("What is this?"), unread=(UnreadPart("image", "plan.png"),)))

    (prompt,) = engine.prompts
    (note,) = prompt.attachments
    (page,) = harness.channels.shown(WHERE)
    assert page.closing
    assert "an image (plan.png)" in note.text
    assert "an image (plan.png)" in str(page.closing.notice)


async def test_a_part_that_the_platform_found_is_not_named_as_unread(harness: BotHarness, engine: FakeEngine) -> None:
    """Teams' events lack files of channels; the thread in Microsoft Graph has them. Missing parts are still named."""
    harness.channels.files = {"u1": b"agenda"}
    found = FoundParts(
        (AttachedFile("agenda.txt", "u1", "text/plain"),),
        (Attachment("forwarded", "Due Friday"),),
        (UnreadPart("file"), UnreadPart("image")),
    )
    harness.channels.thread = ThreadMessages(found=found)
    await harness.answer_all(replace(message("What is this?"), unread=(UnreadPart("file"),) * 2))

    forwarded, agenda, note = engine.prompts[0].attachments
    assert Attachment("forwarded", "Due Friday") == forwarded
    assert (Attachment("agenda.txt", "agenda"), "a file") == (agenda, note.text.split(": ")[1].partition(".")[0])
