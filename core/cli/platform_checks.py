"""The checks of `csps-llm doctor` on the chat platforms: whether the tokens work, and what the bot may do.

It skips platforms without tokens. It uses plain HTTP, and posts nothing that people see.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx

from core import platforms
from core.cli.bot_health import bot_url, fetch_token_problem
from core.cli.findings import Finding, FindingBuilder
from core.cli.teams_check import check_teams
from core.configuration.settings import Settings
from core.runtime.network_errors import explain, failed_request

DEADLINE_S = 10.0
DISCORD_API = "https://discord.com/api/v10"
DISCORD_CONTENT_FLAGS = (1 << 18) | (1 << 19)  # GATEWAY_MESSAGE_CONTENT, and its form for bots in under 100 servers

PlatformCheck = Callable[[FindingBuilder, Settings, httpx.AsyncClient], AsyncIterator[Finding]]


async def check_slack(build: FindingBuilder, settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    base, token = settings.slack.api_base_url.rstrip("/"), settings.slack.bot_token
    assert token is not None
    answer = await http.post(f"{base}/auth.test", headers=bearer(token.get_secret_value()))
    identity = answer.json()
    if not identity.get("ok"):
        yield build("slack", "problem", f"auth.test: {identity.get('error')}", "slack_token")
        return
    yield build("slack", "ok", build.found("slack", bot=str(identity.get("user")), team=str(identity.get("team"))))
    if missing := platforms.missing_scopes(answer.headers.get("x-oauth-scopes", "")):
        yield build("slack", "problem", build.found("scopes_missing", names=", ".join(missing)), "slack_scopes")
    if app_token := settings.slack.app_token:
        opened = await http.post(f"{base}/apps.connections.open", headers=bearer(app_token.get_secret_value()))
        if not opened.json().get("ok"):
            yield build("slack", "problem", f"apps.connections.open: {opened.json().get('error')}", "slack_app_token")


async def check_discord(build: FindingBuilder, settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    base, token = (settings.discord.api_base_url or DISCORD_API).rstrip("/"), settings.discord.bot_token
    assert token is not None
    headers = {"Authorization": f"Bot {token.get_secret_value()}"}
    answer = await http.get(f"{base}/applications/@me", headers=headers)
    if answer.status_code != httpx.codes.OK:
        yield build("discord", "problem", f"applications/@me: {answer.status_code}", "discord_token")
        return
    application = answer.json()
    found = build.found("discord", bot=str(application.get("name")), id=str(application.get("id")))
    yield build("discord", "ok", found)
    reads_content = bool(int(application.get("flags") or 0) & DISCORD_CONTENT_FLAGS)
    if settings.discord.message_content and not reads_content:
        yield build("discord", "problem", build.found("discord_intent"), "discord_intent")


CHECKS: dict[str, PlatformCheck] = {"slack": check_slack, "discord": check_discord, "teams": check_teams}


async def check_platforms(build: FindingBuilder, settings: Settings) -> list[Finding]:
    """Returns the findings on each platform that has tokens, or only some of its tokens."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        section = settings.platform(name)
        if not section.missing:
            findings += await run_check(name, check, build, settings)
            findings += await check_running_bot(name, build, settings)
        elif section.is_configured:
            findings.append(build(name, "problem", build.found("not_set", variable=section.missing), "platform"))
    return findings


async def check_running_bot(name: str, build: FindingBuilder, settings: Settings) -> list[Finding]:
    """A problem if the bot runs with a token that its platform refuses: it may be an older one than that of now."""
    problem = await fetch_token_problem(bot_url(settings, name))
    return [] if problem is None else [build(name, "problem", problem, "bot_token")]


async def run_check(name: str, check: PlatformCheck, build: FindingBuilder, settings: Settings) -> list[Finding]:
    try:
        async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
            return [finding async for finding in check(build, settings, http)]
    except httpx.RequestError as exc:
        found = f"{failed_request(exc).url.host}: {explain(exc, build.language)}"
    except httpx.InvalidURL as exc:
        found = str(exc)
    except ValueError:
        found = build.found("not_json")
    return [build(name, "problem", found, "unreachable")]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
