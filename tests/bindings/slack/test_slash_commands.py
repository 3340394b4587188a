"""Slash commands with a fake intake: a question is posted, taken, or deleted again."""

from __future__ import annotations

import pytest

from bindings.delivery.outlet import Page
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import FakeSlack
from bindings.slack import event_router
from bindings.slack.adapter import SlackAdapter
from core.errors import CspsError, Stopping, StorageError
from tests.bindings.slack.support_fakes import FakeIntake
from tests.bindings.slack.support_running_adapter import deliver


@pytest.mark.parametrize(("name", "toil"), [("slash_ask", False), ("slash_toil", True)])
async def test_a_question_by_command_is_posted_and_taken(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str, toil: bool
) -> None:
    """The answer goes to the thread of that post."""
    assert {"envelope_id"} == set(await deliver(slack, name, "slash_commands"))

    [post] = slack.answers("C0001")
    [incoming] = intake.messages
    assert (post["ts"], toil) == (incoming.place.thread, incoming.toil)
    assert "ann" in post["blocks"][0]["elements"][0]["text"]


async def test_a_command_without_a_question_gets_an_explanation(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Only its author sees it, in both languages."""
    acknowledgement = await deliver(slack, "slash_ask", "slash_commands", text=" ")

    assert "/ask Comment" in acknowledgement["payload"]["text"]
    assert ([], []) == (intake.messages, slack.answers("C0001"))


async def test_the_bot_posts_nothing_for_a_rejected_person(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Only the person sees the reason, in both languages."""
    intake.rejections = {"en": "Not you.", "fr": "Pas vous."}
    acknowledgement = await deliver(slack, "slash_ask", "slash_commands")

    assert "Not you.\nPas vous." == acknowledgement["payload"]["text"]
    assert ([], []) == (intake.messages, slack.calls_to("chat.postMessage"))


@pytest.mark.parametrize(
    ("trouble", "reply"), [(Trouble(error="not_in_channel"), "/invite"), (Trouble(500), "try again")]
)
async def test_a_question_that_cannot_be_posted_is_not_taken(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, trouble: Trouble, reply: str
) -> None:
    """Its author sees the reason within 3 seconds."""
    slack.trouble["chat.postMessage"].append(trouble)
    acknowledgement = await deliver(slack, "slash_ask", "slash_commands")

    assert reply in acknowledgement["payload"]["text"]
    assert [] == intake.messages


@pytest.mark.parametrize("trouble", [StorageError("disk full"), Stopping("stopping")])
async def test_a_question_that_cannot_be_taken_is_deleted(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, trouble: CspsError
) -> None:
    """Slack does not repeat commands, so the post would never get an answer."""
    intake.error = trouble
    acknowledgement = await deliver(slack, "slash_ask", "slash_commands")
    await slack.until(lambda: slack.calls_to("chat.delete"))

    assert "try again" in acknowledgement["payload"]["text"]
    assert [] == slack.answers("C0001")
    assert "try again" in (await deliver(slack, "slash_forget", "slash_commands"))["payload"]["text"]


async def test_a_question_that_is_posted_too_late_is_deleted(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its author was asked to try again, and may have done so."""
    monkeypatch.setattr(event_router, "QUESTION_DEADLINE_S", 0.0)
    acknowledgement = await deliver(slack, "slash_ask", "slash_commands")
    await slack.until(lambda: slack.calls_to("chat.delete"))

    assert "try again" in acknowledgement["payload"]["text"]
    assert ([], []) == (slack.answers("C0001"), intake.messages)


@pytest.mark.parametrize("name", ["slash_personality", "slash_forget"])
async def test_commands_are_answered_through_the_response_url(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """Only the author sees the answer."""
    await deliver(slack, name, "slash_commands", response_url=f"{slack.url}/response/1")
    [incoming] = intake.messages
    await adapter.platform.outlet(incoming).post(Page("Done.", "en", final=True), "n-1")
    assert ["ephemeral"] == [each["response_type"] for each in slack.ephemeral_messages]
