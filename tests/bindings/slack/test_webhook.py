"""Slack over HTTP: sixty strangers, and Slack itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bindings.metrics import BotMetrics
from bindings.slack.adapter import SlackAdapter
from bindings.slack.webhook import is_signed, sign
from core.errors import Stopping, StorageError
from tests.bindings.slack.support_fake_slack import SECRET, FakeSlack, form_body, headers_for, no
from tests.bindings.slack.support_fakes import FakeIntake, payload, settings

Post = Callable[..., Coroutine[Any, Any, tuple[int, str]]]
EVENT = json.dumps(payload("app_mention")).encode()
FORM = "application/x-www-form-urlencoded"


@asynccontextmanager
async def served(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[Post]:
    """The adapter's route on a free port."""
    adapter = SlackAdapter(settings(slack), BotMetrics())
    await adapter.connect(intake)  # type: ignore[arg-type]
    app = web.Application(client_max_size=1 << 20)
    app.add_routes(adapter.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"

    async with aiohttp.ClientSession() as session:

        async def post(body: bytes, headers: Any = None) -> tuple[int, str]:
            async with session.post(
                url, data=body, headers=headers_for(body) if headers is None else headers
            ) as response:
                return response.status, await response.text()

        try:
            yield post
        finally:
            await runner.cleanup()
            await adapter.close()


@pytest.fixture
async def post(slack: FakeSlack, intake: FakeIntake) -> AsyncIterator[Post]:
    async with served(slack, intake) as poster:
        yield poster


# ---------------------------------------------------------------- strangers


@dataclass
class Hostile:
    name: str
    status: int
    body: bytes = EVENT
    headers: Any = None  # None: Slack's own, over the body
    content_type: str = "application/json"
    change: dict[str, str] = field(default_factory=dict)
    at_s: float = 0.0  # how far from now it is stamped

    def all_headers(self) -> Any:
        if self.headers is not None:
            return self.headers
        return {**headers_for(self.body, self.content_type, time.time() + self.at_s), **self.change}


def stamped(value: str) -> dict[str, str]:
    return {"X-Slack-Request-Timestamp": value, "X-Slack-Signature": sign(SECRET, value, EVENT)}


GOOD = sign(SECRET, "1", EVENT)
FORGED = [
    Hostile("no headers", 401, headers={"Content-Type": "application/json"}),
    Hostile("no signature", 401, headers={"X-Slack-Request-Timestamp": str(int(time.time()))}),
    Hostile("no timestamp", 401, headers={"X-Slack-Signature": GOOD}),
    Hostile("wrong signature", 401, change={"X-Slack-Signature": "v0=" + "0" * 64}),
    Hostile("empty signature", 401, change={"X-Slack-Signature": ""}),
    Hostile("version alone", 401, change={"X-Slack-Signature": "v0="}),
    Hostile("other version", 401, change={"X-Slack-Signature": "v1=" + "a" * 64}),
    Hostile("non-ASCII signature", 401, change={"X-Slack-Signature": "v0=é" + "a" * 63}),
    Hostile("emoji signature", 401, change={"X-Slack-Signature": "🔑"}),
    Hostile("long signature", 401, change={"X-Slack-Signature": "v0=" + "a" * 4000}),
    Hostile("upper-case signature", 401, change={"X-Slack-Signature": GOOD.upper()}),
    Hostile("signature of nothing", 401, change={"X-Slack-Signature": sign(SECRET, str(int(time.time())), b"")}),
    Hostile(
        "signed with another secret", 401, change={"X-Slack-Signature": sign("guess", str(int(time.time())), EVENT)}
    ),
    Hostile("signed with no secret", 401, change={"X-Slack-Signature": sign("", str(int(time.time())), EVENT)}),
    Hostile("six minutes old", 401, at_s=-360),
    Hostile("six minutes ahead", 401, at_s=360),
    Hostile("of 1970", 401, change=stamped("0")),
    Hostile("timestamp in words", 401, change=stamped("now")),
    Hostile("empty timestamp", 401, change=stamped("")),
    Hostile("negative timestamp", 401, change=stamped("-1760000000")),
    Hostile("fraction", 401, change=stamped(f"{time.time():.3f}")),
    Hostile("exponent", 401, change=stamped("1e9")),
    Hostile("hexadecimal", 401, change=stamped("0x68e7")),
    Hostile("infinity", 401, change=stamped("inf")),
    Hostile("other digits", 401, change=stamped("١٧٦٠٠٠٠٠٠٠")),
    Hostile("thousands of digits", 401, change=stamped("9" * 4000)),
    Hostile("underscored", 401, change=stamped("1_760_000_000")),
    Hostile("blank before", 401, change=stamped("\t17")),
    Hostile("two signatures", 401, headers=[*headers_for(EVENT).items(), ("X-Slack-Signature", "v0=0")]),
    Hostile("two timestamps", 401, headers=[*headers_for(EVENT).items(), ("X-Slack-Request-Timestamp", "1")]),
    Hostile("body changed", 401, EVENT + b" ", headers=headers_for(EVENT)),
    Hostile("garbage unsigned", 401, b"\xff\xfe{", headers={}),
    Hostile("challenge unsigned", 401, b'{"type":"url_verification","challenge":"x"}', headers={}),
    Hostile("empty unsigned", 401, b"", headers={}),
]
MALFORMED = [
    Hostile("empty", 400, b""),
    Hostile("half of an object", 400, EVENT[:-40]),
    Hostile("no JSON", 400, b"hello"),
    Hostile("not UTF-8", 400, b'{"type": "\xff\xfe"}'),
    Hostile("a list", 400, b"[]"),
    Hostile("a number", 400, b"1e999"),
    Hostile("NaN", 400, b'{"type": NaN}'),
    Hostile("null", 400, b"null"),
    Hostile("a string", 400, b'"event_callback"'),
    Hostile("nested", 400, b'{"type":"event_callback","event":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    Hostile("half a surrogate pair", 400, b'{"type":"event_callback","event":{"type":"message","text":"\\ud800"}}'),
    Hostile("no type", 400, b"{}"),
    Hostile("type of another kind", 400, b'{"type": ["event_callback"]}'),
    Hostile("event is missing", 400, b'{"type":"event_callback"}'),
    Hostile("event is a string", 400, b'{"type":"event_callback","event":"message"}'),
    Hostile("event is a list", 400, b'{"type":"event_callback","event":[]}'),
    Hostile("event has no type", 400, b'{"type":"event_callback","event":{}}'),
    Hostile("event's type is a number", 400, b'{"type":"event_callback","event":{"type":1}}'),
    Hostile(
        "authorizations of text", 400, b'{"type":"event_callback","event":{"type":"message"},"authorizations":["x"]}'
    ),
    Hostile("user is a number", 400, b'{"type":"event_callback","event":{"type":"message","user":7}}'),
    Hostile("a type that nobody knows", 400, b'{"type":"launch"}'),
    Hostile("a form of nothing", 400, b"=&=&", content_type=FORM),
    Hostile("a form without its payload", 400, b"a=b", content_type=FORM),
    Hostile("a form with too many fields", 400, b"&".join(b"a%d=1" % n for n in range(100)), content_type=FORM),
    Hostile("a payload that is no JSON", 400, b"payload=hello", content_type=FORM),
    Hostile("a payload that is a list", 400, b"payload=%5B%5D", content_type=FORM),
    Hostile("a form that is not UTF-8", 400, b"command=%ff%fe", content_type=FORM),
    Hostile("JSON sent as a form", 400, EVENT, content_type=FORM),
    Hostile("a form sent as JSON", 400, b"command=%2Fask", content_type="application/json"),
    Hostile("an unknown command", 400, b"command=%2Fnuke&text=x", content_type=FORM),
]


@pytest.mark.parametrize("hostile", [*FORGED, *MALFORMED], ids=lambda hostile: hostile.name)
async def test_strangers_are_refused(post: Post, intake: FakeIntake, slack: FakeSlack, hostile: Hostile) -> None:
    """401 for what Slack did not sign, 400 for what it does not say; nothing is run, and no call is made."""
    calls = len(slack.calls)
    status, _ = await post(hostile.body, hostile.all_headers())

    assert hostile.status == status
    assert ([], calls) == (intake.taken, len(slack.calls))


def test_there_are_sixty_of_them() -> None:
    """The measure that was set."""
    assert len(FORGED) + len(MALFORMED) >= 60


async def test_a_body_without_end_is_cut(post: Post, intake: FakeIntake) -> None:
    """Before its signature is looked at."""
    status, _ = await post(b"x" * (2 << 20))

    assert 413 == status
    assert [] == intake.taken


@given(
    stamps=st.lists(st.text(max_size=20), max_size=2),
    signatures=st.lists(st.text(max_size=80), max_size=2),
    body=st.binary(max_size=50),
)
def test_no_header_breaks_the_check(stamps: list[str], signatures: list[str], body: bytes) -> None:
    """Whatever is in them, it is not genuine."""
    assert not is_signed(SECRET, stamps, signatures, body, 1_760_000_000.0)


# ---------------------------------------------------------------- Slack


async def test_the_address_is_verified(post: Post) -> None:
    """Slack asks once, when the address is entered."""
    challenge = payload("url_verification")

    status, text = await post(json.dumps(challenge).encode())
    assert (200, challenge["challenge"]) == (status, json.loads(text)["challenge"])


async def test_a_mention_is_acknowledged_once_it_is_taken(post: Post, intake: FakeIntake) -> None:
    """Not before: the intake's promise is what is acknowledged."""
    intake.gate = asyncio.Event()
    answering = asyncio.create_task(post(EVENT))
    await intake.until(lambda: intake.waiting)
    assert not answering.done()
    intake.gate.set()

    assert 200 == (await answering)[0]
    assert ["what is a pension?"] == [incoming.text for incoming in intake.taken]


async def test_a_repeat_ends_at_the_intake(post: Post, intake: FakeIntake) -> None:
    """Delivered four times, and by two kinds of event, it is one; each delivery is acknowledged."""
    for name in ("app_mention", "message_channel_mention", "app_mention", "app_mention"):
        body = json.dumps(payload(name)).encode()
        again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        assert 200 == (await post(body, {**headers_for(body), **again}))[0]

    assert 1 == len(intake.taken)


@pytest.mark.parametrize("error", [StorageError("disk full"), Stopping("stopping"), RuntimeError("a mistake of ours")])
async def test_what_cannot_be_kept_comes_again(post: Post, intake: FakeIntake, error: Any) -> None:
    """503 and not 500, with when to come back; then it is taken."""
    intake.trouble = error
    assert 503 == (await post(EVENT))[0]
    intake.trouble = None

    assert 200 == (await post(EVENT))[0]
    assert 1 == len(intake.taken)


async def test_a_press_and_a_command_come_by_the_same_address(post: Post, intake: FakeIntake) -> None:
    """As forms."""
    for name in ("block_actions_good", "slash_forget"):
        body = form_body(payload(name))
        assert 200 == (await post(body, headers_for(body, FORM)))[0]

    assert [("ans-1", "slack:T0001:U0ANN", "good")] == intake.judged
    assert ["forget"] == [incoming.command.name for incoming in intake.taken if incoming.command]


async def test_a_command_is_answered_at_once_where_it_cannot_be_obeyed(post: Post, slack: FakeSlack) -> None:
    """The person alone is told, in the acknowledgement."""
    slack.refusing["chat.postMessage"] = no("not_in_channel")["error"]
    body = form_body(payload("slash_ask"))

    status, text = await post(body, headers_for(body, FORM))
    assert 200 == status
    assert "/invite @whisper" in text
