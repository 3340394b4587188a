"""300 random sequences of faults, refusals and kills: no answer is lost, doubled or left half written in Slack.

The real delivery and outlets, against the strict stand-in. Each call of the Web API meets the next fault of a sequence.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.delivery.outlet import Outlet
from bindings.incoming import IncomingMessage, Place
from bindings.metrics import BotMetrics
from bindings.selftest.slack_faults import Trouble
from bindings.selftest.slack_server import BOT_USER, PERSON, FakeSlack
from bindings.selftest.slack_texts import text_of
from bindings.slack import formatting, outlet, streams
from bindings.slack.adapter import SlackPlatform
from bindings.slack.api import SlackApi
from tests.bindings.delivery.support_fault_sequences import (
    Fault,
    FaultKind,
    FaultSequence,
    ShownMessage,
    fault_sequences,
    run_sequence,
)
from tests.bindings.slack.support_fakes import ME
from tests.bindings.slack.support_fakes import settings as slack_settings

pytestmark = pytest.mark.slow
CHANNEL, DIRECT_CHANNEL = "C1", f"D{PERSON}"
ERRORS = (
    *("invalid_blocks", "msg_too_long", "invalid_arguments", "metadata_too_large", "a_code_of_tomorrow"),
    *("not_in_channel", "is_archived", "restricted_action", "channel_not_found", "missing_scope"),
    *("team_access_not_granted", "user_not_found", "thread_not_found", "cannot_reply_to_message"),
    *("cant_update_message", "edit_window_closed", "message_not_in_streaming_state", "streaming_state_conflict"),
    *("stopped_by_user", "unknown_method"),
)
PASSING: dict[FaultKind, tuple[Trouble, ...]] = {
    "slow": (Trouble(cut=True, done=True),),
    "throttled": (Trouble(429, "ratelimited", retry_after_s="0"), Trouble(200, "rate_limited", retry_after_s="0")),
    "down": (Trouble(500), Trouble(503, raw="<html>"), Trouble(200, "fatal_error"), Trouble(cut=True)),
    "down_after": (Trouble(502, raw="<html>", done=True), Trouble(500, done=True), Trouble(200, raw="", done=True)),
}


class SlackStage:
    """A question in a thread of a channel, and the processes that answer it."""

    forms = 2  # a channel that takes no posts, and the direct message
    can_find = True

    def __init__(self, slack: FakeSlack, api: SlackApi) -> None:
        self.refusals = 0
        self._slack = slack
        self._api = api
        self._faults: list[Fault] = []
        self._closed: dict[str, str] = {}  # methods that are refused from now on, with Slack's error code
        self._is_gone = False
        question = slack.add_message(CHANNEL, f"<@{BOT_USER}> why?")
        place = Place("slack", "T0001", CHANNEL, question, "channel", {"user": PERSON, "team": "T0001"})
        self._incoming = IncomingMessage("e", place, question, PERSON, "why?")
        slack.choose_error = self._choose_error

    def inject(self, faults: tuple[Fault, ...]) -> None:
        self._faults = list(faults)
        self._slack.choose_trouble = self._choose_trouble

    def outlet(self) -> Outlet:
        return SlackPlatform(self._api, lambda: ME, lambda *_: None).outlet(self._incoming)

    def messages(self) -> list[ShownMessage]:
        answers = [*self._slack.answers(CHANNEL), *self._slack.answers(DIRECT_CHANNEL)]
        return [ShownMessage(visible_text(each), not each.get("streaming")) for each in answers]

    def _choose_trouble(self, method: str) -> Trouble | None:
        fault = self._faults.pop(0) if self._faults else Fault()
        if kinds := PASSING.get(fault.kind):
            return kinds[fault.choice % len(kinds)]
        error = ERRORS[fault.choice % len(ERRORS)]
        self._is_gone = self._is_gone or fault.kind == "place_gone"
        if fault.kind == "refused_always":
            self._closed[method] = error
        if fault.kind != "refused":
            return None
        self.refusals += 1
        return Trouble(501, "unknown_method") if error == "unknown_method" else Trouble(error=error)

    def _choose_error(self, method: str, arguments: dict[str, Any]) -> str | None:
        error = "channel_not_found" if self._is_gone and arguments.get("channel") == CHANNEL else None
        error = error or self._closed.get(method)
        self.refusals += bool(error)
        return error


def visible_text(message: dict[str, Any]) -> str:
    """The text with the lines below it."""
    below = [each for each in message.get("blocks") or [] if each["type"] in ("section", "context")]
    return f"{text_of(message)}\n{json.dumps(below)}" if below else text_of(message)


def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in has no rate limits. Pages are short, so that an answer takes several."""
    for name in ("APPEND_INTERVAL_S", "UPDATE_INTERVAL_S", "POST_INTERVAL_S", "FIRST_WORDS_S"):
        monkeypatch.setattr(outlet, name, 0.0)
    for name in ("UPDATES_PER_MINUTE", "STARTS_PER_MINUTE", "APPENDS_PER_MINUTE"):
        monkeypatch.setattr(streams, name, 1_000_000)
    for module in (outlet, formatting):
        monkeypatch.setattr(module, "PAGE_CHARS", 150)
        monkeypatch.setattr(module, "TEXT_ONLY_BYTES", 150)


async def answer(sequence: FaultSequence) -> None:
    async with FakeSlack().serving() as slack:
        api = SlackApi(slack_settings(slack, sockets=True), BotMetrics(), deadline_s=5.0)
        await api.open()
        try:
            context = DeliveryContext(retry=RetryPolicy(first_s=0.0, limit_s=0.0), status_after_s=0.0)
            await run_sequence(SlackStage(slack, api), sequence, context, pause_s=0.0005)
        finally:
            await api.close()


def test_every_answer_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, doubled or left as an open stream."""
    without_pauses(monkeypatch)
    with asyncio.Runner() as runner:

        @given(fault_sequences(words=25))
        @settings(max_examples=300, deadline=None)
        def check(sequence: FaultSequence) -> None:
            runner.run(answer(sequence))

        check()
