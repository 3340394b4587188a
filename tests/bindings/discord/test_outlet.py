"""An answer's messages: in a channel, and as the reply to a slash command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from discord.http import Route

from bindings.delivery.outlet import Closing, Gone, Page, Refused, Throttled, Unreachable, Upload
from bindings.discord.calls import Calls
from bindings.discord.destinations import CommandReply, destination_of
from bindings.discord.http import OneTry
from bindings.discord.interactions import to_prompt as command_to_prompt
from bindings.discord.mapping import Around, to_prompt
from bindings.discord.outlet import DiscordOutlet
from bindings.incoming import IncomingMessage, Place
from tests.bindings.discord.support_fake_discord import LOADING, TOKEN, FakeDiscord
from tests.bindings.discord.support_faults import Fault, rate_limited
from tests.bindings.discord.support_payloads import CHANNEL, ME, payload

BEGUN = Page("A feed is", "en")
CLOSING = Closing("a-1", "Written by AI.")
WHOLE = Page("A feed is a list.", "en", final=True, closing=CLOSING)
POST = "POST /api/v10/channels"
Outlets = Callable[[IncomingMessage], DiscordOutlet]


@pytest.fixture
async def outlets(discord_server: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outlets]:
    """Each as a process of its own would make it."""
    monkeypatch.setattr(Route, "BASE", discord_server.base)
    http = OneTry(None)
    http.token = TOKEN
    calls = Calls(lambda: http)
    yield lambda incoming: DiscordOutlet(destination_of(incoming, calls, ME["id"]), lambda: None)
    await http.close()


async def asked(discord_server: FakeDiscord) -> IncomingMessage:
    """By a mention that stands in the channel."""
    message = await discord_server.say("message_mention", id=discord_server.snowflake())
    incoming = to_prompt(message, Around(ME["id"]))
    assert incoming is not None
    return incoming


async def commanded(discord_server: FakeDiscord) -> IncomingMessage:
    """By a slash command that was deferred."""
    interaction = await discord_server.interact("interaction_ask")
    made = discord_server._made(CHANNEL, {"flags": LOADING}, interaction_metadata={"id": interaction["id"]})
    discord_server.interactions[interaction["token"]]["original"] = made["id"]
    incoming = command_to_prompt(interaction)
    assert incoming is not None
    return incoming


async def test_an_answer_is_a_reply_that_is_edited(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """Its buttons are there when it is whole; until then, one that stops it."""
    incoming = await asked(discord_server)
    outlet = outlets(incoming)
    ref = await outlet.post(BEGUN, "a-1-1")
    message = discord_server.messages[ref]
    assert message["message_reference"] == {"message_id": incoming.message, "fail_if_not_exists": False}
    assert ["stop:a-1:1"] == [each["custom_id"] for each in message["components"][0]["components"]]
    await outlet.edit(ref, replace(BEGUN, text="A feed is a"))
    assert ["stop:a-1:1"] == [each["custom_id"] for each in message["components"][0]["components"]]
    await outlet.edit(ref, WHOLE)

    assert "A feed is a list.\n-# Written by AI." == message["content"]
    assert 3 == len(message["components"][0]["components"])
    assert message["flags"] & 4


async def test_a_post_that_is_tried_again_is_one_message(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """And shows what the second try said."""
    outlet = outlets(await asked(discord_server))
    discord_server.faults = [Fault(POST, 502, done=True)]
    with pytest.raises(Unreachable):
        await outlet.post(BEGUN, "a-1-1")
    ref = await outlet.post(WHOLE, "a-1-1")

    assert [ref] == [each["id"] for each in discord_server.ours()]
    assert discord_server.messages[ref]["content"].startswith("A feed is a list.")


async def test_a_question_that_is_gone_is_still_answered(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """Whether it was withdrawn, the intake knows."""
    incoming = await asked(discord_server)
    del discord_server.messages[incoming.message]
    assert await outlets(incoming).post(BEGUN, "a-1-1")


async def test_a_lost_post_is_found_after_a_restart(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """Long after Discord forgot its nonce: by its buttons, or by its place among the answer's messages."""
    incoming = await asked(discord_server)
    first = await outlets(incoming).post(replace(BEGUN, final=True), "a-1-1")
    second = await outlets(incoming).post(BEGUN, "a-1-2")
    await outlets(await asked(discord_server)).post(BEGUN, "b-2-1")

    after = outlets(incoming)
    assert [first, second, None] == [await after.find(f"a-1-{number}") for number in (1, 2, 3)]
    await after.edit(second, replace(WHOLE, final=True))
    assert second == await after.find("a-1-2")


async def test_a_post_that_was_not_made_is_not_found(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """Nor taken for another page, or for the answer to another question."""
    incoming = await asked(discord_server)
    outlet = outlets(incoming)
    assert await outlet.find("a-1-1") is None
    await outlet.post(BEGUN, "a-1-1")
    assert await outlet.find("a-1-2") is None
    assert await outlet.find("a-1-file") is None
    assert await outlets(await asked(discord_server)).find("c-3-1") is None


async def test_what_is_deleted_may_be_gone(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """An edit of it says that nobody waits any more."""
    outlet = outlets(await asked(discord_server))
    ref = await outlet.post(BEGUN, "a-1-1")
    await outlet.delete(ref)
    await outlet.delete(ref)
    assert [] == discord_server.ours()
    with pytest.raises(Gone):
        await outlet.edit(ref, WHOLE)


async def test_failures_say_what_to_do(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """When to come back, what to click; nothing was posted."""
    outlet = outlets(await asked(discord_server))
    discord_server.faults = [rate_limited(POST, 7.25), Fault(POST, 403, {"code": 50013, "message": "no"})]
    with pytest.raises(Throttled) as throttled:
        await outlet.post(BEGUN, "a-1-1")
    assert throttled.value.retry_after_s == 7.25
    other = outlets(replace(await asked(discord_server), place=Place("discord", "", "5", None, "personal")))
    with pytest.raises(Refused) as refused:
        await other.post(BEGUN, "a-1-1")
    assert "Send Messages in Threads" in str(refused.value)
    assert [] == discord_server.ours()


async def test_a_file_is_sent_once(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """In reply to the question, and found again beside the pages."""
    incoming = await asked(discord_server)
    outlet = outlets(incoming)
    await outlet.post(BEGUN, "a-1-1")
    upload = Upload("answer.json", "application/json", b'{"a": 1}')
    assert await outlet.find("a-1-file") is None
    assert await outlet.upload(upload, "a-1-file")
    assert await outlet.upload(upload, "a-1-file")

    (message,) = [each for each in discord_server.ours() if each["attachments"]]
    assert b'{"a": 1}' == discord_server.uploads["answer.json"]
    assert message["message_reference"]["message_id"] == incoming.message
    assert message["id"] == await outlets(incoming).find("a-1-file")


async def test_a_file_that_cannot_be_sent_is_shown_as_text(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """Without the right to attach files, or where it is too large."""
    outlet = outlets(await asked(discord_server))
    assert not await outlet.upload(Upload("a.bin", "x/y", bytes(10 * 1024 * 1024 + 1)), "a-1-file")
    assert [] == discord_server.asked(POST)
    discord_server.faults = [Fault(POST, 403, {"code": 50013, "message": "no"})]
    assert not await outlet.upload(Upload("a.json", "application/json", b"{}"), "a-1-file")


async def test_a_command_is_answered_in_its_reply(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """The first page in place of "thinking …", the others after it; files too; edits by the command's token."""
    incoming = await commanded(discord_server)
    outlet = outlets(incoming)
    first = await outlet.post(replace(BEGUN, final=True), "a-1-1")
    second = await outlet.post(BEGUN, "a-1-2")
    await outlet.edit(second, WHOLE)
    assert await outlet.upload(Upload("a.json", "application/json", b"{}"), "a-1-file")

    original = discord_server.interactions[incoming.place.route["token"]]["original"]
    assert (first, 3) == (original, len(discord_server.ours()))
    assert not discord_server.messages[original]["flags"] & LOADING
    assert discord_server.messages[second]["content"].startswith("A feed is a list.")
    assert [] == discord_server.asked(POST)


async def test_a_reply_to_a_command_goes_on_after_a_restart(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """What another process posted is found, and what follows comes after it."""
    incoming = await commanded(discord_server)
    assert await outlets(incoming).find("a-1-1") is None
    first = await outlets(incoming).post(replace(BEGUN, final=True), "a-1-1")
    assert first == await outlets(incoming).find("a-1-1")
    second = await outlets(incoming).post(BEGUN, "a-1-2")
    assert first != second
    assert second == await outlets(incoming).find("a-1-2")
    await outlets(incoming).delete(second)
    assert [first] == [each["id"] for each in discord_server.ours()]


async def test_a_reply_is_found_where_the_channel_cannot_be_read(discord_server: FakeDiscord, outlets: Outlets) -> None:
    """By the command's token."""
    incoming = await commanded(discord_server)
    first = await outlets(incoming).post(BEGUN, "a-1-1")
    discord_server.faults = [Fault("GET /api/v10/channels", 403, {"code": 50001, "message": "Missing Access"})]
    assert first == await outlets(incoming).find("a-1-1")


async def test_after_fifteen_minutes_a_command_is_answered_by_messages(
    discord_server: FakeDiscord, outlets: Outlets
) -> None:
    """The token is over; what was begun with it is edited as any other message."""
    incoming = await commanded(discord_server)
    outlet = outlets(incoming)
    first = await outlet.post(BEGUN, "a-1-1")
    reply = outlet._destination
    assert isinstance(reply, CommandReply)
    reply._clock = lambda: reply._until + 1
    discord_server.calls.clear()
    await outlet.edit(first, WHOLE)
    second = await outlet.post(BEGUN, "a-1-2")
    assert second == await outlet.find("a-1-2")
    await outlet.delete(second)
    assert await outlet.upload(Upload("a.json", "application/json", b"{}"), "a-1-file")

    assert [] == discord_server.asked("/webhooks/")
    assert discord_server.messages[first]["content"].startswith("A feed is a list.")


def test_a_recorded_command_is_over_by_now() -> None:
    """Tokens last from when the command was given, which its id tells."""
    incoming = command_to_prompt(payload("interaction_ask", id="1200000000000000000"))
    assert incoming is not None
    reply = destination_of(incoming, Calls(lambda: OneTry(None)), ME["id"])
    assert isinstance(reply, CommandReply)
    assert not reply.open
