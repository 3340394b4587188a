"""The adapter with a fake intake, through the real SDK: the effect of each delivery."""

from __future__ import annotations

from typing import Literal

import pytest
from structlog.testing import capture_logs

from bindings.delivery.outlet import DIRECT, Closing, Page
from bindings.incoming import IncomingMessage
from bindings.selftest.slack_server import FakeSlack
from bindings.selftest.slack_texts import text_of
from bindings.slack.adapter import SlackAdapter
from bindings.slack.mapping import parse_message
from tests.bindings.slack.support_fakes import ME, FakeIntake, payload
from tests.bindings.slack.support_running_adapter import deliver


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


def test_mapped_messages_survive_json() -> None:
    """The stored form of each payload reads back as the same value."""
    for name in ("app_mention", "message_im_file", "app_mention_shared", "message_im_thread"):
        incoming = parse_message(payload(name), ME)
        assert incoming is not None
        assert incoming == IncomingMessage.from_json(incoming.to_json())
