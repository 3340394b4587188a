"""Slack over HTTP: hostile requests, and real ones."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bindings.metrics import BotMetrics
from bindings.selftest.slack_directory import error_body
from bindings.selftest.slack_requests import SECRET, encode_form, headers_for
from bindings.selftest.slack_server import FakeSlack
from bindings.slack.adapter import SlackAdapter
from bindings.slack.webhook import is_signed, sign
from core.errors import Stopping, StorageError
from tests.bindings.slack.support_fakes import FakeIntake, payload, settings
from tests.bindings.support_running_bot import serve_routes

Post = Callable[..., Coroutine[Any, Any, tuple[int, str]]]
EVENT = json.dumps(payload("app_mention")).encode()
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def post(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[Post]:
    """Sends a body to the adapter's route, by default with valid headers. Returns status and text of the response."""
    adapter = SlackAdapter(settings(slack), BotMetrics())
    await adapter.connect(intake)  # type: ignore[arg-type]
    async with serve_routes(adapter.routes()) as base, aiohttp.ClientSession() as session:

        async def send(body: bytes, headers: Any = None) -> tuple[int, str]:
            headers = headers_for(body) if headers is None else headers
            async with session.post(f"{base}/slack/events", data=body, headers=headers) as response:
                return response.status, await response.text()

        yield send
    await adapter.close()


# ---------------------------------------------------------------- hostile requests


@dataclass
class HostileRequest:
    name: str
    status: int
    body: bytes = EVENT
    headers: Any = None  # None: valid ones for the body
    content_type: str = "application/json"
    change: dict[str, str] = field(default_factory=dict)
    at_s: float = 0.0  # the offset of the timestamp from now

    def all_headers(self) -> Any:
        if self.headers is not None:
            return self.headers
        return {**headers_for(self.body, self.content_type, time.time() + self.at_s), **self.change}


def stamp(value: str) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": value, "X-Slack-Signature": sign(SECRET, value, EVENT)}


GOOD = sign(SECRET, "1", EVENT)
FORGED = [
    HostileRequest("no headers", 401, headers={"Content-Type": "application/json"}),
    HostileRequest("no signature", 401, headers={"X-Slack-Request-Timestamp": str(int(time.time()))}),
    HostileRequest("no timestamp", 401, headers={"X-Slack-Signature": GOOD}),
    HostileRequest("wrong signature", 401, change={"X-Slack-Signature": "v0=" + "0" * 64}),
    HostileRequest("empty signature", 401, change={"X-Slack-Signature": ""}),
    HostileRequest("version alone", 401, change={"X-Slack-Signature": "v0="}),
    HostileRequest("other version", 401, change={"X-Slack-Signature": "v1=" + "a" * 64}),
    HostileRequest("non-ASCII signature", 401, change={"X-Slack-Signature": "v0=é" + "a" * 63}),
    HostileRequest("emoji signature", 401, change={"X-Slack-Signature": "🔑"}),
    HostileRequest("long signature", 401, change={"X-Slack-Signature": "v0=" + "a" * 4000}),
    HostileRequest("upper-case signature", 401, change={"X-Slack-Signature": GOOD.upper()}),
    HostileRequest("signature of nothing", 401, change={"X-Slack-Signature": sign(SECRET, str(int(time.time())), b"")}),
    HostileRequest(
        "signed with another secret", 401, change={"X-Slack-Signature": sign("guess", str(int(time.time())), EVENT)}
    ),
    HostileRequest("signed with no secret", 401, change={"X-Slack-Signature": sign("", str(int(time.time())), EVENT)}),
    HostileRequest("six minutes old", 401, at_s=-360),
    HostileRequest("six minutes ahead", 401, at_s=360),
    HostileRequest("of 1970", 401, change=stamp("0")),
    HostileRequest("timestamp in words", 401, change=stamp("now")),
    HostileRequest("empty timestamp", 401, change=stamp("")),
    HostileRequest("negative timestamp", 401, change=stamp("-1760000000")),
    HostileRequest("fraction", 401, change=stamp(f"{time.time():.3f}")),
    HostileRequest("exponent", 401, change=stamp("1e9")),
    HostileRequest("hexadecimal", 401, change=stamp("0x68e7")),
    HostileRequest("infinity", 401, change=stamp("inf")),
    HostileRequest("other digits", 401, change=stamp("١٧٦٠٠٠٠٠٠٠")),
    HostileRequest("thousands of digits", 401, change=stamp("9" * 4000)),
    HostileRequest("underscored", 401, change=stamp("1_760_000_000")),
    HostileRequest("blank before", 401, change=stamp("\t17")),
    HostileRequest("two signatures", 401, headers=[*headers_for(EVENT).items(), ("X-Slack-Signature", "v0=0")]),
    HostileRequest("two timestamps", 401, headers=[*headers_for(EVENT).items(), ("X-Slack-Request-Timestamp", "1")]),
    HostileRequest("body changed", 401, EVENT + b" ", headers=headers_for(EVENT)),
    HostileRequest("garbage unsigned", 401, b"\xff\xfe{", headers={}),
    HostileRequest("challenge unsigned", 401, b'{"type":"url_verification","challenge":"x"}', headers={}),
    HostileRequest("empty unsigned", 401, b"", headers={}),
]
MALFORMED = [
    HostileRequest("empty", 400, b""),
    HostileRequest("half of an object", 400, EVENT[:-40]),
    HostileRequest("no JSON", 400, b"hello"),
    HostileRequest("not UTF-8", 400, b'{"type": "\xff\xfe"}'),
    HostileRequest("a list", 400, b"[]"),
    HostileRequest("a number", 400, b"1e999"),
    HostileRequest("NaN", 400, b'{"type": NaN}'),
    HostileRequest("null", 400, b"null"),
    HostileRequest("a string", 400, b'"event_callback"'),
    HostileRequest("nested", 400, b'{"type":"event_callback","event":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    HostileRequest(
        "half a surrogate pair", 400, b'{"type":"event_callback","event":{"type":"message","text":"\\ud800"}}'
    ),
    HostileRequest("no type", 400, b"{}"),
    HostileRequest("type of another kind", 400, b'{"type": ["event_callback"]}'),
    HostileRequest("event is missing", 400, b'{"type":"event_callback"}'),
    HostileRequest("event is a string", 400, b'{"type":"event_callback","event":"message"}'),
    HostileRequest("event is a list", 400, b'{"type":"event_callback","event":[]}'),
    HostileRequest("event has no type", 400, b'{"type":"event_callback","event":{}}'),
    HostileRequest("event's type is a number", 400, b'{"type":"event_callback","event":{"type":1}}'),
    HostileRequest(
        "authorizations of text", 400, b'{"type":"event_callback","event":{"type":"message"},"authorizations":["x"]}'
    ),
    HostileRequest("user is a number", 400, b'{"type":"event_callback","event":{"type":"message","user":7}}'),
    HostileRequest("a type that nobody knows", 400, b'{"type":"launch"}'),
    HostileRequest("a form of nothing", 400, b"=&=&", content_type=FORM),
    HostileRequest("a form without its payload", 400, b"a=b", content_type=FORM),
    HostileRequest("a form with too many fields", 400, b"&".join(b"a%d=1" % n for n in range(100)), content_type=FORM),
    HostileRequest("a payload that is no JSON", 400, b"payload=hello", content_type=FORM),
    HostileRequest("a payload that is a list", 400, b"payload=%5B%5D", content_type=FORM),
    HostileRequest("a form that is not UTF-8", 400, b"command=%ff%fe", content_type=FORM),
    HostileRequest("JSON sent as a form", 400, EVENT, content_type=FORM),
    HostileRequest("a form sent as JSON", 400, b"command=%2Fask", content_type="application/json"),
    HostileRequest("an unknown command", 400, b"command=%2Fnuke&text=x", content_type=FORM),
]


@pytest.mark.parametrize("hostile", [*FORGED, *MALFORMED], ids=lambda hostile: hostile.name)
async def test_hostile_requests_are_refused(
    post: Post, intake: FakeIntake, slack: FakeSlack, hostile: HostileRequest
) -> None:
    """The status is 401 without a valid signature, 400 for a malformed body. No listener runs, and no call is made."""
    calls = len(slack.calls)
    status, _ = await post(hostile.body, hostile.all_headers())

    assert hostile.status == status
    assert ([], calls) == (intake.messages, len(slack.calls))


def test_there_are_sixty_hostile_requests() -> None:
    """The number that the requirements ask for."""
    assert len(FORGED) + len(MALFORMED) >= 60


async def test_a_body_above_the_limit_is_refused(post: Post, intake: FakeIntake) -> None:
    """The server refuses it before the signature is checked."""
    status, _ = await post(b"x" * (2 << 20))

    assert 413 == status
    assert [] == intake.messages


@given(
    stamps=st.lists(st.text(max_size=20), max_size=2),
    signatures=st.lists(st.text(max_size=80), max_size=2),
    body=st.binary(max_size=50),
)
def test_no_header_breaks_the_check(stamps: list[str], signatures: list[str], body: bytes) -> None:
    """Random headers are never valid."""
    assert not is_signed(SECRET, stamps, signatures, body, 1_760_000_000.0)


# ---------------------------------------------------------------- Slack's own requests


async def test_the_url_is_verified(post: Post) -> None:
    """Slack asks for this once, when an administrator saves the URL."""
    challenge = payload("url_verification")

    status, text = await post(json.dumps(challenge).encode())
    assert (200, challenge["challenge"]) == (status, json.loads(text)["challenge"])


async def test_a_mention_is_acknowledged_once_it_is_taken(post: Post, intake: FakeIntake) -> None:
    """The response waits until the intake has stored it."""
    intake.gate = asyncio.Event()
    answering = asyncio.create_task(post(EVENT))
    await intake.until(lambda: intake.waiting)
    assert not answering.done()
    intake.gate.set()

    assert 200 == (await answering)[0]
    assert ["what is a pension?"] == [incoming.text for incoming in intake.messages]


async def test_the_intake_recognises_repeats(post: Post, intake: FakeIntake) -> None:
    """Four deliveries, by two events, are one message. Each is acknowledged."""
    for name in ("app_mention", "message_channel_mention", "app_mention", "app_mention"):
        body = json.dumps(payload(name)).encode()
        again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        assert 200 == (await post(body, {**headers_for(body), **again}))[0]

    assert 1 == len(intake.messages)


@pytest.mark.parametrize("error", [StorageError("disk full"), Stopping("stopping"), RuntimeError("a mistake of ours")])
async def test_a_failed_delivery_is_delivered_again(post: Post, intake: FakeIntake, error: Any) -> None:
    """The response is 503 and not 500. The next delivery is taken."""
    intake.error = error
    assert 503 == (await post(EVENT))[0]
    intake.error = None

    assert 200 == (await post(EVENT))[0]
    assert 1 == len(intake.messages)


async def test_buttons_and_commands_arrive_at_the_same_url(post: Post, intake: FakeIntake) -> None:
    """They arrive as forms."""
    for name in ("block_actions_good", "slash_forget"):
        body = encode_form(payload(name))
        assert 200 == (await post(body, headers_for(body, FORM)))[0]

    assert [("ans-1", "slack:T0001:U0ANN", "good")] == intake.feedback
    assert ["forget"] == [incoming.command.name for incoming in intake.messages if incoming.command]


async def test_a_command_that_fails_is_answered_at_once(post: Post, slack: FakeSlack) -> None:
    """Only its author sees the reason, in the response."""
    slack.permanent_errors["chat.postMessage"] = error_body("not_in_channel")["error"]
    body = encode_form(payload("slash_ask"))

    status, text = await post(body, headers_for(body, FORM))
    assert 200 == status
    assert "/invite @whisper" in text
