"""The doctor's check of Teams: whether one cloud and one credential are set, and whether the bot gets its token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx

from core import microsoft_login
from core.cli.findings import Finding, FindingBuilder
from core.configuration.platform_sections import TeamsSettings
from core.configuration.settings import Settings
from core.errors import ConfigError
from core.microsoft_clouds import OVERRIDES, choose_endpoints, find_foreign_endpoints


async def check_teams(build: FindingBuilder, settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    teams = settings.teams
    if teams.allow_unauthenticated:
        yield build("teams", "warn", "TEAMS_ALLOW_UNAUTHENTICATED", "teams_unauthenticated")
        return
    for finding in check_cloud(build, teams):
        yield finding
    if surplus := teams.surplus_credential:
        found = build.found("teams_credential", variable=surplus, kind=teams.credential_kind)
        yield build("teams", "problem", found, "teams_credential", variable=surplus)
        return
    yield await check_login(build, teams, http)
    keys = await http.get(choose_endpoints(teams).openid_metadata_url)
    if keys.status_code != httpx.codes.OK:
        yield build("teams", "problem", f"{keys.url.host}: {keys.status_code}", "unreachable")


def check_cloud(build: FindingBuilder, teams: TeamsSettings) -> Iterator[Finding]:
    """Yields a warning if all addresses are of another cloud, and a problem if only some are."""
    foreign = find_foreign_endpoints(teams)
    if not foreign:
        return
    variables = ", ".join(each.variable for each in foreign)
    clouds = " / ".join(dict.fromkeys(cloud for each in foreign for cloud in each.clouds))
    is_whole = len(foreign) == len(OVERRIDES) and len({each.clouds for each in foreign}) == 1
    found = build.found("teams_cloud", variables=variables, clouds=clouds, cloud=teams.cloud)
    yield build("teams", "warn" if is_whole else "problem", found, "teams_cloud", variables=variables, clouds=clouds)


async def check_login(build: FindingBuilder, teams: TeamsSettings, http: httpx.AsyncClient) -> Finding:
    """Asks for a token as the bot does."""
    advice = f"teams_{teams.credential_kind}"
    token_url = await find_token_url(teams, http)
    try:
        request = await asyncio.to_thread(microsoft_login.build_token_request, teams, token_url)
    except ConfigError as exc:
        return build("teams", "problem", exc.message, advice)
    answer = await http.request(request.method, request.url, headers=request.headers, data=request.form)
    if answer.status_code != httpx.codes.OK:
        return build("teams", "problem", f"{answer.status_code} {error_name(answer)}", advice)
    return build("teams", "ok", build.found("teams", id=str(teams.app_id)))


async def find_token_url(teams: TeamsSettings, http: httpx.AsyncClient) -> str:
    """Finds the endpoint as the bot does: an AD FS names its own in a discovery document."""
    if teams.credential_kind == "managed_identity":
        return ""
    authority = microsoft_login.build_authority(teams)
    if discovery_url := microsoft_login.discovery_url(authority):
        return str((await http.get(discovery_url)).json().get("token_endpoint", ""))
    return microsoft_login.build_token_url(authority)


def error_name(answer: httpx.Response) -> str:
    """The name of Microsoft's error, without its description, which contains ids and times."""
    try:
        return str(answer.json().get("error", ""))
    except ValueError:
        return ""
