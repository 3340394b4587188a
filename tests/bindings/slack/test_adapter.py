"""The adapter with a fake intake, in both modes, through the real SDK: the effect of each delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from bindings.delivery.outlet import DIRECT, Closing, Page
from bindings.incoming import IncomingMessage
from bindings.metrics import BotMetrics
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import APP_TOKEN, FakeSlack
from bindings.selftest.slack_texts import text_of
from bindings.slack import event_router
from bindings.slack.adapter import SlackAdapter
from bindings.slack.mapping import parse_message
from bindings.slack.sockets import SocketTimings
from core.errors import ConfigError, CspsError, Stopping, StorageError
from core.runtime.backoff import Backoff
from tests.bindings.slack.support_fakes import ME, FakeIntake, payload, settings

QUICK = SocketTimings(backoff=Backoff(0.01, 0.02))


@asynccontextmanager
async def run_adapter(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[SlackAdapter]:
    """Runs a connected adapter in Socket Mode."""
    adapter = SlackAdapter(settings(slack, sockets=True), BotMetrics(), QUICK)
    await adapter.connect(intake)  # type: ignore[arg-type]
    running = asyncio.create_task(adapter.run())
    await slack.connected.wait()
    try:
        yield adapter
    finally:
        running.cancel()
        await asyncio.wait({running})
        await adapter.close()


@pytest.fixture
async def adapter(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[SlackAdapter]:
    async with run_adapter(slack, intake) as made:
        yield made


async def deliver(slack: FakeSlack, name: str, kind: str = "events_api", **changes: Any) -> dict[str, Any]:
    """Sends a payload over the socket. Returns its acknowledgement."""
    return await slack.acknowledgement(await slack.push({**payload(name), **changes}, kind))


@pytest.mark.parametrize("name", ["app_mention", "message_im", "message_im_thread", "message_group", "message_mpim"])
async def test_messages_to_the_bot_are_taken(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """The intake receives the mapped message, and Slack an acknowledgement."""
    await deliver(slack, name)

    assert [parse_message(payload(name), ME)] == intake.messages


@pytest.mark.parametrize(
    "name",
    [
        "message_channel",
        "message_bot",
        "message_other_app",
        "message_own",
        "message_changed",
        "message_channel_join",
        "message_assistant_app_thread",
        "assistant_thread_context_changed",
        "tokens_revoked_user",
    ],
)
async def test_other_events_are_acknowledged_only(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """The intake receives nothing."""
    await deliver(slack, name)

    assert ([], [], []) == (intake.messages, intake.withdrawn, intake.forgotten)


async def test_thread_replies_need_no_mention_where_the_bot_participates(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """The bot ignores such a reply in other threads."""
    await deliver(slack, "message_thread_reply")
    assert [] == intake.messages
    intake.conversations.add("slack:T0001:C0001:1760000000.000100")
    await deliver(slack, "message_thread_reply")

    assert ["and in French?"] == [incoming.text for incoming in intake.messages]


@pytest.mark.parametrize("name", ["message_deleted", "message_deleted_im", "message_tombstone"])
async def test_a_deleted_question_is_withdrawn(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """The question may have replies or none."""
    await deliver(slack, name)

    assert ["1760000001.000200"] == [message for _, message in intake.withdrawn]


async def test_an_assistant_thread_is_greeted_once(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """The greeting is in the person's language, with prompts and a title. Repeated events add none."""
    slack.experience = "assistant"
    slack.users["U0ANN"] = {"id": "U0ANN", "name": "ann", "locale": "fr-CA"}
    for _ in range(3):
        await deliver(slack, "assistant_thread_started")
    await slack.until(lambda: slack.calls_to("assistant.threads.setTitle"))

    assert [("slack:T0001:D0001:1760000000.000100", "fr")] == [(p.conversation, lang) for p, lang in intake.greeted]
    assert ["Hello! Ask ‹!here> anything."] == [text_of(each) for each in slack.answers("D0001")]
    [prompts] = slack.prompts
    assert ["Help?", "Write?", "Why?", "How?"] == [each["message"] for each in prompts["prompts"]]


async def test_a_new_conversation_with_an_agent_has_prompts(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Agents get app_home_opened in place of assistant_thread_started. The bot posts no greeting."""
    await deliver(slack, "app_home_opened")
    await slack.until(lambda: slack.prompts)

    assert [] == slack.answers("D0001")
    assert "thread_ts" not in slack.prompts[0]


async def test_an_agents_question_begins_a_thread_with_a_session(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """The session is titled by the question, and busy until the last page of the answer."""
    await deliver(slack, "app_home_opened")
    await slack.until(lambda: slack.prompts)
    await deliver(slack, "message_im")
    await slack.until(lambda: slack.calls_to("agents.sessions.rename"))

    [incoming] = intake.messages
    assert incoming.message == incoming.place.thread
    session = slack.sessions[incoming.place.channel, incoming.message]
    assert {"status": "processing", "title": incoming.text} == session
    assert incoming.user == slack.statuses[0]["initiator_user_id"]

    outlet = adapter.platform.outlet(incoming)
    ref = await outlet.post(Page("One ", "en"), "n-1")
    assert slack.answers("D0001")[0]["streaming"]
    await outlet.edit(ref, Page("One two.", "en", final=True))
    assert "processing" == session["status"]
    await outlet.post(Page("Three.", "en", final=True, closing=Closing("", "")), "n-2")
    assert "active" == session["status"]


async def test_a_session_ends_also_if_the_answer_goes_elsewhere(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """A thread that is locked gets no answer, and its agent is not busy for ever."""
    await deliver(slack, "app_home_opened")
    await slack.until(lambda: slack.prompts)
    await deliver(slack, "message_im")
    await slack.until(lambda: slack.sessions)
    [incoming] = intake.messages
    direct = adapter.platform.outlet(incoming).in_form(DIRECT)
    await direct.post(Page("One.", "en", final=True, closing=Closing("", "")), "n-1")

    assert "active" == slack.sessions[incoming.place.channel, incoming.message]["status"]


async def test_the_session_of_a_forgotten_conversation_is_closed(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """The confirmation does not open it again; the next question does."""
    await deliver(slack, "agent_session_stopped")
    await slack.until(lambda: slack.statuses)
    await deliver(slack, "message_im")
    incoming = intake.messages[-1]
    await adapter.platform.forget(incoming.place)
    notice = Page("Forgotten.", "en", final=True, closing=Closing("", ""))
    await adapter.platform.outlet(incoming).post(notice, "n-1")

    session = slack.sessions[incoming.place.channel, incoming.message]
    assert "closed" == session["status"]
    later = {**payload("message_im_thread")["event"], "ts": "1700000099.000100", "thread_ts": incoming.message}
    await deliver(slack, "message_im_thread", event=later, event_id="Ev099")
    await slack.until(lambda: session["status"] == "processing")


@pytest.mark.parametrize("experience", ["assistant", "none"])
async def test_other_apps_answer_direct_messages_without_threads(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, experience: Literal["assistant", "none"]
) -> None:
    """Slack refuses prompts without a thread, so the app is no agent."""
    slack.experience = experience
    await deliver(slack, "app_home_opened")
    await slack.until(lambda: slack.calls_to("assistant.threads.setSuggestedPrompts"))
    await deliver(slack, "message_im")

    assert intake.messages[0].place.thread is None


async def test_a_status_is_shown_in_assistant_threads(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """A repeated event sets it once."""
    for _ in range(2):
        await deliver(slack, "message_im_thread")
    await slack.until(lambda: slack.statuses)

    assert ["is thinking…"] == [each["status"] for each in slack.statuses]


@pytest.mark.parametrize("silent", ["stop command", "limit"])
async def test_no_status_is_shown_if_no_answer_follows(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, silent: str
) -> None:
    """Otherwise it would stay until Slack removes it."""
    event = payload("message_im_thread")["event"]
    if silent == "stop command":
        event["text"] = "Stop!"
    else:
        intake.rejections = {"en": "Later.", "fr": "Plus tard."}
    await deliver(slack, "message_im_thread", event=event)
    intake.rejections = None
    later = {**payload("message_im_thread")["event"], "ts": "1700000099.000100", "text": "And now?"}
    await deliver(slack, "message_im_thread", event=later, event_id="Ev099")
    await slack.until(lambda: slack.statuses)

    assert (2, 1) == (len(intake.messages), len(slack.calls_to("assistant.threads.setStatus")))


async def test_refused_greetings_and_statuses_do_not_stop_a_question(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """The question is taken."""
    for method in ("assistant.threads.setStatus", "chat.postMessage", "users.info"):
        slack.permanent_errors[method] = "missing_scope"
    await deliver(slack, "assistant_thread_started")
    await deliver(slack, "message_im_thread")
    await slack.until(lambda: slack.calls_to("assistant.threads.setStatus"))

    assert 1 == len(intake.messages)


@pytest.mark.parametrize("named", [True, False])
async def test_slacks_stop_button_stops_the_answer(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, named: bool
) -> None:
    """The messages that Slack names, or all in the thread; the session becomes idle again."""
    await deliver(slack, "app_mention")
    [incoming] = intake.messages
    ref = await adapter.platform.outlet(incoming).post(Page("One ", "en"), "n-1")
    event = {**payload("agent_session_stopped")["event"], "streaming_message_ts": [ref] if named else []}
    await deliver(slack, "agent_session_stopped", event=event)

    assert [(incoming.place, ref)] == intake.stops
    await slack.until(lambda: slack.statuses)
    assert "active" == slack.statuses[0]["status"]


async def test_a_refused_append_stops_the_answer(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """This works without the stop event, or before it arrives."""
    await deliver(slack, "app_mention")
    outlet = adapter.platform.outlet(intake.messages[0])
    ref = await outlet.post(Page("One ", "en"), "n-1")
    slack.expire("C0001", ref, by_user=True)
    await outlet.edit(ref, Page("One two ", "en"))
    await intake.until(lambda: intake.stops)

    assert ref == intake.stops[0][1]


@pytest.mark.parametrize("name", ["app_uninstalled", "tokens_revoked"])
async def test_an_uninstalled_workspace_is_forgotten(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """The intake deletes its data."""
    await deliver(slack, name)

    assert ["T0001"] == intake.forgotten


@pytest.mark.parametrize(("name", "value"), [("block_actions_good", "good"), ("block_actions_bad", "bad")])
async def test_feedback_reaches_the_intake(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str, value: str
) -> None:
    """It carries the answer's id."""
    await deliver(slack, name, "interactive")

    assert [("ans-1", "slack:T0001:U0ANN", value)] == intake.feedback


async def test_the_regenerate_button_is_a_command(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """A repeated delivery of one press is one command."""
    for _ in range(2):
        await deliver(slack, "block_actions_again", "interactive")

    [incoming] = intake.messages
    assert incoming.command is not None
    assert ("regenerate", "ans-1") == (incoming.command.name, incoming.command.argument)


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


async def test_unknown_events_and_buttons_are_acknowledged(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Nothing happens, and the log contains none of their text."""
    with capture_logs() as logs:
        await deliver(slack, "app_mention", event={"type": "brand_new", "text": "secret words"})
        action = {"type": "button", "action_id": "other", "block_id": "b", "value": "secret words"}
        await deliver(slack, "block_actions_good", "interactive", actions=[action])

    assert "secret words" not in str(logs)
    assert [] == intake.messages


# ---------------------------------------------------------------- logging in


async def test_a_wrong_bot_token_is_a_config_error(slack: FakeSlack, intake: FakeIntake) -> None:
    """The error says where to click."""
    adapter = SlackAdapter(settings(slack, SLACK_BOT_TOKEN="xoxb-wrong"), BotMetrics())
    with pytest.raises(ConfigError, match=r"SLACK_BOT_TOKEN.*OAuth & Permissions"):
        await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()


async def test_login_is_retried_while_slack_is_down(slack: FakeSlack, intake: FakeIntake) -> None:
    """The log has one line about it."""
    slack.trouble["auth.test"].extend([Trouble(503), Trouble(cut=True), Trouble(429, retry_after_s="0")])
    adapter = SlackAdapter(settings(slack), BotMetrics(), QUICK)
    with capture_logs() as logs:
        await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()

    assert 4 == len(slack.calls_to("auth.test"))
    assert 1 == [entry["event"] for entry in logs].count("slack_login_failed")


async def test_a_proxy_that_refuses_the_login_is_tried_again(slack: FakeSlack, intake: FakeIntake) -> None:
    """Its page says nothing about the token."""
    slack.trouble["auth.test"].append(Trouble(403, raw="<html>"))
    adapter = SlackAdapter(settings(slack), BotMetrics(), QUICK)
    await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()

    assert 2 == len(slack.calls_to("auth.test"))


async def test_missing_scopes_are_logged(slack: FakeSlack, intake: FakeIntake) -> None:
    """The log names the scopes of the manifest that Slack did not grant."""
    with capture_logs() as logs:
        async with run_adapter(slack, intake):
            pass

    (entry,) = [entry for entry in logs if entry["event"] == "slack_scopes_missing"]
    missing = ["assistant:write", "channels:read", "commands", "files:read", "files:write", "im:write"]
    assert [*missing, "usergroups:read", "users:read"] == entry["scopes"]


async def test_only_http_mode_has_routes(slack: FakeSlack) -> None:
    """Socket Mode needs no public address."""
    assert () == SlackAdapter(settings(slack, sockets=True), BotMetrics()).routes()
    [route] = SlackAdapter(settings(slack), BotMetrics()).routes()
    assert "/slack/events" == route.path  # type: ignore[attr-defined]


async def test_no_log_contains_tokens(slack: FakeSlack, intake: FakeIntake) -> None:
    """A failure also logs no text of the question."""
    with capture_logs() as logs:
        async with run_adapter(slack, intake):
            slack.trouble["chat.postMessage"].append(Trouble(500))
            await deliver(slack, "slash_ask", "slash_commands")

    assert not any(secret in str(logs) for secret in (APP_TOKEN, "xoxb-1-good", "pension"))


def test_mapped_messages_survive_json() -> None:
    """The stored form of each payload reads back as the same value."""
    for name in ("app_mention", "message_im_file", "app_mention_shared", "message_im_thread"):
        incoming = parse_message(payload(name), ME)
        assert incoming is not None
        assert incoming == IncomingMessage.from_json(incoming.to_json())
