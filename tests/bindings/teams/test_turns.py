"""The effects of each kind of activity on the intake and the connector."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bindings.selftest.microsoft_server import TENANT
from bindings.teams import messages
from tests.bindings.teams.conftest import TeamsBot
from tests.bindings.teams.support_outlets import place

ACCEPTED = 202


async def test_a_thread_continues_without_a_mention(bot: TeamsBot) -> None:
    """It must be a thread in which the bot answers, and mention nobody else. Groups always need a mention."""
    follow_up = bot.activity("channel_follow_up")
    await bot.send(follow_up)
    assert [] == bot.intake.messages

    bot.intake.participating = {
        f"teams:{TENANT}:19:693ecdb923ac4458a5c23661b505fc84@thread.tacv2:1481567603816",
        f"teams:{TENANT}:19:18f3d2c1a8e04b57b7e0f7ab5f8d2b5a@thread.v2",
    }
    for name in ("channel_follow_up", "channel_to_somebody_else", "group_unaddressed"):
        assert ACCEPTED == (await bot.send(bot.activity(name))).status
    assert ["And on Tuesday?"] == [each.text for each in bot.intake.messages]


@pytest.mark.parametrize(
    "name",
    ["message_update", "message_undelete", "reaction_added", "reaction_removed", "typing", "channel_renamed",
     "member_added", "upgraded_in", "upgraded_out"],
)  # fmt: skip
async def test_other_activities_are_only_acknowledged(bot: TeamsBot, name: str) -> None:
    """Without a 2xx, Teams would repeat them. An upgrade of the app causes no greeting and deletes nothing."""
    assert ACCEPTED == (await bot.send(bot.activity(name))).status
    assert ([], [], []) == (bot.intake.messages, bot.intake.removals, bot.microsoft.calls)


async def test_a_listed_channel_or_chat_needs_no_mention(bot: TeamsBot) -> None:
    """Messages that mention others still get no answer."""
    messages = [bot.activity(name) for name in ("channel_follow_up", "channel_to_somebody_else", "group_unaddressed")]
    bot.intake.listed = {each["conversation"]["id"].partition(";")[0] for each in messages}
    for each in messages:
        await bot.send(each)

    assert 2 == len(bot.intake.messages)


async def test_an_edit_that_adds_the_mention_is_taken(bot: TeamsBot) -> None:
    """It is the same event as the message, so that the intake answers it once. Other edits change nothing."""
    mention = bot.activity("channel_reply")
    edit = {**mention, "type": "messageUpdate", "channelData": {**mention["channelData"], "eventType": "editMessage"}}
    await bot.send({**edit, "entities": []})
    assert [] == bot.intake.messages

    await bot.send(edit)
    await bot.send({**edit, "channelData": {**edit["channelData"], "eventType": "undeleteMessage"}})
    await bot.send(mention)
    assert 2 == len(bot.intake.messages)
    assert bot.intake.messages[0] == bot.intake.messages[1]


async def test_another_bot_is_named_as_one(bot: TeamsBot) -> None:
    """The intake answers only those that the settings list."""
    await bot.send(bot.activity("from_bot"))

    assert ("bots", "28:another", "another") == bot.intake.messages[0].groups


async def test_a_deleted_question_is_withdrawn(bot: TeamsBot) -> None:
    """The ids are those of the message."""
    await bot.send(bot.activity("channel_reply"))
    await bot.send(bot.activity("message_delete"))

    ((place, message),) = bot.intake.deletions
    (incoming,) = bot.intake.messages
    assert (incoming.place.conversation, incoming.message) == (place.conversation, message)


@pytest.mark.parametrize(
    ("name", "value", "comment"), [("feedback_like", "good", "Clear and short."), ("feedback_dislike", "bad", "")]
)
@pytest.mark.parametrize("ref", ["1:99", "stream:1:99"])
async def test_feedback_is_stored_with_the_answer(bot: TeamsBot, name: str, value: str, comment: str, ref: str) -> None:
    """The response is an empty object, as Teams requires."""
    bot.intake.answers = {ref: "answer-1"}
    response = await bot.send(bot.activity(name))

    assert (200, b"{}") == (response.status, response.body)
    assert [("answer-1", f"teams:{TENANT}:7faf8ab2-3d56-4244-b585-20c8a42ed2b8", value, comment)] == bot.intake.feedback


FEEDBACK: list[Any] = [
    None,
    5,
    {},
    {"actionValue": "like"},
    {"actionValue": {"reaction": "love"}},
    {"actionValue": {"reaction": ["like"]}},
    {"actionValue": {"reaction": "like", "feedback": "{half"}},
    {"actionValue": {"reaction": "like", "feedback": []}},
]


@pytest.mark.parametrize("value", FEEDBACK, ids=range(len(FEEDBACK)))
async def test_malformed_feedback_is_acknowledged(bot: TeamsBot, value: Any) -> None:
    """Only its usable parts are stored."""
    bot.intake.answers = {"1:99": "answer-1"}
    assert 200 == (await bot.send(bot.activity("feedback_like", value=value))).status
    assert {("answer-1", "")} >= {(each[0], each[3]) for each in bot.intake.feedback}


async def test_an_unknown_invoke_is_not_found(bot: TeamsBot) -> None:
    """After a 404, Teams shows the person an error."""
    assert 404 == (await bot.send(bot.activity("task_fetch"))).status


async def test_the_greeting_is_sent_once(bot: TeamsBot) -> None:
    """An installation causes two events. Suggested prompts are buttons in a personal chat."""
    for name in ("bot_added", "installed", "bot_added"):
        assert ACCEPTED == (await bot.send(bot.activity(name))).status
    await bot.send(bot.activity("bot_added_to_team"))
    personal, team = await bot.microsoft.wait_for_calls(2)

    assert "**Whisper**\n\nAsk me anything." == personal.text
    actions = personal.activity["suggestedActions"]["actions"]
    assert ["What is AI?", "Write an email."] == [each["value"] for each in actions]
    assert "suggestedActions" not in team.activity
    assert "19:0b5e9a5b4cde4b7da9b5e7d2c2c9c6d4@thread.tacv2" == team.conversation
    assert "entities" not in personal.activity


async def test_removing_the_app_deletes_its_conversations(bot: TeamsBot) -> None:
    """It concerns the chat of one person, or the channels of one team."""
    for name in ("personal", "channel"):
        await bot.send(bot.activity(name))
    chat, channel = (each.place for each in bot.intake.messages)
    await bot.send(bot.activity("removed"))
    await bot.send(
        bot.activity(
            "removed_from_team",
            channelData={"team": {"id": channel.route["team"]}, "tenant": {"id": TENANT}},
        )
    )
    chat_removal, team_removal = bot.intake.removals

    assert (TENANT, True, False) == (chat_removal[0], chat_removal[1](chat), chat_removal[1](channel))
    assert (TENANT, False, True) == (team_removal[0], team_removal[1](chat), team_removal[1](channel))


async def test_a_connector_token_is_shared_and_replaced_once(bot: TeamsBot) -> None:
    """Ten calls share one login; a rejected token causes one more."""
    bot.adapter._credentials._token = None  # type: ignore[union-attr]
    fetches = bot.microsoft.token_fetches
    send = bot.adapter._connector.send
    where = place("group", bot.microsoft.service_url)
    notices = [messages.build_notice("Hello", where, "en") for _ in range(12)]
    await asyncio.gather(*(send(where, each) for each in notices[:10]))
    assert fetches + 1 == bot.microsoft.token_fetches

    bot.microsoft.tokens_refused = {bot.microsoft.calls[-1].token}
    await send(where, notices[10])
    assert fetches + 2 == bot.microsoft.token_fetches
    form = bot.microsoft.login_forms[-1]
    assert ("client_credentials", "https://api.botframework.com/.default") == (form["grant_type"], form["scope"])
