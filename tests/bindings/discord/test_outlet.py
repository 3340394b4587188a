"""The messages of an answer, in a channel and as the reply to a slash command."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bindings.delivery.outlet import Closing, Gone, Page, Refused, Throttled, Unreachable, Upload
from bindings.discord.api import DiscordApi, SingleAttemptClient
from bindings.discord.command_reply import CommandReply
from bindings.discord.interactions import parse_slash_command
from bindings.discord.mapping import ChannelContext, parse_message
from bindings.discord.places import build_places
from bindings.incoming import IncomingMessage, Place
from bindings.selftest.discord_faults import ApiFault, rate_limited
from bindings.selftest.discord_payloads import CHANNEL, ME, payload
from bindings.selftest.discord_server import LOADING, FakeDiscord
from tests.bindings.discord.conftest import BuildOutlet

PARTIAL = Page("A feed is", "en")
CLOSING = Closing("a-1", "Written by AI.")
FINISHED = Page("A feed is a list.", "en", final=True, closing=CLOSING)
POST = "POST /api/v10/channels"


async def send_mention(fake: FakeDiscord) -> IncomingMessage:
    """Sends a mention to a channel."""
    message = await fake.send("message_mention", id=fake.snowflake())
    incoming = parse_message(message, ChannelContext(ME["id"]))
    assert incoming is not None
    return incoming


async def send_command(fake: FakeDiscord) -> IncomingMessage:
    """Sends a slash command that is already deferred."""
    interaction = await fake.interact("interaction_ask")
    message = fake.add_post(CHANNEL, {"flags": LOADING}, interaction_metadata={"id": interaction["id"]})
    fake.interactions[interaction["token"]]["original"] = message["id"]
    incoming = parse_slash_command(interaction)
    assert incoming is not None
    return incoming


async def test_edits_stay_below_discords_rate_limit(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Five edits in five seconds are allowed."""
    outlet = build(await send_mention(fake))

    assert outlet.limits.edit_interval_s >= 5 / 5


async def test_an_answer_is_a_reply_that_is_edited(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Until it is finished, its only button is the stop button."""
    incoming = await send_mention(fake)
    outlet = build(incoming)
    ref = await outlet.post(PARTIAL, "a-1-1")
    message = fake.messages[ref]
    assert message["message_reference"] == {"message_id": incoming.message, "fail_if_not_exists": False}
    assert ["stop:a-1:1"] == [each["custom_id"] for each in message["components"][0]["components"]]
    await outlet.edit(ref, replace(PARTIAL, text="A feed is a"))
    assert ["stop:a-1:1"] == [each["custom_id"] for each in message["components"][0]["components"]]
    await outlet.edit(ref, FINISHED)

    assert "A feed is a list.\n-# Written by AI." == message["content"]
    assert 3 == len(message["components"][0]["components"])
    assert message["flags"] & 4


async def test_a_repeated_post_is_one_message(fake: FakeDiscord, build: BuildOutlet) -> None:
    """It shows the text of the second attempt."""
    outlet = build(await send_mention(fake))
    fake.faults = [ApiFault(POST, 502, takes_effect=True)]
    with pytest.raises(Unreachable):
        await outlet.post(PARTIAL, "a-1-1")
    ref = await outlet.post(FINISHED, "a-1-1")

    assert [ref] == [each["id"] for each in fake.posts()]
    assert fake.messages[ref]["content"].startswith("A feed is a list.")


async def test_a_deleted_question_is_still_answered(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Only the intake knows whether it was withdrawn."""
    incoming = await send_mention(fake)
    del fake.messages[incoming.message]
    assert await build(incoming).post(PARTIAL, "a-1-1")


async def test_a_lost_post_is_found_after_a_restart(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Its buttons or its position identify it, long after Discord forgot the nonce."""
    incoming = await send_mention(fake)
    first = await build(incoming).post(replace(PARTIAL, final=True), "a-1-1")
    second = await build(incoming).post(PARTIAL, "a-1-2")
    await build(await send_mention(fake)).post(PARTIAL, "b-2-1")

    next_outlet = build(incoming)
    assert [first, second, None] == [await next_outlet.find(f"a-1-{number}") for number in (1, 2, 3)]
    await next_outlet.edit(second, replace(FINISHED, final=True))
    assert second == await next_outlet.find("a-1-2")


async def test_a_missing_post_is_not_found(fake: FakeDiscord, build: BuildOutlet) -> None:
    """No other page and no other answer is mistaken for it."""
    incoming = await send_mention(fake)
    outlet = build(incoming)
    assert await outlet.find("a-1-1") is None
    await outlet.post(PARTIAL, "a-1-1")
    assert await outlet.find("a-1-2") is None
    assert await outlet.find("a-1-file") is None
    assert await build(await send_mention(fake)).find("c-3-1") is None


async def test_a_page_can_be_deleted_twice(fake: FakeDiscord, build: BuildOutlet) -> None:
    """An edit of it raises Gone."""
    outlet = build(await send_mention(fake))
    ref = await outlet.post(PARTIAL, "a-1-1")
    await outlet.delete(ref)
    await outlet.delete(ref)
    assert [] == fake.posts()
    with pytest.raises(Gone):
        await outlet.edit(ref, FINISHED)


async def test_errors_say_how_to_go_on(fake: FakeDiscord, build: BuildOutlet) -> None:
    """They state when to retry, or which permission to give. Nothing is posted."""
    outlet = build(await send_mention(fake))
    fake.faults = [rate_limited(POST, 7.25), ApiFault(POST, 403, {"code": 50013, "message": "no"})]
    with pytest.raises(Throttled) as throttled:
        await outlet.post(PARTIAL, "a-1-1")
    assert throttled.value.retry_after_s == 7.25
    other = build(replace(await send_mention(fake), place=Place("discord", "", "5", None, "personal")))
    with pytest.raises(Refused) as refused:
        await other.post(PARTIAL, "a-1-1")
    assert "Send Messages in Threads" in str(refused.value)
    assert [] == fake.posts()


async def test_a_file_is_sent_once(fake: FakeDiscord, build: BuildOutlet) -> None:
    """It replies to the question, and is found beside the pages."""
    incoming = await send_mention(fake)
    outlet = build(incoming)
    await outlet.post(PARTIAL, "a-1-1")
    upload = Upload("answer.json", "application/json", b'{"a": 1}')
    assert await outlet.find("a-1-file") is None
    assert await outlet.upload(upload, "a-1-file")
    assert await outlet.upload(upload, "a-1-file")

    (message,) = [each for each in fake.posts() if each["attachments"]]
    assert b'{"a": 1}' == fake.uploads["answer.json"]
    assert message["message_reference"]["message_id"] == incoming.message
    assert message["id"] == await build(incoming).find("a-1-file")


async def test_a_file_that_cannot_be_sent_is_shown_as_text(fake: FakeDiscord, build: BuildOutlet) -> None:
    """It is too large, or the permission is missing."""
    outlet = build(await send_mention(fake))
    assert not await outlet.upload(Upload("a.bin", "x/y", bytes(10 * 1024 * 1024 + 1)), "a-1-file")
    assert [] == fake.calls_to(POST)
    fake.faults = [ApiFault(POST, 403, {"code": 50013, "message": "no"})]
    assert not await outlet.upload(Upload("a.json", "application/json", b"{}"), "a-1-file")


async def test_a_command_is_answered_in_its_reply(fake: FakeDiscord, build: BuildOutlet) -> None:
    """The first page replaces "thinking …". The other pages and files are follow-ups."""
    incoming = await send_command(fake)
    outlet = build(incoming)
    first = await outlet.post(replace(PARTIAL, final=True), "a-1-1")
    second = await outlet.post(PARTIAL, "a-1-2")
    await outlet.edit(second, FINISHED)
    assert await outlet.upload(Upload("a.json", "application/json", b"{}"), "a-1-file")

    original = fake.interactions[incoming.place.route["token"]]["original"]
    assert (first, 3) == (original, len(fake.posts()))
    assert not fake.messages[original]["flags"] & LOADING
    assert fake.messages[second]["content"].startswith("A feed is a list.")
    assert [] == fake.calls_to(POST)


async def test_a_reply_to_a_command_continues_after_a_restart(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Posts of the earlier process are found, and new ones come after them."""
    incoming = await send_command(fake)
    assert await build(incoming).find("a-1-1") is None
    first = await build(incoming).post(replace(PARTIAL, final=True), "a-1-1")
    assert first == await build(incoming).find("a-1-1")
    second = await build(incoming).post(PARTIAL, "a-1-2")
    assert first != second
    assert second == await build(incoming).find("a-1-2")
    await build(incoming).delete(second)
    assert [first] == [each["id"] for each in fake.posts()]


async def test_a_reply_is_found_where_the_channel_cannot_be_read(fake: FakeDiscord, build: BuildOutlet) -> None:
    """The command's token gives access to it."""
    incoming = await send_command(fake)
    first = await build(incoming).post(PARTIAL, "a-1-1")
    fake.faults = [ApiFault("GET /api/v10/channels", 403, {"code": 50001, "message": "Missing Access"})]
    assert first == await build(incoming).find("a-1-1")


async def test_after_fifteen_minutes_a_command_is_answered_by_messages(fake: FakeDiscord, build: BuildOutlet) -> None:
    """The token has expired. Earlier posts are edited as ordinary messages."""
    incoming = await send_command(fake)
    outlet = build(incoming)
    first = await outlet.post(PARTIAL, "a-1-1")
    reply = outlet._destination
    assert isinstance(reply, CommandReply)
    reply._clock = lambda: reply._expires_at + 1
    fake.calls.clear()
    await outlet.edit(first, FINISHED)
    second = await outlet.post(PARTIAL, "a-1-2")
    assert second == await outlet.find("a-1-2")
    await outlet.delete(second)
    assert await outlet.upload(Upload("a.json", "application/json", b"{}"), "a-1-file")

    assert [] == fake.calls_to("/webhooks/")
    assert fake.messages[first]["content"].startswith("A feed is a list.")


def test_an_old_command_has_expired() -> None:
    """Its id contains its time."""
    incoming = parse_slash_command(payload("interaction_ask", id="1200000000000000000"))
    assert incoming is not None
    reply = build_places(incoming, DiscordApi(lambda: SingleAttemptClient(None)), ME["id"]).reply
    assert isinstance(reply, CommandReply)
    assert not reply.is_open
