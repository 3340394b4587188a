"""The webhook of Teams, and the life of what it needs: who may call, what they are answered, and in which order.

A call is looked at from the outside in: its kind, its token, its body, whether the token speaks for what the body says.
Only then does it become a turn, and it is acknowledged when what it says is on disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import httpx
import structlog
from aiohttp import web
from botbuilder.schema import Activity

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.delivery.outlet import DeliveryError, Refused
from bindings.incoming import Place
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.platform import Platform
from bindings.teams import activities, transport
from bindings.teams.cloud import Cloud
from bindings.teams.connector import Connector
from bindings.teams.consent import Consents
from bindings.teams.credentials import Credentials
from bindings.teams.files import Files
from bindings.teams.hosts import Hosts, is_loopback, split
from bindings.teams.parcels import Parcels
from bindings.teams.platform import TeamsPlatform
from bindings.teams.streaming import Streams
from bindings.teams.tokens import Caller, Gate, SigningKeys, TokenRefused
from bindings.teams.turns import Turns
from core import platforms
from core.configuration.setting_sections import TeamsSettings
from core.configuration.settings import Settings
from core.errors import BadRequest, ConfigError, CspsError
from core.runtime.background_tasks import BackgroundTasks
from core.runtime.backoff import NO_JITTER, Backoff

log = structlog.get_logger()

PATH = "/api/messages"
BODY_LIMIT_BYTES = 1 << 19
RETRY_AFTER_S = 5
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=NO_JITTER)
BACKGROUND_CONCURRENCY, BACKGROUND_LIMIT = 4, 204  # greetings and accepted files: four run, 200 wait
PUTTING = RetryPolicy(give_up_after_s=60.0)  # a person waits for it, and so do other background tasks


class TeamsAdapter:
    """Implements `bindings.hosting.process.Adapter`."""

    def __init__(self, settings: Settings, metrics: BotMetrics) -> None:
        """Raises ConfigError if a secret is missing, or if strangers could speak for Microsoft."""
        self._settings = section = settings.teams
        self._metrics = metrics
        check(section)
        self._http = transport.client()
        self._hosts = hosts_of(section)
        self._credentials = credentials_of(section, self._http)
        self._keys = SigningKeys(self._http, section.openid_metadata_url or platforms.MICROSOFT_KEYS_URL)
        self._gate = Gate(self._keys, section.app_id or "", section.token_issuer or platforms.MICROSOFT_ISSUER)
        self._connector = Connector(self._http, self._credentials, self._hosts)
        self._files = Files(self._http, self._credentials, self._hosts)
        self._parcels = Parcels(settings.data_folder / "parcels" / "teams")
        self._tasks = BackgroundTasks(concurrency=BACKGROUND_CONCURRENCY, limit=BACKGROUND_LIMIT)
        self._intake: Intake | None = None
        self._cloud: Cloud | None = None
        streams = Streams(time.monotonic)
        self.platform: Platform = TeamsPlatform(self._connector, self._files, streams, self._parcels, self._stopped)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post(PATH, self.receive)]

    async def connect(self, intake: Intake) -> None:
        """Raises ConfigError if Microsoft does not know this bot. While it is away, events are taken all the same."""
        self._intake = intake
        consents = Consents(self._connector, self._files, self._parcels, self._hosts, DeliveryContext(retry=PUTTING))
        self._cloud = Cloud(self._connector, Turns(intake, self._connector, consents, self._tasks))
        if self._credentials is None:
            log.warning("teams_unauthenticated", host=self._settings.host)
        try:
            await self._reach()
        except Refused as exc:
            raise ConfigError(exc.message) from exc
        except DeliveryError as exc:
            log.warning("teams_unreachable", problem=exc.message)

    async def run(self) -> None:
        await self._reach_at_last()
        await asyncio.Event().wait()

    async def stop_taking(self) -> None:
        """The listener answers 503 from now on; there is nothing else to stop."""

    async def close(self) -> None:
        await self._tasks.close()
        await self._http.aclose()

    async def receive(self, request: web.Request) -> web.Response:
        """POST /api/messages."""
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        caller = await self._caller(request)
        try:
            activity = activities.read(await body_of(request))
        except BadRequest as exc:
            log.info("activity_malformed", problem=exc.message)
            raise web.HTTPBadRequest from exc
        self._admit(activity, caller)
        return await self._turn(activity)

    async def _caller(self, request: web.Request) -> Caller | None:
        """None where anybody on this machine may call."""
        if self._credentials is None:
            return None
        try:
            return await self._gate.check(request.headers.get("Authorization"))
        except TokenRefused as exc:
            log.info("caller_refused", problem=exc.message)
            raise web.HTTPUnauthorized from exc
        except DeliveryError as exc:
            raise unavailable() from exc

    def _admit(self, activity: Activity, caller: Caller | None) -> None:
        """What the token vouches for must be what the activity says. Raises 403."""
        problem = ""
        if not self._hosts.is_connector(activity.service_url or ""):
            problem = "a service URL that is not Microsoft's"
        elif caller is not None and not same_url(caller.service_url, activity.service_url):
            problem = "another service URL than the token's"
        elif caller is not None and caller.channels and activity.channel_id not in caller.channels:
            problem = "a channel for which the token's key does not speak"
        elif not self._is_our_tenant(activity):
            problem = "another tenant than TEAMS_TENANT_ID"
        if problem:
            log.warning("activity_refused", problem=problem, host=transport.host_of(activity.service_url or ""))
            raise web.HTTPForbidden

    def _is_our_tenant(self, activity: Activity) -> bool:
        ours = self._settings.tenant_id
        return ours is None or activities.tenant_of(activity).casefold() == ours.casefold()

    async def _turn(self, activity: Activity) -> web.Response:
        assert self._cloud is not None, "the listener opens after connect"
        try:
            answer = await self._cloud.run(activity)
        except CspsError as exc:
            # Not acknowledged, so that Teams delivers it again.
            log.warning("activity_not_taken", code=exc.code, problem=exc.message)
            raise unavailable() from exc
        if answer is None:
            return web.Response(status=202)
        return web.json_response(answer.body or {}, status=answer.status)

    async def _stopped(self, place: Place, ref: str) -> None:
        assert self._intake is not None, "answers are written after connect"
        await self._intake.stop_answer(place, ref)

    async def _reach(self) -> None:
        """Raises DeliveryError."""
        if self._credentials is not None:
            await self._credentials.token()
            await self._keys.prepare()
        self._metrics.connected.set(1)

    async def _reach_at_last(self) -> None:
        """Tried with growing pauses; once these are a minute, each try is told. The metric tells when it worked."""
        pauses = BACKOFF.pauses()
        while (problem := await self._problem()) is not None:
            pause_s = next(pauses)
            if pause_s == BACKOFF.limit_s:
                log.warning("teams_unreachable", problem=problem)
            await asyncio.sleep(pause_s)
        log.info("teams_reached")

    async def _problem(self) -> str | None:
        try:
            await self._reach()
        except DeliveryError as exc:
            return exc.message
        return None


def build(settings: Settings, metrics: BotMetrics) -> TeamsAdapter:
    return TeamsAdapter(settings, metrics)


def check(settings: TeamsSettings) -> None:
    """Raises ConfigError."""
    if settings.missing:
        raise ConfigError(f"{settings.missing} is not set: docs/teams.md says where to find it")
    if settings.allow_unauthenticated and not is_loopback(settings.host):
        raise ConfigError(
            f"TEAMS_ALLOW_UNAUTHENTICATED lets anybody speak for Microsoft, so it is accepted only on this machine: "
            f"TEAMS_HOST is {settings.host}; set it to 127.0.0.1, or unset TEAMS_ALLOW_UNAUTHENTICATED"
        )


def hosts_of(settings: TeamsSettings) -> Hosts:
    """Where the login is on this machine, as in tests, the connector may be as well."""
    login = split(settings.login_url or "")
    local = login is not None and is_loopback(login.hostname or "")
    configured = [settings.login_url] if settings.login_url else []
    alone = settings.allow_unauthenticated
    return Hosts(configured, loopback=alone or local, microsoft=not alone)


def credentials_of(settings: TeamsSettings, http: httpx.AsyncClient) -> Credentials | None:
    """None: nothing is signed, and nobody is asked who they are."""
    if settings.allow_unauthenticated:
        return None
    if not (settings.app_id and settings.app_password and settings.tenant_id):
        raise ConfigError("TEAMS_APP_ID, TEAMS_APP_PASSWORD and TEAMS_TENANT_ID are needed: see docs/teams.md")
    if settings.login_url and split(settings.login_url) is None:
        raise ConfigError("TEAMS_LOGIN_URL is no URL: leave it empty for Microsoft's own")
    authority = platforms.microsoft_authority(settings.login_url, settings.tenant_id)
    password = settings.app_password.get_secret_value()
    return Credentials(http, settings.app_id, password, authority, settings.oauth_scope)


def same_url(told: str, said: str | None) -> bool:
    return told.rstrip("/").casefold() == (said or "").rstrip("/").casefold()


async def body_of(request: web.Request) -> bytes:
    if request.content_length is not None and request.content_length > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT_BYTES, request.content_length)
    body = await request.read()
    if len(body) > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT_BYTES, len(body))
    return body


def unavailable() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)})
