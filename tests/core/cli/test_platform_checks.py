"""The doctor's checks of the chat platforms, against servers that answer as the platforms do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bindings.selftest.loopback import serve_on_loopback
from core.cli.findings import Finding, FindingBuilder
from core.cli.platform_checks import check_platforms
from core.cli.teams_check import check_cloud
from core.configuration import settings
from core.microsoft_clouds import CLOUDS, OVERRIDES
from core.platforms import SLACK_SCOPES
from tests.support.app_certificates import write_certificate

SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
TEAMS = {"TEAMS_APP_ID": "app", "TEAMS_APP_PASSWORD": "secret", "TEAMS_TENANT_ID": "tenant"}


@asynccontextmanager
async def platform(answers: Mapping[str, web.Response]) -> AsyncIterator[str]:
    """The URL of a server with a fixed answer for each path."""

    async def answer(request: web.Request) -> web.Response:
        return answers[request.path]

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serve_on_loopback(app) as url:
        yield url


def reply(status: int = 200, headers: Mapping[str, str] | None = None, **body: Any) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


async def check(tmp_path: Path, **environ: str) -> list[Finding]:
    return await check_platforms(FindingBuilder("en"), settings.load({"CSPS_LLM_DATA": str(tmp_path), **environ}))


async def test_platforms_without_tokens_are_skipped(tmp_path: Path) -> None:
    """There is no request and no finding."""
    assert await check(tmp_path) == []


async def test_a_platform_with_some_of_its_tokens(tmp_path: Path) -> None:
    """The finding names the missing variable, without a request."""
    (finding,) = await check(tmp_path, SLACK_BOT_TOKEN="xoxb-1")

    assert (finding.state, finding.check) == ("problem", "Slack")
    assert "SLACK_APP_TOKEN" in finding.found


@pytest.mark.parametrize(
    ("scopes", "connection", "states", "expected"),
    [
        (SLACK_SCOPES, {"ok": True}, ["ok"], "whisper in CSPS"),
        (SLACK_SCOPES[1:], {"ok": True}, ["ok", "problem"], SLACK_SCOPES[0]),
        (SLACK_SCOPES, {"ok": False, "error": "not_allowed_token_type"}, ["ok", "problem"], "not_allowed_token_type"),
    ],
)
async def test_slack(
    tmp_path: Path, scopes: tuple[str, ...], connection: dict[str, Any], states: list[str], expected: str
) -> None:
    """It checks both tokens, and each scope that the manifest requests."""
    answers = {
        "/api/auth.test": reply(headers={"x-oauth-scopes": ",".join(scopes)}, ok=True, user="whisper", team="CSPS"),
        "/api/apps.connections.open": reply(**connection),
    }
    async with platform(answers) as url:
        findings = await check(tmp_path, **SLACK, SLACK_API_BASE_URL=f"{url}/api/")

    assert [finding.state for finding in findings] == states
    assert any(expected in finding.found for finding in findings)


async def test_an_invalid_slack_token(tmp_path: Path) -> None:
    """The advice says where to find the token. There is no second finding about scopes."""
    async with platform({"/api/auth.test": reply(ok=False, error="invalid_auth")}) as url:
        (finding,) = await check(tmp_path, **SLACK, SLACK_API_BASE_URL=f"{url}/api/")

    assert finding.state == "problem"
    assert "OAuth & Permissions" in finding.advice


@pytest.mark.parametrize(
    ("flags", "wanted", "states"),
    [(0, "0", ["ok"]), (1 << 19, "1", ["ok"]), (0, "1", ["ok", "problem"])],
)
async def test_discord(tmp_path: Path, flags: int, wanted: str, states: list[str]) -> None:
    """The message content intent is needed only if the settings use it."""
    async with platform({"/applications/@me": reply(id="42", name="Whisper", flags=flags)}) as url:
        environ = {"DISCORD_BOT_TOKEN": "t", "DISCORD_API_BASE_URL": url, "DISCORD_MESSAGE_CONTENT": wanted}
        findings = await check(tmp_path, **environ)

    assert [finding.state for finding in findings] == states


async def test_an_invalid_discord_token(tmp_path: Path) -> None:
    """Discord answers 401, and the advice names Reset Token."""
    async with platform({"/applications/@me": reply(401, message="401: Unauthorized")}) as url:
        (finding,) = await check(tmp_path, DISCORD_BOT_TOKEN="t", DISCORD_API_BASE_URL=url)

    assert "Reset Token" in finding.advice


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (401, "problem")])
async def test_teams(tmp_path: Path, status: int, state: str) -> None:
    """The secret must give a token, and Microsoft's keys must be reachable."""
    answers = {
        "/tenant/oauth2/v2.0/token": reply(status, access_token="x", error="invalid_client"),
        "/keys": reply(issuer="x"),
    }
    async with platform(answers) as url:
        endpoints = {"TEAMS_LOGIN_URL": f"{url}/tenant", "TEAMS_OPENID_METADATA_URL": f"{url}/keys"}
        (finding,) = await check(tmp_path, **TEAMS, **endpoints)

    assert finding.state == state
    assert "secret" not in finding.found


async def teams_findings(tmp_path: Path, **environ: str) -> list[Finding]:
    """Checks a bot of Teams whose login and keys are on this machine, unless `environ` says otherwise."""
    async with platform({"/t/oauth2/v2.0/token": reply(access_token="x"), "/keys": reply()}) as url:
        local = {"TEAMS_LOGIN_URL": f"{url}/t", "TEAMS_OPENID_METADATA_URL": f"{url}/keys"}
        return await check(tmp_path, **{**TEAMS, **local, **environ})


async def test_addresses_of_two_clouds(tmp_path: Path) -> None:
    """The finding names the variable, its cloud and TEAMS_CLOUD; the advice says what to set and what to unset."""
    finding, login = await teams_findings(tmp_path, TEAMS_TOKEN_ISSUER="https://api.botframework.us")

    assert ("problem", "ok") == (finding.state, login.state)
    assert "TEAMS_TOKEN_ISSUER has an address of the cloud gcch / dod, but TEAMS_CLOUD is public" == finding.found
    assert "unset TEAMS_TOKEN_ISSUER" in finding.advice


async def test_addresses_of_the_cloud_itself(tmp_path: Path) -> None:
    """There is no finding about the cloud."""
    (finding,) = await teams_findings(tmp_path, TEAMS_CLOUD="dod", TEAMS_TOKEN_ISSUER="https://api.botframework.us")

    assert "ok" == finding.state


def test_four_addresses_of_another_cloud_are_a_warning() -> None:
    """They work, and TEAMS_CLOUD says it better."""
    environ = {variable: getattr(CLOUDS["china"], field) for field, variable in OVERRIDES.items()}
    (finding,) = check_cloud(FindingBuilder("en"), settings.load(environ).teams)

    assert "warn" == finding.state
    assert "Set TEAMS_CLOUD to the cloud of your tenant (china" in finding.advice


async def test_two_credentials_of_teams(tmp_path: Path) -> None:
    """The finding names the one that is too many. No login is tried."""
    (finding,) = await teams_findings(tmp_path, TEAMS_CERTIFICATE="/x.pem")

    assert ("problem", True) == (finding.state, "TEAMS_APP_PASSWORD" in finding.found)


async def test_a_certificate_that_cannot_be_read(tmp_path: Path) -> None:
    """The finding names the file, and the advice says what it has to contain."""
    (finding,) = await teams_findings(tmp_path, TEAMS_APP_PASSWORD="", TEAMS_CERTIFICATE="/absent.pem")

    assert ("problem", True) == (finding.state, "/absent.pem" in finding.found)
    assert "PEM form without a password" in finding.advice


async def test_a_certificate_of_teams(tmp_path: Path) -> None:
    """The doctor logs in with it, as the bot does."""
    file = write_certificate(tmp_path / "app.pem").file
    (finding,) = await teams_findings(tmp_path, TEAMS_APP_PASSWORD="", TEAMS_CERTIFICATE=str(file))

    assert "ok" == finding.state


async def test_an_unreachable_platform(tmp_path: Path) -> None:
    """The finding gives the network error, and the advice mentions the proxy."""
    (finding,) = await check(tmp_path, DISCORD_BOT_TOKEN="t", DISCORD_API_BASE_URL="http://127.0.0.1:9")

    assert (finding.state, finding.found) == ("problem", "127.0.0.1: nothing listens there")
    assert "proxy" in finding.advice


async def test_an_answer_that_is_not_json(tmp_path: Path) -> None:
    """A proxy may answer with its login page."""
    async with platform({"/api/auth.test": web.Response(text="<html>")}) as url:
        (finding,) = await check(tmp_path, **SLACK, SLACK_API_BASE_URL=f"{url}/api/")

    assert "JSON" in finding.found


async def test_a_running_bot_with_a_refused_token(tmp_path: Path) -> None:
    """The token that is set now may work; the bot says what it runs with."""
    body = {"status": "unready", "code": "credentials_refused", "detail": "the token was revoked"}
    refused = web.json_response(body, status=503)
    answers = {"/api/auth.test": reply(ok=True, user="w", team="T"), "/api/apps.connections.open": reply(ok=True)}
    async with platform({**answers, "/readyz": refused}) as url:
        port = url.rpartition(":")[2]
        findings = await check(tmp_path, **SLACK, SLACK_API_BASE_URL=f"{url}/api/", SLACK_PORT=port)

    assert ("problem", "the token was revoked") == (findings[-1].state, findings[-1].found)
    assert "restart" in findings[-1].advice
