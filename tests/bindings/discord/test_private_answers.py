"""Answers that only the asker sees, the button that shows them to everyone, and a bot that a person brought along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bindings.delivery.outlet import Closing, Gone, Page
from bindings.discord.interactions import build_acknowledgement, parse_button_press, parse_slash_command
from bindings.discord.outlet import DiscordOutlet
from bindings.discord.rendering import build_buttons, build_shown_message
from bindings.discord.slash_commands import build_commands
from bindings.selftest.discord_faults import ApiFault
from bindings.selftest.discord_payloads import ALICE, CHANNEL, GUILD, THREAD, RawPayload, payload
from bindings.selftest.discord_server import FakeDiscord
from tests.bindings.discord.conftest import RunBot
from tests.bindings.discord.support_fake_intake import IntakeSpy

EPHEMERAL = 1 << 6
FINISHED = Page("A feed is a list.", "en", final=True, closing=Closing("a-1", "Written by AI."))
PRIVATE = {"name": "private", "type": 5, "value": True}


def ask_privately(**changes: Any) -> RawPayload:
    recorded = payload("interaction_ask", **changes)
    data = recorded["data"]
    return {**recorded, "data": {**data, "options": [*data["options"], PRIVATE]}}


def press_show(message: RawPayload, **changes: Any) -> RawPayload:
    data = {"custom_id": "show:a-1:1", "component_type": 2}
    return payload("interaction_button_good", message={**message, "flags": EPHEMERAL}, data=data, **changes)


def labels(rows: list[dict[str, Any]]) -> list[str]:
    return [each["custom_id"].partition(":")[0] for row in rows for each in row["components"]]


def test_a_private_answer_is_deferred_as_one() -> None:
    assert {"type": 5, "data": {"flags": EPHEMERAL}} == build_acknowledgement(ask_privately())
    assert {"type": 5} == build_acknowledgement(payload("interaction_ask"))


def test_a_private_answer_has_a_conversation_of_its_own() -> None:
    """Otherwise the next answer in the channel could repeat it."""
    own, public = parse_slash_command(ask_privately()), parse_slash_command(payload("interaction_ask"))
    thread = parse_slash_command(ask_privately(channel=payload("interaction_ask_in_thread")["channel"]))
    assert own
    assert public
    assert thread

    assert f"discord:{GUILD}:{CHANNEL}:{CHANNEL}-{ALICE['id']}" == own.place.conversation
    assert f"discord:{GUILD}:{CHANNEL}" == public.place.conversation
    assert f"discord:{GUILD}:{CHANNEL}:{THREAD}-{ALICE['id']}" == thread.place.conversation
    assert THREAD == thread.place.route["channel"]
    press = parse_button_press(press_show({"id": "5"}))
    assert press
    assert own.place.conversation == press.place.conversation


def test_each_page_can_be_shown_and_none_regenerated() -> None:
    """Only the asker's command can edit a private answer, and only for 15 minutes."""
    first = Page("a", "en", final=True)
    assert ["good", "bad", "show"] == labels(build_buttons(FINISHED, audience="private"))
    assert ["show"] == labels(build_buttons(first, "a-1-1", "private"))
    assert [] == labels(build_buttons(replace(first, is_notice=True), audience="private"))
    assert ["good", "bad", "regenerate"] == labels(build_buttons(FINISHED))
    assert [] == labels(build_buttons(first))


def test_a_shown_answer_names_who_showed_it() -> None:
    """A page without room for the name is shown as it is. Neither pings anybody."""
    message = {"id": "5", "content": "A feed.", "components": build_buttons(FINISHED, audience="private")}
    body = build_shown_message(press_show(message), "en")
    assert "A feed.\n-# Shown by Alice Tremblay" == body["content"]
    assert ["good", "bad"] == labels(body["components"])
    assert ({"parse": [], "replied_user": False}, 0) == (body["allowed_mentions"], body["flags"] & EPHEMERAL)
    long = build_shown_message(press_show({**message, "content": "x" * 1990}), "en")
    assert "x" * 1990 == long["content"]


async def start_private(fake: FakeDiscord, intake: IntakeSpy) -> RawPayload:
    """Asks privately. Returns the interaction."""
    asked = ask_privately()
    interaction = await fake.interact("interaction_ask", data=asked["data"])
    await intake.until(lambda: intake.messages)
    return interaction


async def test_all_pages_of_a_private_answer_are_private(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    async with run_bot() as adapter:
        interaction = await start_private(fake, intake)
        outlet = adapter.platform.outlet(intake.messages[0])
        await outlet.post(Page("one", "en", final=True), "a-1-1")
        last = await outlet.post(Page("two", "en"), "a-1-2")
        await outlet.edit(last, FINISHED)

    assert EPHEMERAL == fake.interactions[interaction["token"]]["callback"]["data"]["flags"]
    assert ["one", "A feed is a list.\n-# Written by AI."] == [each["content"] for each in fake.posts()]
    assert fake.messages[last]["flags"] & EPHEMERAL
    assert [] == fake.calls_to(f"POST /api/v10/channels/{CHANNEL}/messages")


async def test_a_private_answer_is_never_posted_in_the_channel(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """After its token expired, it is a direct message, which says why."""
    async with run_bot() as adapter:
        await start_private(fake, intake)
        outlet = adapter.platform.outlet(intake.messages[0])
        fake.faults = [ApiFault("/webhooks/", 401, {"code": 50027, "message": "Invalid Webhook Token"}, times=9)]
        with pytest.raises(Gone) as gone:
            await outlet.post(FINISHED, "a-1-1")
        direct = outlet.plainer(gone.value)
        assert isinstance(direct, DiscordOutlet)
        await direct.post(FINISHED, "a-1-direct-1")

    posts = fake.posts()[-2:]
    assert [f"9{ALICE['id']}"[:20]] * 2 == [each["channel_id"] for each in posts]
    assert f"<#{CHANNEL}>" in posts[0]["content"]
    assert [] == fake.calls_to(f"POST /api/v10/channels/{CHANNEL}/messages")


async def test_an_answer_is_shown_to_everyone_once(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> None:
    """The press removes the button. A second press that was on its way gets a private message."""
    message = {"id": "55", "content": "A feed.", "components": build_buttons(FINISHED, audience="private")}
    data = {"custom_id": "show:a-1:1", "component_type": 2}
    async with run_bot():
        presses = [
            await fake.interact("interaction_button_good", message={**message, "flags": EPHEMERAL}, data=data)
            for _ in range(2)
        ]
        await fake.until(lambda: len(fake.posts()) == 2)

    callback = fake.interactions[presses[0]["token"]]["callback"]
    assert (7, ["good", "bad"]) == (callback["type"], labels(callback["data"]["components"]))
    shown, told = sorted(fake.posts(), key=lambda each: each["flags"] & EPHEMERAL)
    assert shown["content"].startswith("A feed.")
    assert told["flags"] & EPHEMERAL


async def test_an_answer_that_cannot_be_shown_stays_private(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot
) -> None:
    """The person learns it, and may press again."""
    message = {"id": "55", "content": "A feed.", "components": build_buttons(FINISHED, audience="private")}
    data = {"custom_id": "show:a-1:1", "component_type": 2}
    fake.faults = [ApiFault("POST /api/v10/webhooks/", 403, {"code": 200000, "message": "blocked"})]
    async with run_bot():
        for count in (1, 2):
            await fake.interact("interaction_button_good", message={**message, "flags": EPHEMERAL}, data=data)
            await fake.until(lambda count=count: len(fake.posts()) == count)

    failed, shown = sorted(fake.posts(), key=lambda each: int(each["id"]))
    assert (EPHEMERAL, 0) == (failed["flags"] & EPHEMERAL, shown["flags"] & EPHEMERAL)


# ---------------------------------------------------------------- user-installed


@pytest.fixture
async def brought(fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot) -> AsyncIterator[DiscordOutlet]:
    """The outlet for a command in a server that did not install the bot."""
    async with run_bot() as adapter:
        await fake.interact("interaction_ask", authorizing_integration_owners={"1": ALICE["id"]})
        await intake.until(lambda: intake.messages)
        outlet = adapter.platform.outlet(intake.messages[0])
        assert isinstance(outlet, DiscordOutlet)
        yield outlet


async def test_a_bot_that_was_brought_along_uses_the_token_only(
    fake: FakeDiscord, intake: IntakeSpy, run_bot: RunBot, brought: DiscordOutlet
) -> None:
    """It is not in the channel, so it neither reads nor posts there."""
    fake.calls.clear()
    ref = await brought.post(Page("A feed", "en"), "a-1-1")
    assert await brought.find("a-1-1") == ref
    await brought.edit(ref, FINISHED)

    assert [] == fake.calls_to("/channels/")
    assert () == intake.messages[0].groups


def test_a_person_is_at_home_where_the_server_installed_the_bot() -> None:
    incoming = parse_slash_command(payload("interaction_ask"))
    assert incoming
    assert ("home",) == incoming.groups


def test_a_private_chat_between_people_is_a_group() -> None:
    """Everybody there sees the answer."""
    interaction = payload("interaction_ask_dm", context=2, authorizing_integration_owners={"1": ALICE["id"]})
    incoming = parse_slash_command(interaction)
    assert incoming
    assert ("group", "1") == (incoming.place.kind, incoming.place.route["external"])


@pytest.mark.parametrize(("installs", "types", "contexts"), [(["0"], [0], [0, 1]), (["0", "1"], [0, 1], [0, 1, 2])])
async def test_commands_are_for_people_if_the_application_is(
    fake: FakeDiscord, run_bot: RunBot, installs: list[str], types: list[int], contexts: list[int]
) -> None:
    """The operator decides it on the portal's page "Installation"."""
    fake.install_types = installs
    async with run_bot():
        pass

    assert [(types, contexts)] * 5 == [(each["integration_types"], each["contexts"]) for each in fake.commands]


def test_every_command_can_be_private() -> None:
    """/facts is for everyone to see: it changes a collection that people share."""
    commands = build_commands(["whisper"])
    options = [command["options"][-1] for command in commands if command["name"] != "facts"]

    assert [("private", 5, "privé")] * 4 == [
        (each["name"], each["type"], each["name_localizations"]["fr"]) for each in options
    ]
