"""Each kind of event has its effects on the intake and its answer to the person."""

from __future__ import annotations

import pytest

from bindings.incoming import ThreadMessages
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import ALICE, CHANNEL, DM, GUILD, ME, THREAD, payload
from bindings.selftest.discord_server import FakeDiscord
from core.errors import Stopping, StorageError
from core.runtime.backoff import Backoff
from tests.bindings.discord.conftest import RunBot
from tests.bindings.discord.support_fake_intake import IntakeSpy


async def test_a_mention_reaches_the_intake(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """It has the text that people see."""
    async with run_bot() as adapter:
        await fake.send("message_mention")
        await intake.until(lambda: intake.messages)
        assert adapter.client.user is not None

    (incoming,) = intake.messages
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}"
    assert (incoming.user, incoming.text) == (ALICE["id"], "Hey what is a feed? :blob:")


async def test_a_mention_of_the_bots_role_reaches_the_intake(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """People often pick the bot's role, of the same name, instead of the bot."""
    async with run_bot():
        await fake.send("message_role_mention")
        await intake.until(lambda: intake.messages)

    assert "what is a feed?" == intake.messages[0].text


async def test_the_bots_threads_need_no_mention_with_the_intent(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """A thread is the bot's once it has answered there."""
    async with run_bot(DISCORD_MESSAGE_CONTENT="true"):
        await fake.send("message_thread")
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
        intake.participations.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
        await fake.send("message_thread_to_another")
        await fake.send("message_thread")
        await intake.until(lambda: len(intake.messages) == 2)

    assert [f"discord:{DM}", f"discord:{GUILD}:{CHANNEL}:{THREAD}"] == [
        each.place.conversation for each in intake.messages
    ]


async def test_without_the_intent_threads_are_not_looked_up(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """An empty message costs no query of the database."""
    intake.participations.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
    async with run_bot():
        await fake.send("message_thread", content="")
        await fake.send("message_mention", channel_id=THREAD)
        await intake.until(lambda: intake.messages)

    assert [] == intake.participation_queries
    assert (CHANNEL, THREAD) == (intake.messages[0].place.channel, intake.messages[0].place.thread)


async def test_an_unknown_thread_is_looked_up_once(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """The SDK's cache lacks threads that were archived at the start of the session."""
    async with run_bot():
        await fake.send("message_mention", channel_id="777")
        await fake.send("message_mention", channel_id="777", id="1500000000000000999")
        await intake.until(lambda: len(intake.messages) == 2)

    assert [(CHANNEL, "777")] * 2 == [(each.place.channel, each.place.thread) for each in intake.messages]
    assert 1 == len(fake.calls_to("GET /api/v10/channels/777"))


async def test_an_edit_that_adds_the_mention_is_answered_once(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """Neither another edit nor a preview that Discord adds is a question, nor an old message."""
    new, edited = {"id": fake.snowflake()}, {"edited_timestamp": "2025-11-22T15:00:01+00:00"}
    async with run_bot(DISCORD_MESSAGE_CONTENT="true"):
        await fake.send("message_mention", **new, mentions=[], content="what is a feed?")
        await fake.emit("MESSAGE_UPDATE", payload("message_mention", **new, edited_timestamp=None))
        await fake.emit("MESSAGE_UPDATE", payload("message_mention", **edited))
        await fake.emit("MESSAGE_UPDATE", {"id": new["id"], "embeds": [], **edited})
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
        assert ["What is a feed?"] == [each.text for each in intake.messages]
        await fake.emit("MESSAGE_UPDATE", payload("message_mention", **new, **edited))
        await fake.emit("MESSAGE_UPDATE", payload("message_mention", **new, **edited, content="again"))
        await fake.send("message_mention")
        await intake.until(lambda: len(intake.messages) == 3)

    assert new["id"] == intake.messages[1].message


async def test_a_listed_channel_needs_no_mention(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Other channels do, although the intake would answer there: a channel is no conversation with the bot."""
    intake.participations |= {f"discord:{GUILD}:{CHANNEL}", f"discord:{GUILD}:5"}
    async with run_bot(DISCORD_MESSAGE_CONTENT="true", DISCORD_ANSWER_WITHOUT_MENTION="5"):
        fake.channels["5"] = {"id": "5", "type": 0}
        for channel in (CHANNEL, "5"):
            await fake.send("message_thread", id=fake.snowflake(), channel_id=channel)
        await fake.send("message_dm")
        await intake.until(lambda: len(intake.messages) == 2)

    assert ["5", DM] == [each.place.channel for each in intake.messages]


async def test_a_listed_bot_may_ask(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Only by a mention of the bot itself, and never the bot by its own message."""
    asker = payload("message_from_bot")["author"]["id"]
    async with run_bot(DISCORD_BOTS=f"{asker},{ME['id']}", DISCORD_MESSAGE_CONTENT="true"):
        intake.participations.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
        await fake.send("message_from_bot", mentions=[], channel_id=THREAD)
        await fake.send("message_from_self", mentions=[ME])
        await fake.send("message_from_webhook")
        await fake.send("message_from_bot", mentions=[ME])
        await fake.send("message_dm")
        await intake.until(lambda: len(intake.messages) == 2)

    assert (asker, ("home", "bots")) == (intake.messages[0].user, intake.messages[0].groups[:2])


async def test_a_deleted_question_is_withdrawn(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Several can be deleted at once, in a thread too."""
    async with run_bot():
        await fake.emit("MESSAGE_DELETE", payload("message_delete"))
        await fake.emit("MESSAGE_DELETE_BULK", payload("message_delete_bulk"))
        await intake.until(lambda: len(intake.withdrawals) == 3)

    channel, thread = f"discord:{GUILD}:{CHANNEL}", f"discord:{GUILD}:{CHANNEL}:{THREAD}"
    assert [
        (channel, "1500000000000000001"),
        (thread, "1500000000000000001"),
        (thread, "1500000000000000003"),
    ] == [(place.conversation, message) for place, message in intake.withdrawals]


async def test_a_guild_that_removed_the_bot_is_forgotten(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """A guild that is only unavailable is kept."""
    async with run_bot():
        await fake.emit("GUILD_DELETE", payload("guild_unavailable"))
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)
        assert [] == intake.forgotten_workspaces
        await fake.emit("GUILD_DELETE", payload("guild_delete"))
        await intake.until(lambda: intake.forgotten_workspaces)

    assert [GUILD] == intake.forgotten_workspaces


async def test_commands_are_registered_once(fake: FakeDiscord, run_bot: RunBot) -> None:
    """They are unchanged after a restart, so nothing is written."""
    async with run_bot():
        pass
    async with run_bot():
        pass

    assert 1 == len(fake.calls_to("PUT"))
    assert ["ask", "personality", "toil", "forget", "facts"] == [each["name"] for each in fake.commands]


async def test_the_bot_serves_without_registered_commands(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """Mentions still work."""
    fake.faults = [ApiFault("PUT", 403, {"code": 20012, "message": "no"})]
    async with run_bot():
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)


async def test_a_slash_command_is_deferred_and_reaches_the_intake(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """Discord's deadline is three seconds."""
    async with run_bot():
        interaction = await fake.interact("interaction_ask")
        await intake.until(lambda: intake.messages)

    assert {"type": 5} == fake.interactions[interaction["token"]]["callback"]
    assert f"discord:i{interaction['id']}" == intake.messages[0].event


async def test_a_failed_slash_command_gets_an_error_message(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """Discord does not deliver it again."""
    intake.errors = [StorageError("disk full")]
    async with run_bot():
        interaction = await fake.interact("interaction_ask")
        await fake.until(lambda: fake.reply_to(interaction).get("content"))


async def test_a_rejected_slash_command_gets_the_reason(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """The reply "thinking …" would otherwise stay for 15 minutes."""
    intake.rejections = {"en": "Not you.", "fr": "Pas vous."}
    async with run_bot():
        interaction = await fake.interact("interaction_ask", locale="fr")
        await fake.until(lambda: fake.reply_to(interaction).get("content"))

    assert ("Pas vous.", []) == (fake.reply_to(interaction)["content"], intake.messages)


async def test_a_failed_acknowledgement_is_retried(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """There is one retry. If the first attempt took effect, that is enough."""
    fake.faults = [ApiFault("callback", 502, takes_effect=True)]
    async with run_bot():
        await fake.interact("interaction_ask")
        await intake.until(lambda: intake.messages)


async def test_an_expired_interaction_is_ignored(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Discord shows the person that the bot did not respond."""
    fake.faults = [ApiFault("callback", 404, {"code": 10062, "message": "Unknown interaction"})]
    async with run_bot():
        await fake.interact("interaction_ask")
        await fake.interact("interaction_forget")
        await intake.until(lambda: intake.messages)

    assert ["forget"] == [each.command.name for each in intake.messages if each.command]


async def test_feedback_is_stored_and_confirmed(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """A private message confirms it, or says that the answer is no longer stored."""
    async with run_bot():
        known = await fake.interact("interaction_button_good")
        await fake.until(lambda: fake.reply_to(known).get("content"))
        intake.answer_ids.clear()
        gone = await fake.interact("interaction_button_good", locale="fr")
        await fake.until(lambda: fake.reply_to(gone).get("content"))

    assert {"type": 5, "data": {"flags": 64}} == fake.interactions[known["token"]]["callback"]
    assert ("a-1_B", f"discord:{GUILD}:{ALICE['id']}", "good") == intake.feedback[0]
    assert fake.reply_to(known)["content"].startswith("Thank you")
    assert "n’est plus" in fake.reply_to(gone)["content"]


async def test_regenerate_becomes_a_message(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """It has the id of the press, so a second press is another message."""
    async with run_bot():
        press = await fake.interact("interaction_button_regenerate")
        await intake.until(lambda: intake.messages)

    (incoming,) = intake.messages
    assert incoming.command is not None
    assert ("regenerate", "a-1_B") == (incoming.command.name, incoming.command.argument)
    assert (f"discord:i{press['id']}", press["message"]["id"]) == (incoming.event, incoming.message)
    assert {"type": 6} == fake.interactions[press["token"]]["callback"]


async def test_only_the_asker_can_stop_an_answer(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """Other people get a private message."""
    async with run_bot():
        other = await fake.interact("interaction_button_stop_by_another")
        await fake.until(lambda: fake.reply_to(other).get("content"))
        assert [] == intake.stops
        press = await fake.interact("interaction_button_stop")
        await intake.until(lambda: intake.stops)

    ((place, ref),) = intake.stops
    assert (f"discord:{GUILD}:{CHANNEL}", press["message"]["id"]) == (place.conversation, ref)


async def test_a_message_waits_until_it_can_be_stored(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord does not deliver it again."""
    monkeypatch.setattr("bindings.discord.events.BACKOFF", Backoff(0.0))
    intake.errors = [StorageError("disk full"), StorageError("disk full")]
    async with run_bot():
        await fake.send("message_dm")
        await intake.until(lambda: intake.messages)


async def test_every_query_of_an_event_waits_for_the_database(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here these are the query about a thread, and the deletion of a guild's data."""
    monkeypatch.setattr("bindings.discord.events.BACKOFF", Backoff(0.0))
    intake.participations.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
    async with run_bot(DISCORD_MESSAGE_CONTENT="true"):
        intake.errors = [StorageError("locked")]
        await fake.send("message_thread")
        await intake.until(lambda: intake.messages)
        intake.errors = [StorageError("locked")]
        await fake.emit("GUILD_DELETE", payload("guild_delete"))
        await intake.until(lambda: intake.forgotten_workspaces)


async def test_a_thread_is_recognised_after_passing_errors(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread mistaken for a channel would lose its conversation."""
    monkeypatch.setattr("bindings.discord.guild_cache.BACKOFF", Backoff(0.0, 0.05))
    async with run_bot():
        fake.faults = [ApiFault("channels/777", 503), rate_limited("channels/777", 0.01)]
        await fake.send("message_mention", channel_id="777")
        await intake.until(lambda: intake.messages)

    assert "777" == intake.messages[0].place.thread


@pytest.mark.parametrize("before", [[], [StorageError("disk full")]], ids=["at once", "while waiting for the database"])
async def test_an_event_during_the_stop_is_left_to_the_next_process(
    fake: FakeDiscord,
    intake: IntakeSpy,
    run_bot: RunBot,
    monkeypatch: pytest.MonkeyPatch,
    before: list[Exception],
) -> None:
    """Later events are not handled before it."""
    monkeypatch.setattr("bindings.discord.events.BACKOFF", Backoff(0.0))
    async with run_bot() as adapter:
        intake.errors = [*before, Stopping("stopping")]
        await fake.send("message_dm")
        await fake.send("message_mention")
        await intake.until(lambda: not intake.errors)
        await adapter.stop_taking()
    assert [] == intake.messages
    async with run_bot():
        await intake.until(lambda: len(intake.messages) == 2)

    assert [payload(name)["id"] for name in ("message_dm", "message_mention")] == [
        each.message for each in intake.messages
    ]


async def test_a_press_during_the_stop_gets_a_private_message(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """The bot and its running answers continue."""
    intake.errors = [Stopping("stopping")]
    async with run_bot():
        await fake.interact("interaction_button_regenerate")
        await fake.until(lambda: fake.posts())
        (reply,) = fake.posts()
        assert 64 == reply["flags"] & 64
        assert "réessayer" in reply["content"]
        await fake.interact("interaction_button_good")
        await intake.until(lambda: intake.feedback)


async def test_the_typing_indicator_shows_until_the_first_post(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slash commands have none: Discord itself shows "thinking …" for them."""
    monkeypatch.setattr("bindings.discord.platform.TYPING_DELAY_S", 0.0)
    async with run_bot() as adapter:
        await fake.send("message_mention")
        await fake.interact("interaction_ask")
        await intake.until(lambda: len(intake.messages) == 2)
        for incoming in intake.messages:
            adapter.platform.outlet(incoming)
        await fake.until(lambda: fake.typing)

    assert [CHANNEL] == fake.typing


async def test_thread_messages_begin_after_the_bots_last_one(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """They are those of people and of other bots, oldest first, without those to the bot."""

    def add_message(number: int, text: str, **more: object) -> None:
        message = {**payload("message_thread"), "id": str(100 + number), "channel_id": CHANNEL, "content": text, **more}
        fake.messages[message["id"]] = {key: each for key, each in message.items() if key != "guild_id"}

    add_message(1, "before")
    add_message(2, "our answer", author=ME)
    add_message(3, "The printer <@9> is broken", mentions=[{"id": "9", "username": "bob", "global_name": "Bob"}])
    add_message(4, "beep", author={"id": "5", "username": "beep", "bot": True})
    add_message(5, "")
    add_message(6, "a question to the bot", mentions=[ME])
    add_message(7, "So print elsewhere")
    async with run_bot() as adapter:
        await fake.send("message_mention")
        await intake.until(lambda: intake.messages)
        turns = (await adapter.platform.thread_messages(intake.messages[0])).turns
        fake.faults = [ApiFault("GET", 403, {"code": 50013, "message": "Missing Permissions"})]
        assert ThreadMessages() == await adapter.platform.thread_messages(intake.messages[0])

    assert [
        ("Alice Tremblay", "The printer @Bob is broken"),
        ("beep", "beep"),
        ("Alice Tremblay", "So print elsewhere"),
    ] == [(turn.speaker, turn.text) for turn in turns]
