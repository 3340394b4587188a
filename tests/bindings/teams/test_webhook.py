"""The webhook rejects forged, foreign and malformed calls, and acknowledges the others."""

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

from bindings.metrics import BotMetrics
from bindings.selftest.microsoft_server import APP_ID, ISSUER, TENANT, FakeMicrosoft, private_key
from bindings.teams import transport
from bindings.teams.adapter import BODY_LIMIT_BYTES, build, build_credentials
from core.configuration import settings
from core.errors import ConfigError, Stopping, StorageError
from tests.bindings.teams.conftest import TeamsBot, payload, serve_adapter

ACCEPTED = 202


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(microsoft: FakeMicrosoft) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": APP_ID, "exp": now + 600, "serviceurl": microsoft.service_url}


def unsigned(microsoft: FakeMicrosoft) -> str:
    return f"{b64({'alg': 'none', 'kid': 'key-1'})}.{b64(claims(microsoft))}."


def sign_hs256(microsoft: FakeMicrosoft) -> str:
    """HS256 with a secret that everybody knows."""
    header, body = b64({"alg": "HS256", "kid": "key-1"}), b64(claims(microsoft))
    return f"{header}.{body}.{b64(b'x' * 32)}"


def with_changed_claims(microsoft: FakeMicrosoft) -> str:
    header, _, signature = microsoft.token().split(".")
    return f"{header}.{b64({**claims(microsoft), 'aud': APP_ID, 'extra': 1})}.{signature}"


Token = Callable[[FakeMicrosoft], str | None]
HOUR = 3600
HUGE = b'{"exp":' + b"9" * 4000 + b"}"

TOKENS: dict[str, Token] = {
    "no token": lambda m: None,
    "a word": lambda m: "letmein",
    "two dots": lambda m: "..",
    "three parts of nothing": lambda m: "a.b.c",
    "five parts": lambda m: "a.b.c.d.e",
    "not base64": lambda m: "!!!.???.###",
    "two tokens": lambda m: f"{m.token()} {m.token()}",
    "non-ASCII letters": lambda m: "tökén.é.è",
    "alg none": unsigned,
    "alg NONE": lambda m: f"{b64({'alg': 'NONE', 'kid': 'key-1'})}.{b64(claims(m))}.",
    "alg HS256": sign_hs256,
    "alg ES256": lambda m: f"{b64({'alg': 'ES256', 'kid': 'key-1'})}.{b64(claims(m))}.{b64(b'x' * 64)}",
    "alg a list": lambda m: f"{b64({'alg': ['RS256'], 'kid': 'key-1'})}.{b64(claims(m))}.{b64(b'x')}",
    "no signature": lambda m: m.token().rpartition(".")[0] + ".",
    "another's signature": lambda m: m.token("stranger", headers={"kid": "key-1"}),
    "claims changed": with_changed_claims,
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
async def test_a_forged_token_is_rejected(bot: TeamsBot, make: Token) -> None:
    """The status is 401 or 403, and the intake gets nothing."""
    response = await bot.send(bot.activity("personal"), make(bot.microsoft))

    assert response.status in (401, 403)
    assert [] == bot.intake.messages


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer\tx", "Token x", "Bearer x y", "é", "Bearer é"]
)
async def test_a_header_without_a_bearer_token_is_rejected(bot: TeamsBot, header: str) -> None:
    """The status is 401."""
    response = await bot.send(bot.activity("personal"), None, Authorization=header)

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
async def test_a_mismatch_of_token_and_activity_is_forbidden(bot: TeamsBot, change: Change) -> None:
    """The token itself is valid; intake and connector get nothing."""
    response = await bot.send(bot.activity("personal", **change))

    assert 403 == response.status
    assert ([], []) == (bot.intake.messages, bot.microsoft.calls)


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
async def test_a_malformed_body_is_rejected(bot: TeamsBot, body: bytes) -> None:
    """With a valid token the status is 400; without one, 401 before the body is read."""
    assert 400 == (await bot.send(body)).status
    assert 401 == (await bot.send(body, None)).status
    assert [] == bot.intake.messages


async def test_the_tables_have_at_least_sixty_cases() -> None:
    """The tables above have hostile and malformed calls."""
    assert len(TOKENS) + len(FOREIGN) + len(BODIES) >= 60


async def test_calls_of_another_type_size_or_method_are_rejected(bot: TeamsBot) -> None:
    """The intake gets nothing."""
    activity = bot.activity("personal")

    assert 415 == (await bot.send(activity, **{"Content-Type": "text/plain"})).status
    assert 413 == (await bot.send(b" " * (BODY_LIMIT_BYTES + 1))).status
    assert 413 == (await bot.send(b" " * (1 << 21))).status
    async with bot.http.get(f"{bot.url}api/messages") as response:
        assert 405 == response.status
    assert [] == bot.intake.messages


async def test_a_message_reaches_the_intake(bot: TeamsBot) -> None:
    """The status is 202."""
    response = await bot.send(bot.activity("personal"))

    assert ACCEPTED == response.status
    assert ["What is a statement of work?"] == [each.text for each in bot.intake.messages]


@pytest.mark.parametrize("failure", [StorageError("disk full"), Stopping("going down")], ids=["storage", "stopping"])
async def test_a_message_that_is_not_stored_is_not_acknowledged(bot: TeamsBot, failure: Exception) -> None:
    """After a 503, Teams delivers it again."""
    bot.intake.failure = failure
    response = await bot.send(bot.activity("personal"))

    assert (503, "5") == (response.status, response.headers["Retry-After"])


async def test_a_rotated_key_works_at_once(bot: TeamsBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown key causes a fetch. The old key is rejected once Microsoft has removed it."""
    now = [10_000.0]
    monkeypatch.setattr(bot.adapter._keys, "_clock", lambda: now[0])
    now[0] = bot.adapter._keys._tried_at or 0.0
    assert ACCEPTED == (await bot.send(bot.activity("personal"))).status
    now[0] += 11
    bot.microsoft.signing = ["key-2"]

    assert ACCEPTED == (await bot.send(bot.activity("personal"), bot.microsoft.token("key-2"))).status
    assert 401 == (await bot.send(bot.activity("personal"), bot.microsoft.token("key-1"))).status
    assert 2 == bot.microsoft.metadata_fetches


async def test_forged_tokens_do_not_cause_many_key_fetches(bot: TeamsBot) -> None:
    """Forty unknown keys or audiences cause at most one fetch."""
    fetches = bot.microsoft.metadata_fetches
    for number in range(20):
        await bot.send(bot.activity("personal"), bot.microsoft.token("stranger", headers={"kid": f"k{number}"}))
    for _ in range(20):
        await bot.send(bot.activity("personal"), bot.microsoft.token("stranger", aud="somebody else"))

    assert bot.microsoft.metadata_fetches <= fetches + 1


async def test_a_hanging_key_fetch_blocks_no_other_request(
    microsoft: FakeMicrosoft, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/healthz answers meanwhile; then the call gets 503, so that Teams repeats it."""
    monkeypatch.setattr("bindings.teams.webhook_auth.DEADLINE_S", 0.3)
    microsoft.keys_hang = asyncio.Event()
    async with serve_adapter(microsoft, tmp_path) as bot:
        bot.adapter._keys._tried_at = None
        waiting = asyncio.create_task(bot.send(bot.activity("personal")))
        async with bot.http.get(f"{bot.url}healthz") as response:
            assert 200 == response.status

        assert 503 == (await waiting).status
        assert [] == bot.intake.messages
        microsoft.keys_hang.set()


async def test_a_key_endorsed_for_another_channel_is_forbidden(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """Each of Microsoft's keys lists the channels for which it signs."""
    microsoft.endorsements = ["webchat"]
    async with serve_adapter(microsoft, tmp_path) as bot:
        assert 403 == (await bot.send(bot.activity("personal"))).status


async def test_a_wrong_secret_prevents_the_start(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The error has instructions."""
    with pytest.raises(ConfigError, match="Certificates & secrets"):
        async with serve_adapter(microsoft, tmp_path, TEAMS_APP_PASSWORD="wrong"):
            pass


async def test_calls_are_accepted_if_the_login_fails_at_start(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """The login is retried in the background."""
    microsoft.login_status = 503
    async with serve_adapter(microsoft, tmp_path) as bot:
        assert ACCEPTED == (await bot.send(bot.activity("personal"))).status


@pytest.mark.parametrize("variable", ["TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_TENANT_ID"])
async def test_a_missing_secret_prevents_the_start(microsoft: FakeMicrosoft, variable: str) -> None:
    """An empty id must not disable the check of callers."""
    loaded = settings.load({**microsoft.environ, variable: ""})
    with pytest.raises(ConfigError, match=variable):
        build(loaded, BotMetrics())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "bot.example.gc.ca"])
async def test_unauthenticated_calls_need_a_loopback_address(host: str) -> None:
    """Any other address prevents the start."""
    loaded = settings.load({"TEAMS_ALLOW_UNAUTHENTICATED": "1", "TEAMS_HOST": host})
    with pytest.raises(ConfigError, match="TEAMS_ALLOW_UNAUTHENTICATED"):
        build(loaded, BotMetrics())


async def test_unauthenticated_calls_on_this_machine(microsoft: FakeMicrosoft, tmp_path: Path) -> None:
    """In this mode, for the playground, no call carries a token, and answers go only to this machine."""
    async with serve_adapter(
        microsoft, tmp_path, TEAMS_ALLOW_UNAUTHENTICATED="1", TEAMS_TENANT_ID="", TEAMS_LOGIN_URL=""
    ) as bot:
        assert ACCEPTED == (await bot.send(bot.activity("personal"), None)).status
        assert 403 == (await bot.send(payload("personal"), None)).status
        await bot.send(bot.activity("installed"), None)
        (call,) = await bot.microsoft.wait_for_calls(1)

    assert "" == call.token
    assert 0 == microsoft.token_fetches


def test_a_login_url_without_a_tenant_gets_the_tenant() -> None:
    """TEAMS_LOGIN_URL can be the URL of a government cloud."""
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
