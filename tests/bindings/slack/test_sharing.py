"""Private answers, and the button that shows them to everyone."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bindings.delivery.outlet import Closing, Page
from bindings.selftest.slack_server import FakeSlack
from bindings.selftest.slack_texts import text_of
from bindings.slack.interactions import parse_private_question
from bindings.slack.sharing import (
    ANSWER_CHARS,
    VALUE_CHARS,
    SharedAnswer,
    build_share_block,
    pack_answer,
    parse_share,
    unpack_answer,
)
from core.contract import Done, Source, Text, Usage
from tests.bindings.slack.support_fakes import ME, payload
from tests.bindings.slack.test_end_to_end import run_bot
from tests.bindings.slack.test_mapping import anything
from tests.support.fake_engine import FakeEngine

ANSWER = SharedAnswer("13.7", "fr", "Bonjour <!here>")
REPLY = (Text("A pension is **paid**."), Source(1, "Pay", "https://canada.ca/pay"), Done("stop", "fake-model", Usage()))


def press(value: str, **changes: Any) -> dict[str, Any]:
    body = payload("block_actions_share")
    body["actions"][0]["value"] = value
    return {**body, **changes}


def test_the_button_carries_the_answer() -> None:
    """All its pages, with sources and the AI label, in Slack's 2,000 characters."""
    closing = Closing("a", "Written by AI.", sources=(Source(1, "Pay", "https://canada.ca/pay"),))
    pages = [Page("First page. " * 100, "en", final=True), Page("Last page.", "en", final=True, closing=closing)]
    [block] = build_share_block("13.7", pages)
    [button] = block["elements"]

    assert "Show to everyone" == button["text"]["text"]
    assert len(button["value"]) <= VALUE_CHARS
    found = unpack_answer(button["value"])
    assert found is not None
    shown = "First page. " * 100 + "\n\nLast page.\n\nSources\n1. Pay https://canada.ca/pay\n\nWritten by AI."
    assert ("13.7", "en", shown) == (found.question, found.language, found.markdown)


def test_an_answer_that_does_not_fit_has_no_button() -> None:
    """It cannot be compressed to Slack's limit."""
    long = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(3000))

    assert [] == build_share_block("13.7", [Page(long, "en", final=True)])


def test_all_presses_are_one_event() -> None:
    """So the answer is shown once. It names who shows it."""
    shown = [parse_share(press(pack_answer(ANSWER), trigger_id=trigger), ME) for trigger in ("1", "2")]

    assert shown[0] is not None
    assert shown[0].command is not None
    assert {"slack:T0001:C0001:share:13.7"} == {each.event for each in shown if each}
    assert ("share", "Bonjour <!here>\n\nMontré par ann") == (shown[0].command.name, shown[0].command.argument)
    assert (None, "fr") == (shown[0].place.thread, shown[0].language)


@given(value=anything | st.text() | st.text().map(lambda text: f"q en {text}"))
def test_other_values_are_ignored(value: object) -> None:
    """A signed body may contain any value."""
    body = payload("block_actions_share")
    body["actions"][0]["value"] = value
    parse_share(body, ME)


def test_a_value_cannot_fill_the_memory() -> None:
    """A bomb of a few characters stops at the limit."""
    bomb = SharedAnswer("q", "en", "a" * 10_000_000)
    found = unpack_answer(pack_answer(bomb))

    assert found is not None
    assert ANSWER_CHARS == len(found.markdown)


@given(st.text())
def test_any_answer_survives(markdown: str) -> None:
    """Lone surrogates become question marks; an answer without a visible character is none."""
    found = unpack_answer(pack_answer(SharedAnswer("q", "en", markdown)))
    expected = markdown.encode("utf-8", "replace").decode()

    assert (found.markdown if found else "") == (expected if expected.strip() else "")


def test_a_private_question_belongs_to_its_own_conversation() -> None:
    """Nobody else's answer in the channel repeats it."""
    incoming = parse_private_question(payload("slash_aside"), ME)

    assert incoming is not None
    assert ("slack:T0001:C0001:aside-U0ANN", "what is a <pension>?") == (incoming.place.conversation, incoming.text)


async def test_a_private_answer_is_shown_on_request(slack: FakeSlack, tmp_path: Path) -> None:
    """Only its author sees it, until they press the button: then the channel gets it once, also after a restart."""
    async with run_bot(slack, FakeEngine(REPLY), tmp_path, "socket"):
        command = payload("slash_aside") | {"response_url": f"{slack.url}/response/1"}
        await slack.acknowledgement(await slack.push(command, "slash_commands"))
        [private] = await slack.until(lambda: slack.ephemeral_messages)
    assert [] == slack.answers("C0001")
    assert "A pension is **paid**." in private["text"]
    [button] = next(block["elements"] for block in private["blocks"] if block["type"] == "actions")

    for _ in range(2):
        slack.connected.clear()
        async with run_bot(slack, FakeEngine(REPLY), tmp_path, "socket"):
            body = press(button["value"], response_url=f"{slack.url}/response/2")
            await slack.acknowledgement(await slack.push(body, "interactive"))
            await slack.until(lambda: slack.answers("C0001"))
            await slack.until(lambda: slack.deletions)
        slack.deletions.clear()
    [public] = slack.answers("C0001")
    assert "A pension is **paid**." in text_of(public)
    for part in ("canada.ca/pay", "fake-model", "Shown by ann"):
        assert part in text_of(public)
    assert "thread_ts" not in public


def test_compressed_values_are_bounded() -> None:
    """What is not compressed text is no answer."""
    for value in ("", "q", "q en", "q en ", "q xx abc", "q en abc", "q en " + zlib.compress(b"a").hex()):
        assert unpack_answer(value) is None
