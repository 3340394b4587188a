"""What `doctor` asks the chat platforms: do the tokens open, and was the bot given what it needs?

A platform whose tokens are not set is not looked at. Asks by plain HTTP, and sends nothing to anybody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx

from core import platforms
from core.cli.report import Finding, Report
from core.configuration.setting_sections import TeamsSettings
from core.configuration.settings import Settings
from core.runtime.network_errors import explain, failed_request

DEADLINE_S = 10.0
DISCORD_API = "https://discord.com/api/v10"
DISCORD_CONTENT_FLAGS = (1 << 18) | (1 << 19)  # GATEWAY_MESSAGE_CONTENT, and the same for fewer than 100 servers

Check = Callable[[Report, Settings, httpx.AsyncClient], AsyncIterator[Finding]]


async def slack(report: Report, settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    base, token = settings.slack.api_base_url.rstrip("/"), settings.slack.bot_token
    assert token is not None
    answer = await http.post(f"{base}/auth.test", headers=bearer(token.get_secret_value()))
    who = answer.json()
    if not who.get("ok"):
        yield report("slack", "problem", f"auth.test: {who.get('error')}", "slack_token")
        return
    yield report("slack", "ok", report.say("slack_is", bot=who.get("user"), team=who.get("team")))
    if lacking := platforms.missing_scopes(answer.headers.get("x-oauth-scopes", "")):
        yield report("slack", "problem", report.say("lacking", names=", ".join(lacking)), "slack_scopes")
    if app_token := settings.slack.app_token:
        opened = await http.post(f"{base}/apps.connections.open", headers=bearer(app_token.get_secret_value()))
        if not opened.json().get("ok"):
            yield report("slack", "problem", f"apps.connections.open: {opened.json().get('error')}", "slack_app_token")


async def discord(report: Report, settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    base, token = (settings.discord.api_base_url or DISCORD_API).rstrip("/"), settings.discord.bot_token
    assert token is not None
    headers = {"Authorization": f"Bot {token.get_secret_value()}"}
    answer = await http.get(f"{base}/applications/@me", headers=headers)
    if answer.status_code != httpx.codes.OK:
        yield report("discord", "problem", f"applications/@me: {answer.status_code}", "discord_token")
        return
    application = answer.json()
    yield report("discord", "ok", report.say("discord_is", bot=application.get("name"), id=application.get("id")))
    may_read = bool(int(application.get("flags") or 0) & DISCORD_CONTENT_FLAGS)
    if settings.discord.message_content and not may_read:
        yield report("discord", "problem", report.say("discord_blind"), "discord_intent")


async def teams(report: Report, settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    of = settings.teams
    if of.allow_unauthenticated:
        yield report("teams", "warn", "TEAMS_ALLOW_UNAUTHENTICATED", "teams_open")
        return
    assert of.app_password is not None
    form = {
        "grant_type": "client_credentials",
        "client_id": of.app_id or "",
        "client_secret": of.app_password.get_secret_value(),
        "scope": platforms.microsoft_scope(of.oauth_scope),
    }
    answer = await http.post(await token_endpoint(of, http), data=form)
    if answer.status_code != httpx.codes.OK:
        yield report("teams", "problem", f"{answer.status_code} {error_of(answer)}", "teams_secret")
    else:
        yield report("teams", "ok", report.say("teams_is", id=of.app_id))
    keys = await http.get(of.openid_metadata_url or platforms.MICROSOFT_KEYS_URL)
    if keys.status_code != httpx.codes.OK:
        yield report("teams", "problem", f"{keys.url.host}: {keys.status_code}", "unreachable")


async def token_endpoint(of: TeamsSettings, http: httpx.AsyncClient) -> str:
    """As the adapter finds it: an AD FS names its own."""
    authority = platforms.microsoft_authority(of.login_url, of.tenant_id or "")
    if discovery_url := platforms.microsoft_discovery_url(authority):
        told = await http.get(discovery_url)
        return str(told.json().get("token_endpoint", ""))
    return platforms.microsoft_token_url(authority)


CHECKS: dict[str, Check] = {"slack": slack, "discord": discord, "teams": teams}


async def bots(report: Report, settings: Settings) -> list[Finding]:
    """Of the platforms whose tokens are set."""
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        section = settings.platform(name)
        if section.missing:
            if section.is_configured:
                findings.append(report(name, "problem", report.say("not_set", variable=section.missing), "set_up"))
            continue
        findings += await findings_of(name, check, report, settings)
    return findings


async def findings_of(name: str, check: Check, report: Report, settings: Settings) -> list[Finding]:
    try:
        async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
            return [finding async for finding in check(report, settings, http)]
    except httpx.RequestError as exc:
        return [
            report(
                name, "problem", f"{failed_request(exc).url.host}: {explain(exc, report.words.language)}", "unreachable"
            )
        ]
    except httpx.InvalidURL as exc:
        return [report(name, "problem", str(exc), "unreachable")]
    except ValueError:
        return [report(name, "problem", report.say("no_json"), "unreachable")]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def error_of(answer: httpx.Response) -> str:
    """Microsoft's own name of what is wrong: the description after it holds ids and times."""
    try:
        return str(answer.json().get("error", ""))
    except ValueError:
        return ""
