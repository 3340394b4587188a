"""What each kind of activity makes happen: at the intake, at the connector, and with files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bindings.delivery.outlet import Upload
from bindings.teams import messages, transport
from bindings.teams.credentials import Credentials
from tests.bindings.teams.conftest import Served
from tests.bindings.teams.support_answering import place
from tests.bindings.teams.support_fake_microsoft import APP_ID, PASSWORD, TENANT, FakeMicrosoft

ACCEPTED = 202
ROWS = Upload("rows.jsonl", "application/jsonl", b'{"a": 1}\n')


async def test_threads_go_on_without_a_mention(served: Served) -> None:
    """Where the app may read all: in a thread in which it answers, unless somebody else is meant; never in groups."""
    follow_up = served.activity("channel_follow_up")
    await served.send(follow_up)
    assert [] == served.intake.taken

    served.intake.part_of = {
        f"teams:{TENANT}:19:693ecdb923ac4458a5c23661b505fc84@thread.tacv2:1481567603816",
        f"teams:{TENANT}:19:18f3d2c1a8e04b57b7e0f7ab5f8d2b5a@thread.v2",
    }
    for name in ("channel_follow_up", "channel_to_somebody_else", "group_unaddressed"):
        assert ACCEPTED == (await served.send(served.activity(name))).status
    assert ["And on Tuesday?"] == [each.text for each in served.intake.taken]


@pytest.mark.parametrize(
    "name",
    ["message_update", "message_undelete", "reaction_added", "reaction_removed", "typing", "channel_renamed",
     "member_added", "upgraded_in", "upgraded_out", "from_bot"],
)  # fmt: skip
async def test_what_means_nothing_is_acknowledged(served: Served, name: str) -> None:
    """2xx, or Teams would send it again; an upgrade is neither a greeting nor the end."""
    assert ACCEPTED == (await served.send(served.activity(name))).status
    assert ([], [], []) == (served.intake.taken, served.intake.left_places, served.microsoft.calls)


async def test_a_deleted_question_is_withdrawn(served: Served) -> None:
    """By the ids under which it was taken."""
    await served.send(served.activity("channel_reply"))
    await served.send(served.activity("message_delete"))

    ((place, message),) = served.intake.deleted
    (taken,) = served.intake.taken
    assert (taken.place.conversation, taken.message) == (place.conversation, message)


@pytest.mark.parametrize(
    ("name", "value", "comment"), [("feedback_like", "good", "Clear and short."), ("feedback_dislike", "bad", "")]
)
@pytest.mark.parametrize("ref", ["1:99", "stream:1:99"])
async def test_feedback_is_stored_with_the_answer(
    served: Served, name: str, value: str, comment: str, ref: str
) -> None:
    """Within the request, answered by an empty object, as Teams demands."""
    served.intake.answers = {ref: "answer-1"}
    response = await served.send(served.activity(name))

    assert (200, b"{}") == (response.status, response.body)
    assert [
        ("answer-1", f"teams:{TENANT}:7faf8ab2-3d56-4244-b585-20c8a42ed2b8", value, comment)
    ] == served.intake.judged


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
async def test_malformed_feedback(served: Served, value: Any) -> None:
    """Is answered and means nothing, or what of it can be understood."""
    served.intake.answers = {"1:99": "answer-1"}
    assert 200 == (await served.send(served.activity("feedback_like", value=value))).status
    assert {("answer-1", "")} >= {(each[0], each[3]) for each in served.intake.judged}


async def test_an_invoke_that_nobody_knows(served: Served) -> None:
    """404; the person is told by Teams that it did not work."""
    assert 404 == (await served.send(served.activity("task_fetch"))).status


async def test_the_greeting_comes_once(served: Served) -> None:
    """Teams tells an installation twice; what a person may ask are buttons."""
    for name in ("bot_added", "installed", "bot_added"):
        assert ACCEPTED == (await served.send(served.activity(name))).status
    await served.send(served.activity("bot_added_to_team"))
    personal, team = await served.microsoft.until(calls=2)

    assert "**Whisper**\n\nAsk me anything." == personal.text
    actions = personal.activity["suggestedActions"]["actions"]
    assert ["What is AI?", "Write an email."] == [each["value"] for each in actions]
    assert "suggestedActions" not in team.activity
    assert "19:0b5e9a5b4cde4b7da9b5e7d2c2c9c6d4@thread.tacv2" == team.conversation
    assert "entities" not in personal.activity


async def test_what_is_forgotten_when_the_app_is_taken_out(served: Served) -> None:
    """Only what was said there: the chat of one person, or the channels of one team."""
    for name in ("personal", "channel"):
        await served.send(served.activity(name))
    chat, channel = (each.place for each in served.intake.taken)
    await served.send(served.activity("removed"))
    await served.send(
        served.activity(
            "removed_from_team",
            channelData={"team": {"id": channel.route["team"]}, "tenant": {"id": TENANT}},
        )
    )
    (of_chat, of_team) = served.intake.left_places

    assert (TENANT, True, False) == (of_chat[0], of_chat[1](chat), of_chat[1](channel))
    assert (TENANT, False, True) == (of_team[0], of_team[1](chat), of_team[1](channel))


async def test_the_tokens_of_both_directions(served: Served) -> None:
    """One login for all who wait, kept; after a refusal another one, once."""
    served.adapter._credentials._token = None  # type: ignore[union-attr]
    before = served.microsoft.token_fetches
    send = served.adapter._connector.send
    where = place("group", served.microsoft.service_url)
    hello = [messages.build_notice("Hello", where, "en") for _ in range(12)]
    await asyncio.gather(*(send(where, each) for each in hello[:10]))
    assert before + 1 == served.microsoft.token_fetches

    served.microsoft.tokens_refused = {served.microsoft.calls[-1].token}
    await send(where, hello[10])
    assert before + 2 == served.microsoft.token_fetches
    form = served.microsoft.login_forms[-1]
    assert ("client_credentials", "https://api.botframework.com/.default") == (form["grant_type"], form["scope"])


async def test_a_token_is_renewed_before_it_ends(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Five minutes before; one that lives less, at half its life."""
    now = [0.0]
    async with transport.build_client() as http:
        held = Credentials(http, APP_ID, PASSWORD, f"{microsoft.url}/adfs", "scope", lambda: now[0])
        first = await held.token()
        now[0] = 3299.0
        assert first == await held.token()
        now[0] = 3301.0
        assert first != await held.token()
