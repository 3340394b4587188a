"""The adapter with a intake that only writes down: what each delivery leads to, in both modes, through the real SDK."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bindings.delivery.outlet import Page
from bindings.incoming import IncomingMessage
from bindings.metrics import BotMetrics
from bindings.slack import event_router
from bindings.slack.adapter import SlackAdapter
from bindings.slack.mapping import parse_message
from bindings.slack.sockets import SocketTimings
from core.errors import ConfigError, CspsError, Stopping, StorageError
from core.runtime.backoff import Backoff
from tests.bindings.slack.support_fake_slack import APP_TOKEN, FakeSlack, Trouble, text_of
from tests.bindings.slack.support_fakes import ME, FakeIntake, payload, settings

QUICK = SocketTimings(backoff=Backoff(0.01, 0.02))


@asynccontextmanager
async def adapting(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[SlackAdapter]:
    """In Socket Mode, connected."""
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
    async with adapting(slack, intake) as made:
        yield made


async def delivered(slack: FakeSlack, name: str, kind: str = "events_api", **changes: Any) -> dict[str, Any]:
    """A payload is sent by socket; its acknowledgement."""
    return await slack.acknowledged(await slack.push({**payload(name), **changes}, kind))


@pytest.mark.parametrize("name", ["app_mention", "message_im", "message_im_thread", "message_group", "message_mpim"])
async def test_what_is_for_the_bot_is_taken(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """As mapped, and acknowledged."""
    await delivered(slack, name)

    assert [parse_message(payload(name), ME)] == intake.taken


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
async def test_what_is_not_is_acknowledged(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """And leads to nothing."""
    await delivered(slack, name)

    assert ([], [], []) == (intake.taken, intake.gone, intake.tenants)


async def test_a_thread_goes_on_without_a_mention_while_the_bot_takes_part(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Not before it was asked there."""
    await delivered(slack, "message_thread_reply")
    assert [] == intake.taken
    intake.places.add("slack:T0001:C0001:1760000000.000100")
    await delivered(slack, "message_thread_reply")

    assert ["and in French?"] == [incoming.text for incoming in intake.taken]


@pytest.mark.parametrize("name", ["message_deleted", "message_deleted_im", "message_tombstone"])
async def test_a_deleted_question_is_withdrawn(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """Whether it had replies or not."""
    await delivered(slack, name)

    assert ["1760000001.000200"] == [message for _, message in intake.gone]


async def test_an_assistant_thread_is_greeted_once(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """In the person's language, with suggested prompts and a title; however often Slack says that it was opened."""
    slack.users["U0ANN"] = {"id": "U0ANN", "name": "ann", "locale": "fr-CA"}
    for _ in range(3):
        await delivered(slack, "assistant_thread_started")
    await slack.until(lambda: slack.made("assistant.threads.setTitle"))

    assert [("slack:T0001:D0001:1760000000.000100", "fr")] == [(p.conversation, lang) for p, lang in intake.greeted]
    assert ["Hello! Ask ‹!here> anything."] == [text_of(each) for each in slack.answers("D0001")]
    [prompts] = slack.prompts
    assert ["Help?", "Write?", "Why?", "How?"] == [each["message"] for each in prompts["prompts"]]


async def test_an_agents_conversation_has_prompts(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """The newer form of the same: opened, and nothing is said yet."""
    await delivered(slack, "app_home_opened")
    await slack.until(lambda: slack.prompts)

    assert [] == slack.answers("D0001")
    assert "thread_ts" not in slack.prompts[0]


async def test_at_work_is_shown_in_assistant_threads(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Until the answer begins; not for a repeat."""
    for _ in range(2):
        await delivered(slack, "message_im_thread")
    await slack.until(lambda: slack.statuses)

    assert ["is thinking…"] == [each["status"] for each in slack.statuses]


@pytest.mark.parametrize("silent", ["a word that stops", "beyond the limit"])
async def test_at_work_is_not_shown_where_nothing_follows(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, silent: str
) -> None:
    """It would stand there until Slack takes it away."""
    event = payload("message_im_thread")["event"]
    if silent == "a word that stops":
        event["text"] = "Stop!"
    else:
        intake.away = {"en": "Later.", "fr": "Plus tard."}
    await delivered(slack, "message_im_thread", event=event)
    intake.away = None
    later = {**payload("message_im_thread")["event"], "ts": "1700000099.000100", "text": "And now?"}
    await delivered(slack, "message_im_thread", event=later, event_id="Ev099")
    await slack.until(lambda: slack.statuses)

    assert (2, 1) == (len(intake.taken), len(slack.made("assistant.threads.setStatus")))


async def test_what_slack_refuses_of_that_is_not_needed(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """The question is taken all the same."""
    for method in ("assistant.threads.setStatus", "chat.postMessage", "users.info"):
        slack.refusing[method] = "missing_scope"
    await delivered(slack, "assistant_thread_started")
    await delivered(slack, "message_im_thread")
    await slack.until(lambda: slack.made("assistant.threads.setStatus"))

    assert 1 == len(intake.taken)


@pytest.mark.parametrize("named", [True, False])
async def test_slacks_stop_button_reaches_the_intake(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, named: bool
) -> None:
    """For the messages that Slack names, or for what is being written in the thread; and the session is idle again."""
    await delivered(slack, "app_mention")
    [incoming] = intake.taken
    ref = await adapter.platform.outlet(incoming).post(Page("One ", "en"), "n-1")
    event = {**payload("agent_session_stopped")["event"], "streaming_message_ts": [ref] if named else []}
    await delivered(slack, "agent_session_stopped", event=event)

    assert [(incoming.place, ref)] == intake.stops
    await slack.until(lambda: slack.statuses)
    assert "active" == slack.statuses[0]["status"]


async def test_a_stop_told_by_an_append_reaches_the_intake(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """Where the event is not subscribed to, or later."""
    await delivered(slack, "app_mention")
    outlet = adapter.platform.outlet(intake.taken[0])
    ref = await outlet.post(Page("One ", "en"), "n-1")
    slack.expire("C0001", ref, by_user=True)
    await outlet.edit(ref, Page("One two ", "en"))
    await intake.until(lambda: intake.stops)

    assert ref == intake.stops[0][1]


@pytest.mark.parametrize("name", ["app_uninstalled", "tokens_revoked"])
async def test_an_uninstalled_workspace_is_told(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str
) -> None:
    """What is known of it is deleted."""
    await delivered(slack, name)

    assert ["T0001"] == intake.tenants


@pytest.mark.parametrize(("name", "value"), [("block_actions_good", "good"), ("block_actions_bad", "bad")])
async def test_feedback_is_given_on(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str, value: str
) -> None:
    """With the answer's id."""
    await delivered(slack, name, "interactive")

    assert [("ans-1", "slack:T0001:U0ANN", value)] == intake.judged


async def test_again_is_a_command(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """Pressed twice at once by a delivery that is repeated, it is one."""
    for _ in range(2):
        await delivered(slack, "block_actions_again", "interactive")

    [incoming] = intake.taken
    assert incoming.command is not None
    assert ("regenerate", "ans-1") == (incoming.command.name, incoming.command.argument)


@pytest.mark.parametrize(("name", "toil"), [("slash_ask", False), ("slash_toil", True)])
async def test_a_question_by_command_is_shown_and_taken(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str, toil: bool
) -> None:
    """As a message whose thread the answer goes to."""
    assert {"envelope_id"} == set(await delivered(slack, name, "slash_commands"))

    [shown] = slack.answers("C0001")
    [incoming] = intake.taken
    assert (shown["ts"], toil) == (incoming.place.thread, incoming.toil)
    assert "ann" in shown["blocks"][0]["elements"][0]["text"]


async def test_a_command_without_a_question_says_how(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """To its author alone, in both languages."""
    acknowledgement = await delivered(slack, "slash_ask", "slash_commands", text=" ")

    assert "/ask Comment" in acknowledgement["payload"]["text"]
    assert ([], []) == (intake.taken, slack.answers("C0001"))


async def test_who_is_turned_away_has_the_bot_say_nothing(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter
) -> None:
    """In a channel, for everybody to see: they alone are told why, in both languages."""
    intake.away = {"en": "Not you.", "fr": "Pas vous."}
    acknowledgement = await delivered(slack, "slash_ask", "slash_commands")

    assert "Not you.\nPas vous." == acknowledgement["payload"]["text"]
    assert ([], []) == (intake.taken, slack.made("chat.postMessage"))


@pytest.mark.parametrize(
    ("trouble", "words"), [(Trouble(error="not_in_channel"), "/invite"), (Trouble(500), "try again")]
)
async def test_a_question_that_cannot_be_shown_is_not_taken(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, trouble: Trouble, words: str
) -> None:
    """Its author is told why, within the three seconds."""
    slack.trouble["chat.postMessage"].append(trouble)
    acknowledgement = await delivered(slack, "slash_ask", "slash_commands")

    assert words in acknowledgement["payload"]["text"]
    assert [] == intake.taken


@pytest.mark.parametrize("trouble", [StorageError("disk full"), Stopping("stopping")])
async def test_a_question_that_cannot_be_taken_stands_nowhere(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, trouble: CspsError
) -> None:
    """Slack gives no command again: it would stand there for ever without an answer."""
    intake.trouble = trouble
    acknowledgement = await delivered(slack, "slash_ask", "slash_commands")
    await slack.until(lambda: slack.made("chat.delete"))

    assert "try again" in acknowledgement["payload"]["text"]
    assert [] == slack.answers("C0001")
    assert "try again" in (await delivered(slack, "slash_forget", "slash_commands"))["payload"]["text"]


async def test_a_question_that_is_shown_too_late_is_taken_back(
    slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its author was told to try again, and may have done so."""
    monkeypatch.setattr(event_router, "QUESTION_DEADLINE_S", 0.0)
    acknowledgement = await delivered(slack, "slash_ask", "slash_commands")
    await slack.until(lambda: slack.made("chat.delete"))

    assert "try again" in acknowledgement["payload"]["text"]
    assert ([], []) == (slack.answers("C0001"), intake.taken)


@pytest.mark.parametrize("name", ["slash_personality", "slash_forget"])
async def test_commands_are_taken(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter, name: str) -> None:
    """And answered by the response URL."""
    await delivered(slack, name, "slash_commands", response_url=f"{slack.url}/response/1")
    [incoming] = intake.taken
    await adapter.platform.outlet(incoming).post(Page("Done.", "en", final=True), "n-1")
    assert ["ephemeral"] == [each["response_type"] for each in slack.responses]


async def test_what_nobody_knows_is_acknowledged(slack: FakeSlack, intake: FakeIntake, adapter: SlackAdapter) -> None:
    """A new kind of event, another button: nothing happens, and no line of its text is logged."""
    with capture_logs() as logs:
        await delivered(slack, "app_mention", event={"type": "brand_new", "text": "secret words"})
        action = {"type": "button", "action_id": "other", "block_id": "b", "value": "secret words"}
        await delivered(slack, "block_actions_good", "interactive", actions=[action])

    assert "secret words" not in str(logs)
    assert [] == intake.taken


# ---------------------------------------------------------------- logging in


async def test_a_wrong_bot_token_is_a_mistake_of_the_set_up(slack: FakeSlack, intake: FakeIntake) -> None:
    """Said with what to click."""
    adapter = SlackAdapter(settings(slack, SLACK_BOT_TOKEN="xoxb-wrong"), BotMetrics())
    with pytest.raises(ConfigError, match=r"SLACK_BOT_TOKEN.*OAuth & Permissions"):
        await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()


async def test_while_slack_is_away_logging_in_goes_on(slack: FakeSlack, intake: FakeIntake) -> None:
    """With one line about it."""
    slack.trouble["auth.test"].extend([Trouble(503), Trouble(cut=True), Trouble(429, retry_after_s="0")])
    adapter = SlackAdapter(settings(slack), BotMetrics(), QUICK)
    with capture_logs() as logs:
        await adapter.connect(intake)  # type: ignore[arg-type]
    await adapter.close()

    assert 4 == len(slack.made("auth.test"))
    assert 1 == [entry["event"] for entry in logs].count("slack_login_failed")


async def test_scopes_that_were_not_granted_are_named(slack: FakeSlack, intake: FakeIntake) -> None:
    """All that the manifest asks for, and no others: an app that was made before a new one was needed is told."""
    with capture_logs() as logs:
        async with adapting(slack, intake):
            pass

    (told,) = [entry for entry in logs if entry["event"] == "slack_scopes_missing"]
    assert ["assistant:write", "commands", "files:read", "files:write", "users:read"] == told["scopes"]


async def test_socket_mode_has_no_routes(slack: FakeSlack) -> None:
    """And needs no public address; HTTP has one."""
    assert () == SlackAdapter(settings(slack, sockets=True), BotMetrics()).routes()
    [route] = SlackAdapter(settings(slack), BotMetrics()).routes()
    assert "/slack/events" == route.path  # type: ignore[attr-defined]


async def test_the_tokens_are_in_no_log(slack: FakeSlack, intake: FakeIntake) -> None:
    """Whatever goes wrong."""
    with capture_logs() as logs:
        async with adapting(slack, intake):
            slack.trouble["chat.postMessage"].append(Trouble(500))
            await delivered(slack, "slash_ask", "slash_commands")

    assert not any(secret in str(logs) for secret in (APP_TOKEN, "xoxb-1-good", "pension"))


def test_an_incoming_survives_being_written_down() -> None:
    """Every payload that is for the bot: what is read again is what was written."""
    for name in ("app_mention", "message_im_file", "app_mention_shared", "message_im_thread"):
        incoming = parse_message(payload(name), ME)
        assert incoming is not None
        assert incoming == IncomingMessage.from_json(incoming.to_json())
