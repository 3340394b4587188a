"""Sessions of Slack's Agent messaging experience."""

from __future__ import annotations

import pytest

from bindings.incoming import IncomingMessage, Place
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.agent_sessions import TITLE_CHARS, AgentSessions
from bindings.slack.api import SlackApi
from core.configuration.setting_types import DirectThreads


def question(thread: str | None = "1.1", text: str = "What is a pension?", channel: str = "D1") -> IncomingMessage:
    kind = "personal" if channel.startswith("D") else "channel"
    return IncomingMessage("e", Place("slack", "T1", channel, thread, kind), "1.1", "U1", text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("threads", "seen", "expected"),
    [("auto", False, None), ("auto", True, "1.1"), ("on", False, "1.1"), ("off", True, None)],
)
def test_a_question_to_an_agent_begins_a_thread(
    api: SlackApi, threads: DirectThreads, seen: bool, expected: str | None
) -> None:
    """The setting decides, or what Slack lets the app do."""
    sessions = AgentSessions(api, threads)
    if seen:
        sessions.record_agent()

    assert expected == sessions.begin_thread(question(None)).place.thread
    assert "0.5" == sessions.begin_thread(question("0.5")).place.thread
    assert sessions.begin_thread(question(None, channel="G1")).place.thread is None


async def test_the_title_is_the_first_question(slack: FakeSlack, api: SlackApi) -> None:
    """It is short and one line; later questions and files alone do not change it."""
    sessions = AgentSessions(api, "on")
    await sessions.begin(question(text="What\nis " + "a " * 100))
    await sessions.begin(question(thread="0.5", text="And then?"))
    await sessions.begin(question(text=" "))

    assert ["What is " + "a " * 36] == [call["title"] for call in slack.calls_to("agents.sessions.rename")]
    assert TITLE_CHARS == len("What is " + "a " * 36)


async def test_a_refused_session_is_only_logged(slack: FakeSlack, api: SlackApi) -> None:
    """The answer does not need it."""
    slack.experience = "assistant"
    sessions = AgentSessions(api, "on")

    assert not await sessions.begin(question())
    await sessions.finish(question().place)
    await sessions.close(question().place)
    assert {} == slack.sessions


async def test_only_direct_threads_have_sessions(slack: FakeSlack, api: SlackApi) -> None:
    """Channels have none that this bot set, so nothing has to be ended there."""
    sessions = AgentSessions(api, "on")
    await sessions.finish(question(channel="C1").place)
    await sessions.finish(question(None).place)

    assert [] == slack.calls
