"""The webhook from outside: who is let in, what is answered, and that nothing else makes anything happen."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from bindings.delivery.outlet import Upload
from bindings.metrics import BotMetrics
from bindings.teams import transport
from bindings.teams.adapter import BODY_LIMIT_BYTES, build, build_credentials
from core.configuration import settings
from core.errors import ConfigError, Stopping, StorageError
from tests.bindings.teams.conftest import Served, payload, serving
from tests.bindings.teams.support_fake_microsoft import APP_ID, ISSUER, TENANT, FakeMicrosoft, private_key

ACCEPTED = 202
ROWS = Upload("rows.jsonl", "application/jsonl", b'{"a": 1}\n')


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(microsoft: FakeMicrosoft) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": APP_ID, "exp": now + 600, "serviceurl": microsoft.service_url}


def unsigned(microsoft: FakeMicrosoft) -> str:
    return f"{b64({'alg': 'none', 'kid': 'key-1'})}.{b64(claims(microsoft))}."


def by_the_public_key(microsoft: FakeMicrosoft) -> str:
    """HS256 with what everybody knows as its secret."""
    header, body = b64({"alg": "HS256", "kid": "key-1"}), b64(claims(microsoft))
    return f"{header}.{body}.{b64(b'x' * 32)}"


def changed(microsoft: FakeMicrosoft) -> str:
    header, _, signature = microsoft.token().split(".")
    return f"{header}.{b64({**claims(microsoft), 'aud': APP_ID, 'extra': 1})}.{signature}"


Token = Callable[[FakeMicrosoft], str | None]
HOUR = 3600
HUGE = b'{"exp":' + b"9" * 4000 + b"}"

TOKENS: dict[str, Token] = {
    "none": lambda m: None,
    "a word": lambda m: "letmein",
    "two dots": lambda m: "..",
    "three parts of nothing": lambda m: "a.b.c",
    "five parts": lambda m: "a.b.c.d.e",
    "not base64": lambda m: "!!!.???.###",
    "two tokens": lambda m: f"{m.token()} {m.token()}",
    "letters of another alphabet": lambda m: "tökén.é.è",
    "alg none": unsigned,
    "alg NONE": lambda m: f"{b64({'alg': 'NONE', 'kid': 'key-1'})}.{b64(claims(m))}.",
    "alg HS256": by_the_public_key,
    "alg ES256": lambda m: f"{b64({'alg': 'ES256', 'kid': 'key-1'})}.{b64(claims(m))}.{b64(b'x' * 64)}",
    "alg a list": lambda m: f"{b64({'alg': ['RS256'], 'kid': 'key-1'})}.{b64(claims(m))}.{b64(b'x')}",
    "no signature": lambda m: m.token().rpartition(".")[0] + ".",
    "another's signature": lambda m: m.token("stranger", headers={"kid": "key-1"}),
    "claims changed": changed,
    "an unknown key": lambda m: m.token("stranger"),
    "no kid": lambda m: jwt.encode(claims(m), private_key("key-1"), algorithm="RS256"),
    "kid a number": lambda m: f"{b64({'alg': 'RS256', 'kid': 5})}.{b64(claims(m))}.{b64(b'x')}",
    "kid a path": lambda m: m.token(headers={"kid": "../../etc/passwd"}),
    "key in the header": lambda m: m.token("stranger", headers={"jwk": {"kty": "RSA"}, "jku": "http://127.0.0.1/"}),
    "expired": lambda m: m.token(exp=int(time.time()) - HOUR),
    "never expires": lambda m: m.token(exp=None),
    "expires in words": lambda m: m.token(exp="tomorrow"),
    "not yet valid": lambda m: m.token(nbf=int(time.time()) + HOUR),
    "another audience": lambda m: m.token(aud="33333333-cccc-4ccc-8ccc-333333333333"),
    "an empty audience": lambda m: m.token(aud=""),
    "no audience": lambda m: m.token(aud=None),
    "many audiences": lambda m: m.token(aud=[APP_ID, "another"]),
    "another issuer": lambda m: m.token(iss="https://sts.windows.net/x/"),
    "no issuer": lambda m: m.token(iss=None),
    "no service url": lambda m: m.token(serviceurl=None),
    "service url a list": lambda m: m.token(serviceurl=[m.service_url]),
    "another service url": lambda m: m.token(serviceurl="https://smba.trafficmanager.net/amer/"),
    "claims no object": lambda m: f"{b64({'alg': 'RS256', 'kid': 'key-1'})}.{b64([1])}.{b64(b'x')}",
    "claims deep": lambda m: f"{b64({'alg': 'RS256', 'kid': 'key-1'})}.{b64(b'[' * 2000)}.{b64(b'x')}",
    "header deep": lambda m: f"{b64(b'[' * 2000)}.{b64(claims(m))}.{b64(b'x')}",
    "header no object": lambda m: f"{b64('RS256')}.{b64(claims(m))}.{b64(b'x')}",
    "a huge number": lambda m: f"{b64({'alg': 'RS256', 'kid': 'key-1'})}.{b64(HUGE)}.{b64(b'x')}",
}


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS.keys())
async def test_a_token_that_is_not_microsofts(served: Served, make: Token) -> None:
    """401 or 403; nothing is taken."""
    response = await served.send(served.activity("personal"), make(served.microsoft))

    assert response.status in (401, 403)
    assert [] == served.intake.taken


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\tx", "Token x", "Bearer x y", "é", "Bearer é"]
)
async def test_a_header_that_is_none(served: Served, header: str) -> None:
    """401."""
    response = await served.send(served.activity("personal"), None, Authorization=header)

    assert 401 == response.status


Change = dict[str, Any]
FOREIGN: dict[str, Change] = {
    "no tenant": {"channelData": {}, "conversation": {"id": "a:1", "conversationType": "personal"}},
    "another tenant": {"channelData": {"tenant": {"id": "33333333-cccc-4ccc-8ccc-333333333333"}}},
    "a tenant that is a list": {"channelData": {"tenant": [TENANT]}, "conversation": {"id": "a:1"}},
    "another address of Microsoft": {"serviceUrl": "https://smba.trafficmanager.net/amer/"},
    "an address of a stranger": {"serviceUrl": "https://evil.example/"},
    "the cloud's metadata": {"serviceUrl": "http://169.254.169.254/"},
    "no address": {"serviceUrl": None},
    "another channel": {"channelId": "webchat"},
    "no channel": {"channelId": None},
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN.keys())
async def test_what_the_token_does_not_vouch_for(served: Served, change: Change) -> None:
    """403, though the token is good; nothing is taken and nobody is called."""
    response = await served.send(served.activity("personal", **change))

    assert 403 == response.status
    assert ([], []) == (served.intake.taken, served.microsoft.calls)


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "half": b'{"type": "message", ',
    "no JSON": b"<xml/>",
    "not utf-8": b'{"type": "\xff\xfe"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "deep": b"[" * 100_000,
    "NaN": b'{"type": NaN}',
    "half a character": b'{"type": "message", "text": "\\ud800"}',
    "huge number": b'{"type": "message", "value": ' + b"9" * 5000 + b"}",
    "no type": b'{"text": "hi"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_no_activity(served: Served, body: bytes) -> None:
    """400 from Microsoft; from anybody else it is not even looked at."""
    assert 400 == (await served.send(body)).status
    assert 401 == (await served.send(body, None)).status
    assert [] == served.intake.taken


async def test_sixty_at_least() -> None:
    """Hostile or malformed calls in the tables above."""
    assert len(TOKENS) + len(FOREIGN) + len(BODIES) >= 60


async def test_other_kinds_of_call(served: Served) -> None:
    """By their type, their size and their method."""
    activity = served.activity("personal")

    assert 415 == (await served.send(activity, **{"Content-Type": "text/plain"})).status
    assert 413 == (await served.send(b" " * (BODY_LIMIT_BYTES + 1))).status
    assert 413 == (await served.send(b" " * (1 << 21))).status
    async with served.http.get(f"{served.url}api/messages") as response:
        assert 405 == response.status
    assert [] == served.intake.taken


async def test_a_message_is_taken_and_acknowledged(served: Served) -> None:
    """202, after it is with the intake."""
    response = await served.send(served.activity("personal"))

    assert ACCEPTED == response.status
    assert ["What is a statement of work?"] == [each.text for each in served.intake.taken]


@pytest.mark.parametrize("failure", [StorageError("disk full"), Stopping("going down")], ids=["storage", "stopping"])
async def test_what_is_not_on_disk_is_not_acknowledged(served: Served, failure: Exception) -> None:
    """503, so that Teams delivers it again."""
    served.intake.failure = failure
    response = await served.send(served.activity("personal"))

    assert (503, "5") == (response.status, response.headers["Retry-After"])


async def test_a_rotated_key_works_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that names a new key makes us look; the old one stops working when Microsoft takes it away."""
    now = [10_000.0]
    monkeypatch.setattr(served.adapter._keys, "_clock", lambda: now[0])
    now[0] = served.adapter._keys._tried_at or 0.0
    assert ACCEPTED == (await served.send(served.activity("personal"))).status
    now[0] += 11
    served.microsoft.signing = ["key-2"]

    assert ACCEPTED == (await served.send(served.activity("personal"), served.microsoft.token("key-2"))).status
    assert 401 == (await served.send(served.activity("personal"), served.microsoft.token("key-1"))).status
    assert 2 == served.microsoft.metadata_fetches


async def test_strangers_do_not_make_us_fetch_keys(served: Served) -> None:
    """However many unknown keys are named, Microsoft is asked no more often than every few seconds."""
    before = served.microsoft.metadata_fetches
    for number in range(20):
        await served.send(
            served.activity("personal"), served.microsoft.token("stranger", headers={"kid": f"k{number}"})
        )
    for _ in range(20):
        await served.send(served.activity("personal"), served.microsoft.token("stranger", aud="somebody else"))

    assert served.microsoft.metadata_fetches <= before + 1


async def test_keys_that_do_not_come_block_nobody(
    microsoft: FakeMicrosoft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they are waited for, health is answered; then 503, and Teams comes again."""
    monkeypatch.setattr("bindings.teams.webhook_auth.DEADLINE_S", 0.3)
    microsoft.keys_hang = asyncio.Event()
    async with serving(microsoft, tmp_path) as served:
        served.adapter._keys._tried_at = None
        waiting = asyncio.create_task(served.send(served.activity("personal")))
        async with served.http.get(f"{served.url}healthz") as response:
            assert 200 == response.status

        assert 503 == (await waiting).status
        assert [] == served.intake.taken
        microsoft.keys_hang.set()


async def test_a_key_that_does_not_speak_for_teams(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Microsoft signs for other channels with keys that are endorsed for those."""
    microsoft.endorsements = ["webchat"]
    async with serving(microsoft, tmp_path) as served:
        assert 403 == (await served.send(served.activity("personal"))).status


async def test_a_wrong_secret_refuses_to_start(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Saying what to click."""
    with pytest.raises(ConfigError, match="Certificates & secrets"):
        async with serving(microsoft, tmp_path, TEAMS_APP_PASSWORD="wrong"):
            pass


async def test_microsoft_away_at_the_start(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Events are taken all the same; the metric tells when it can be reached."""
    microsoft.login_status = 503
    async with serving(microsoft, tmp_path) as served:
        assert ACCEPTED == (await served.send(served.activity("personal"))).status


@pytest.mark.parametrize("variable", ["TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_TENANT_ID"])
async def test_a_missing_secret_refuses_to_start(microsoft: FakeMicrosoft, variable: str) -> None:
    """An empty id never means that nobody is asked who they are."""
    loaded = settings.load({**microsoft.environ, variable: ""})
    with pytest.raises(ConfigError, match=variable):
        build(loaded, BotMetrics())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "bot.example.gc.ca"])
async def test_unauthenticated_only_on_this_machine(host: str) -> None:
    """Refused for any other address."""
    loaded = settings.load({"TEAMS_ALLOW_UNAUTHENTICATED": "1", "TEAMS_HOST": host})
    with pytest.raises(ConfigError, match="TEAMS_ALLOW_UNAUTHENTICATED"):
        build(loaded, BotMetrics())


async def test_unauthenticated_on_this_machine(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """For the playground: no token comes in, none goes out, and answers go to this machine alone."""
    async with serving(
        microsoft, tmp_path, TEAMS_ALLOW_UNAUTHENTICATED="1", TEAMS_TENANT_ID="", TEAMS_LOGIN_URL=""
    ) as served:
        assert ACCEPTED == (await served.send(served.activity("personal"), None)).status
        assert 403 == (await served.send(payload("personal"), None)).status
        await served.send(served.activity("installed"), None)
        (call,) = await served.microsoft.until(calls=1)

    assert "" == call.token
    assert 0 == microsoft.token_fetches


def test_a_login_without_a_tenant_gets_it() -> None:
    """So that TEAMS_LOGIN_URL can be the address of a government cloud."""

    loaded = settings.load(
        {
            "TEAMS_APP_ID": APP_ID,
            "TEAMS_APP_PASSWORD": "x",
            "TEAMS_TENANT_ID": TENANT,
            "TEAMS_LOGIN_URL": "https://login.microsoftonline.us",
        }
    )
    credentials = build_credentials(loaded.teams, transport.build_client())

    assert credentials is not None
    assert f"https://login.microsoftonline.us/{TENANT}" == credentials._authority
