"""What becomes of each kind of event: what the intake is told, and what the person."""

from __future__ import annotations

import pytest

from core.errors import Stopping, StorageError
from core.runtime.backoff import Backoff
from tests.bindings.discord.conftest import Adapting
from tests.bindings.discord.support_fake_discord import FakeDiscord
from tests.bindings.discord.support_fake_intake import FakeIntake
from tests.bindings.discord.support_faults import Fault, rate_limited
from tests.bindings.discord.support_payloads import ALICE, CHANNEL, DM, GUILD, ME, THREAD, payload


async def test_a_mention_is_taken(discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting) -> None:
    """A mention in a channel reaches the intake as what was said there."""
    async with adapting() as adapter:
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_mention")
        await intake.until(lambda: intake.taken)
        assert adapter.client.user is not None

    (incoming,) = intake.taken
    assert incoming.place.conversation == f"discord:{GUILD}:{CHANNEL}"
    assert (incoming.user, incoming.text) == (ALICE["id"], "Hey what is a feed? :blob:")


async def test_a_mention_of_the_role_is_taken(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """People often pick the bot's role, of the same name, instead of the bot."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_role_mention")
        await intake.until(lambda: intake.taken)

    assert "what is a feed?" == intake.taken[0].text


async def test_threads_are_followed_while_the_bot_takes_part(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """With the intent, a message in a thread needs no mention once the bot has answered there."""
    async with adapting(DISCORD_MESSAGE_CONTENT="true"):
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_thread")
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
        intake.parts.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
        await discord_server.say("message_thread_to_another")
        await discord_server.say("message_thread")
        await intake.until(lambda: len(intake.taken) == 2)

    assert [f"discord:{DM}", f"discord:{GUILD}:{CHANNEL}:{THREAD}"] == [
        each.place.conversation for each in intake.taken
    ]


async def test_without_the_intent_nobody_asks_about_threads(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """What cannot be read costs no look into the database."""
    intake.parts.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_thread", content="")
        await discord_server.say("message_mention", channel_id=THREAD)
        await intake.until(lambda: intake.taken)

    assert [] == intake.asked_parts
    assert (CHANNEL, THREAD) == (intake.taken[0].place.channel, intake.taken[0].place.thread)


async def test_an_unknown_thread_is_looked_up_once(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """A thread that was archived when we connected is in no book of the SDK's."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_mention", channel_id="777")
        await discord_server.say("message_mention", channel_id="777", id="1500000000000000999")
        await intake.until(lambda: len(intake.taken) == 2)

    assert [(CHANNEL, "777")] * 2 == [(each.place.channel, each.place.thread) for each in intake.taken]
    assert 1 == len(discord_server.asked("GET /api/v10/channels/777"))


async def test_a_deleted_question_is_withdrawn(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Also when many are deleted at once, in a thread."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.emit("MESSAGE_DELETE", payload("message_delete"))
        await discord_server.emit("MESSAGE_DELETE_BULK", payload("message_delete_bulk"))
        await intake.until(lambda: len(intake.deleted) == 3)

    channel, thread = f"discord:{GUILD}:{CHANNEL}", f"discord:{GUILD}:{CHANNEL}:{THREAD}"
    assert [
        (channel, "1500000000000000001"),
        (thread, "1500000000000000001"),
        (thread, "1500000000000000003"),
    ] == [(place.conversation, message) for place, message in intake.deleted]


async def test_a_guild_that_removed_the_bot_is_forgotten(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """One that is only unavailable is not."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.emit("GUILD_DELETE", payload("guild_unavailable"))
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)
        assert [] == intake.left
        await discord_server.emit("GUILD_DELETE", payload("guild_delete"))
        await intake.until(lambda: intake.left)

    assert [GUILD] == intake.left


async def test_commands_are_registered_once(discord_server: FakeDiscord, adapting: Adapting) -> None:
    """A restart finds them as they should be, and writes nothing."""
    async with adapting():
        pass
    async with adapting():
        pass

    assert 1 == len(discord_server.asked("PUT"))
    assert ["ask", "personality", "toil", "forget"] == [each["name"] for each in discord_server.commands]


async def test_commands_that_cannot_be_registered_do_not_keep_the_bot_from_serving(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Mentions need none."""
    discord_server.faults = [Fault("PUT", 403, {"code": 20012, "message": "no"})]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)


async def test_a_slash_command_is_deferred_at_once_and_taken(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Discord gives three seconds."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        interaction = await discord_server.interact("interaction_ask")
        await intake.until(lambda: intake.taken)

    assert {"type": 5} == discord_server.interactions[interaction["token"]]["callback"]
    assert f"discord:i{interaction['id']}" == intake.taken[0].event


async def test_a_slash_command_that_cannot_be_taken_is_told_so(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Nobody else would: Discord does not deliver it again."""
    intake.failing = [StorageError("disk full")]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        interaction = await discord_server.interact("interaction_ask")
        await discord_server.until(lambda: discord_server.answered(interaction).get("content"))


async def test_who_is_turned_away_by_a_command_is_told_why(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Silence would leave "thinking …" there for a quarter of an hour."""
    intake.away = {"en": "Not you.", "fr": "Pas vous."}
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        asked = await discord_server.interact("interaction_ask", locale="fr")
        await discord_server.until(lambda: discord_server.answered(asked).get("content"))

    assert ("Pas vous.", []) == (discord_server.answered(asked)["content"], intake.taken)


async def test_an_acknowledgement_that_failed_is_tried_again(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Once; if it was done the first time, that is as good."""
    discord_server.faults = [Fault("callback", 502, done=True)]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.interact("interaction_ask")
        await intake.until(lambda: intake.taken)


async def test_an_interaction_that_is_over_is_left(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Discord has told the person that the bot did not respond."""
    discord_server.faults = [Fault("callback", 404, {"code": 10062, "message": "Unknown interaction"})]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.interact("interaction_ask")
        await discord_server.interact("interaction_forget")
        await intake.until(lambda: intake.taken)

    assert ["forget"] == [each.command.name for each in intake.taken if each.command]


async def test_feedback_is_stored_and_thanked_for(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """To the person alone; an answer that is not known any more is said to be."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        known = await discord_server.interact("interaction_button_good")
        await discord_server.until(lambda: discord_server.answered(known).get("content"))
        intake.known_answers.clear()
        gone = await discord_server.interact("interaction_button_good", locale="fr")
        await discord_server.until(lambda: discord_server.answered(gone).get("content"))

    assert {"type": 5, "data": {"flags": 64}} == discord_server.interactions[known["token"]]["callback"]
    assert ("a-1_B", f"discord:{GUILD}:{ALICE['id']}", "good") == intake.judged[0]
    assert discord_server.answered(known)["content"].startswith("Thank you")
    assert "n’est plus" in discord_server.answered(gone)["content"]


async def test_regenerate_becomes_a_message(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """With the press's own id, so that a second press is another one."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        press = await discord_server.interact("interaction_button_regenerate")
        await intake.until(lambda: intake.taken)

    (incoming,) = intake.taken
    assert incoming.command is not None
    assert ("regenerate", "a-1_B") == (incoming.command.name, incoming.command.argument)
    assert (f"discord:i{press['id']}", press["message"]["id"]) == (incoming.event, incoming.message)
    assert {"type": 6} == discord_server.interactions[press["token"]]["callback"]


async def test_stop_is_for_who_asked(discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting) -> None:
    """Others are told."""
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        other = await discord_server.interact("interaction_button_stop_by_another")
        await discord_server.until(lambda: discord_server.answered(other).get("content"))
        assert [] == intake.stops
        press = await discord_server.interact("interaction_button_stop")
        await intake.until(lambda: intake.stops)

    ((place, ref),) = intake.stops
    assert (f"discord:{GUILD}:{CHANNEL}", press["message"]["id"]) == (place.conversation, ref)


async def test_a_message_waits_for_a_full_disk(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord does not deliver it again: it is kept, and taken when it can be."""
    monkeypatch.setattr("bindings.discord.events.BACKOFF", Backoff(0.0))
    intake.failing = [StorageError("disk full"), StorageError("disk full")]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_dm")
        await intake.until(lambda: intake.taken)


async def test_all_that_needs_the_database_waits_for_it(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also whether a thread is one of ours, and that a server has removed the bot."""
    monkeypatch.setattr("bindings.discord.events.BACKOFF", Backoff(0.0))
    intake.parts.add(f"discord:{GUILD}:{CHANNEL}:{THREAD}")
    async with adapting(DISCORD_MESSAGE_CONTENT="true"):
        await discord_server.until(lambda: discord_server.identified)
        intake.failing = [StorageError("locked")]
        await discord_server.say("message_thread")
        await intake.until(lambda: intake.taken)
        intake.failing = [StorageError("locked")]
        await discord_server.emit("GUILD_DELETE", payload("guild_delete"))
        await intake.until(lambda: intake.left)


async def test_a_thread_is_known_though_discord_fails_in_passing(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken for a channel, it would be answered without its past, and kept under another name."""
    monkeypatch.setattr("bindings.discord.surroundings.PAUSES_S", (0.0, 0.05))
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        discord_server.faults = [Fault("channels/777", 503), rate_limited("channels/777", 0.01)]
        await discord_server.say("message_mention", channel_id="777")
        await intake.until(lambda: intake.taken)

    assert "777" == intake.taken[0].place.thread


@pytest.mark.parametrize("before", [[], [StorageError("disk full")]], ids=["at once", "while it waits for the disk"])
async def test_what_a_stopping_intake_does_not_take_is_left_to_the_next_process(
    discord_server: FakeDiscord,
    intake: FakeIntake,
    adapting: Adapting,
    monkeypatch: pytest.MonkeyPatch,
    before: list[Exception],
) -> None:
    """Discord delivers it to nobody else; and what was said after it is not taken before it."""
    monkeypatch.setattr("bindings.discord.events.BACKOFF", Backoff(0.0))
    async with adapting() as adapter:
        await discord_server.until(lambda: discord_server.identified)
        intake.failing = [*before, Stopping("stopping")]
        await discord_server.say("message_dm")
        await discord_server.say("message_mention")
        await intake.until(lambda: not intake.failing)
        await adapter.stop_taking()
    assert [] == intake.taken
    async with adapting():
        await intake.until(lambda: len(intake.taken) == 2)

    assert [payload(name)["id"] for name in ("message_dm", "message_mention")] == [
        each.message for each in intake.taken
    ]


async def test_a_press_while_the_intake_stops_ends_nothing(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Who pressed is told so, and nobody else; the answers under way are not lost."""
    intake.failing = [Stopping("stopping")]
    async with adapting():
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.interact("interaction_button_regenerate")
        await discord_server.until(lambda: discord_server.ours())
        (told,) = discord_server.ours()
        assert 64 == told["flags"] & 64
        assert "réessayer" in told["content"]
        await discord_server.interact("interaction_button_good")
        await intake.until(lambda: intake.judged)


async def test_the_bot_is_seen_to_write_until_its_first_words(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not where a slash command shows that by itself."""
    monkeypatch.setattr("bindings.discord.indicator.FIRST_S", 0.0)
    async with adapting() as adapter:
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_mention")
        await discord_server.interact("interaction_ask")
        await intake.until(lambda: len(intake.taken) == 2)
        for incoming in intake.taken:
            adapter.platform.outlet(incoming)
        await discord_server.until(lambda: discord_server.typing)

    assert [CHANNEL] == discord_server.typing


async def test_what_is_heard_ends_where_the_bot_last_spoke(
    discord_server: FakeDiscord, intake: FakeIntake, adapting: Adapting
) -> None:
    """Other people's words, oldest first; not the bot's, not other bots', not what was said to the bot."""

    def said(number: int, text: str, **more: object) -> None:
        message = {**payload("message_thread"), "id": str(100 + number), "channel_id": CHANNEL, "content": text, **more}
        discord_server.messages[message["id"]] = {key: each for key, each in message.items() if key != "guild_id"}

    said(1, "before")
    said(2, "our answer", author=ME)
    said(3, "The printer <@9> is broken", mentions=[{"id": "9", "username": "bob", "global_name": "Bob"}])
    said(4, "beep", author={"id": "5", "username": "beep", "bot": True})
    said(5, "")
    said(6, "a question to the bot", mentions=[ME])
    said(7, "So print elsewhere")
    async with adapting() as adapter:
        await discord_server.until(lambda: discord_server.identified)
        await discord_server.say("message_mention")
        await intake.until(lambda: intake.taken)
        heard = await adapter.platform.thread_messages(intake.taken[0])
        discord_server.faults = [Fault("GET", 403, {"code": 50013, "message": "Missing Permissions"})]
        assert () == await adapter.platform.thread_messages(intake.taken[0])

    assert [("Alice Tremblay", "The printer @Bob is broken"), ("Alice Tremblay", "So print elsewhere")] == [
        (turn.speaker, turn.text) for turn in heard
    ]
