"""What Discord refuses for good takes a plainer form, until the answer stands somewhere or nothing is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bindings.delivery.outlet import DIRECT, Closing, DeliveryError, Page
from bindings.discord.interactions import parse_slash_command
from bindings.discord.mapping import ChannelContext, parse_message
from bindings.discord.outlet import PLAIN, DiscordOutlet
from bindings.discord.refusals import Refusal, Remedy, find_remedies
from bindings.incoming import IncomingMessage
from bindings.selftest.discord_faults import ApiFault
from bindings.selftest.discord_payloads import ALICE, CHANNEL, ME
from bindings.selftest.discord_server import LOADING, FakeDiscord
from tests.bindings.discord.conftest import BuildOutlet

PARTIAL = Page("See https://e.ca/feed", "en")
FINISHED = Page("A feed is a list.", "en", final=True, closing=Closing("a-1", "Written by AI."))
POST, PATCH, HOOK = f"POST /api/v10/channels/{CHANNEL}/messages", "PATCH /api/v10/channels", "/api/v10/webhooks/"
DIRECT_CHANNEL = f"9{ALICE['id']}"[:20]


async def ask(fake: FakeDiscord, name: str = "message_mention") -> IncomingMessage:
    incoming = parse_message(await fake.send(name, id=fake.snowflake()), ChannelContext(ME["id"]))
    assert incoming
    return incoming


async def command(fake: FakeDiscord) -> IncomingMessage:
    interaction = await fake.interact("interaction_ask")
    message = fake.add_post(CHANNEL, {"flags": LOADING}, interaction_metadata={"id": interaction["id"]})
    fake.interactions[interaction["token"]]["original"] = message["id"]
    incoming = parse_slash_command(interaction)
    assert incoming
    return incoming


def refuse(fake: FakeDiscord, part: str, status: int, code: int, times: int = 99, **more: object) -> None:
    fake.faults = [ApiFault(part, status, {"code": code, "message": "no", **more}, times)]


async def fail(outlet: DiscordOutlet, ref: str | None = None) -> DiscordOutlet | None:
    """Posts, or edits `ref`, and returns the next form."""
    with pytest.raises(DeliveryError) as error:
        await (outlet.post(PARTIAL, "a-1-1") if ref is None else outlet.edit(ref, FINISHED))
    return outlet.plainer(error.value)


@pytest.mark.parametrize(
    ("refusal", "remedies"),
    [
        (Refusal(403, 50013, method="POST"), ["direct"]),
        (Refusal(403, 50001, method="PATCH"), ["direct"]),
        (Refusal(404, 10003), ["direct"]),
        (Refusal(400, 50083), ["repost", "direct"]),
        (Refusal(400, 160005), ["direct"]),
        (Refusal(400, 200000, method="PATCH"), ["direct"]),
        (Refusal(400, 240000, method="POST"), ["direct"]),
        (Refusal(400, 160002, method="POST"), ["unlink", "repost", "direct"]),
        (Refusal(404, 10008, method="POST"), ["unlink", "repost", "direct"]),
        (Refusal(400, 50035, "In message_reference: Unknown message"), ["unlink", "repost", "direct"]),
        (Refusal(400, 50035, "In components.0: no"), ["plain", "repost", "direct"]),
        (Refusal(400, 50006), ["plain", "repost", "direct"]),
        (Refusal(501, 0), ["plain", "repost", "direct"]),
        (Refusal(), ["plain", "repost", "direct"]),
        (Refusal(400, 30046, method="PATCH"), ["repost", "direct"]),
        (Refusal(403, 50005, method="PATCH"), ["repost", "direct"]),
        (Refusal(401, 50027), ["channel", "direct"]),
        (Refusal(404, 10015), ["channel", "direct"]),
        (Refusal(404, 10008, method="PATCH"), []),
        (Refusal(403, 50007), ["direct"]),
    ],
)
def test_remedies_follow_from_what_discord_said(refusal: Refusal, remedies: list[Remedy]) -> None:
    assert remedies == list(find_remedies(refusal))


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(403, 50013, "Send Messages"), (403, 50001, "View Channel"), (400, 200000, "filter"), (404, 10003, "no longer")],
)
async def test_the_asker_gets_the_answer_directly(
    fake: FakeDiscord, build: BuildOutlet, status: int, code: int, words: str
) -> None:
    """A message before it says why, once. It can be rated; it is of another conversation, so nothing else works."""
    refuse(fake, POST, status, code)
    direct = await fail(build(await ask(fake)))
    assert direct
    assert DIRECT == direct.form
    ref = await direct.post(PARTIAL, "a-1-direct-1")
    assert [] == fake.messages[ref]["components"]
    assert ref == await direct.post(PARTIAL, "a-1-direct-1")
    await direct.edit(ref, FINISHED)

    why, answer = fake.posts()
    assert ["good", "bad"] == [each["custom_id"].split(":")[0] for each in answer["components"][0]["components"]]
    assert [DIRECT_CHANNEL] * 2 == [why["channel_id"], answer["channel_id"]]
    assert words in why["content"]
    assert f"<#{CHANNEL}>" in why["content"]
    assert answer["content"].startswith("A feed is a list.")
    assert [{"recipient_id": ALICE["id"]}] == fake.calls_to("POST /api/v10/users/@me/channels")


async def test_a_refused_edit_leaves_the_place_for_direct_messages(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Delivery then deletes the stump with its stop button, by the first form."""
    outlet = build(await ask(fake))
    ref = await outlet.post(PARTIAL, "a-1-1")
    refuse(fake, PATCH, 400, 200000)
    direct = await fail(outlet, ref)
    assert direct
    assert DIRECT == direct.form
    await direct.in_form("").delete(ref)

    assert [] == fake.posts()


async def test_without_the_history_the_answer_is_no_reply(fake: FakeDiscord, build: BuildOutlet) -> None:
    """It keeps its form, so posted messages are edited further."""
    refuse(fake, POST, 400, 160002, times=1)
    outlet = await fail(build(await ask(fake)))
    assert outlet
    assert "" == outlet.form
    ref = await outlet.post(PARTIAL, "a-1-1")

    assert "message_reference" not in fake.messages[ref]
    assert ref == await outlet.find("a-1-1")
    assert await outlet.find("b-2-1") is None


async def test_a_refused_form_loses_its_buttons_and_flags(fake: FakeDiscord, build: BuildOutlet) -> None:
    """The same message goes on; addresses cannot unfurl."""
    outlet = build(await ask(fake))
    ref = await outlet.post(PARTIAL, "a-1-1")
    refuse(fake, PATCH, 400, 50035, times=1, errors={"components": {"_errors": [{"code": "X", "message": "no"}]}})
    plain = await fail(outlet, ref)
    assert plain
    assert "" == plain.form
    await plain.edit(ref, replace(FINISHED, text=PARTIAL.text))

    assert [] == fake.messages[ref]["components"]
    assert "See <https://e.ca/feed>" in fake.messages[ref]["content"]
    assert "flags" not in fake.calls_to("PATCH")[-1]


async def test_an_old_message_is_replaced_by_a_new_one(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Discord limits the edits of messages older than an hour."""
    outlet = build(await ask(fake))
    ref = await outlet.post(PARTIAL, "a-1-1")
    refuse(fake, PATCH, 400, 30046)
    again = await fail(outlet, ref)
    assert again
    assert PLAIN == again.form
    new = await again.post(FINISHED, "a-1-plain-1")

    assert new != ref
    assert CHANNEL == fake.messages[new]["channel_id"]


async def test_every_remedy_is_taken_once(fake: FakeDiscord, build: BuildOutlet) -> None:
    """The ladder ends when Discord refuses everything."""
    refuse(fake, "POST", 400, 50035)
    outlet: DiscordOutlet | None = build(await ask(fake))
    forms = []
    while outlet is not None:
        forms.append(outlet.form)
        outlet = await fail(outlet)

    assert ["", "", PLAIN, DIRECT, DIRECT] == forms


async def test_a_person_without_direct_messages_ends_the_ladder(fake: FakeDiscord, build: BuildOutlet) -> None:
    refuse(fake, POST, 403, 50013)
    direct = await fail(build(await ask(fake)))
    assert direct
    refuse(fake, "POST", 403, 50007)

    assert await fail(direct) is None


async def test_a_direct_message_has_no_other_place(fake: FakeDiscord, build: BuildOutlet) -> None:
    refuse(fake, "POST", 403, 50013)

    assert await fail(build(await ask(fake, "message_dm"))) is None


async def test_a_deleted_answer_is_not_posted_again(fake: FakeDiscord, build: BuildOutlet) -> None:
    """Somebody decided that it goes."""
    outlet = build(await ask(fake))
    ref = await outlet.post(PARTIAL, "a-1-1")
    fake.messages.pop(ref)

    assert await fail(outlet, ref) is None


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (404, 10015)])
async def test_a_command_with_a_dead_token_is_answered_in_the_channel(
    fake: FakeDiscord, build: BuildOutlet, status: int, code: int
) -> None:
    """Its messages so far are edited there; if the bot may not write there, the asker gets a direct message."""
    outlet = build(await command(fake))
    ref = await outlet.post(PARTIAL, "a-1-1")
    refuse(fake, HOOK, status, code)
    by_channel = await fail(outlet, ref)
    assert by_channel
    await by_channel.edit(ref, FINISHED)
    assert fake.messages[ref]["content"].startswith("A feed is a list.")
    fake.faults = [ApiFault(POST, 403, {"code": 50001, "message": "no"})]
    with pytest.raises(DeliveryError) as refused:
        await by_channel.post(PARTIAL, "a-1-2")
    direct = by_channel.plainer(refused.value)

    assert direct
    assert DIRECT == direct.form


async def test_a_later_process_continues_in_the_form(fake: FakeDiscord, build: BuildOutlet) -> None:
    """It knows the form only, so the reason stays general."""
    incoming = await ask(fake)
    direct = build(incoming).in_form(DIRECT)
    await direct.post(PARTIAL, "a-1-direct-1")
    in_direct_message = build(await ask(fake, "message_dm")).in_form(DIRECT)

    assert [DIRECT, PLAIN] == [direct.form, in_direct_message.form]
    assert [DIRECT_CHANNEL] * 2 == [each["channel_id"] for each in fake.posts()]
