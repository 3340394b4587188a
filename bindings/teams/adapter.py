"""The adapter for Teams: its webhook, and the parts that it builds, connects and closes.

The webhook checks the content type, the token and the body of a call, and that the token vouches for the activity. It
acknowledges the call once the intake has stored it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import structlog
from aiohttp import web
from botbuilder.schema import Activity

from bindings.delivery.context import DeliveryContext, RetryPolicy
from bindings.delivery.outlet import CredentialsRefused, DeliveryError
from bindings.incoming import AttachedFile, IncomingMessage, Place, Platform, ThreadMessages
from bindings.intake.intake import Intake
from bindings.metrics import BotMetrics
from bindings.teams import activities, transport
from bindings.teams.connector import Connector
from bindings.teams.credentials import Credentials
from bindings.teams.files import FileConsents, PendingFiles, TeamsFiles
from bindings.teams.graph import GraphReader
from bindings.teams.mapping import MappingOptions
from bindings.teams.outlet import StopAnswer, TeamsOutlet
from bindings.teams.streaming import ChatStreams
from bindings.teams.transport import TrustedHosts, is_loopback, parse_url
from bindings.teams.turns import TurnHandler
from bindings.teams.webhook_auth import SigningKeys, TokenClaims, TokenRefused, TokenValidator
from core.configuration.platform_sections import TeamsSettings
from core.configuration.settings import Settings
from core.errors import BadRequest, ConfigError, CspsError
from core.microsoft_clouds import choose_endpoints, find_foreign_endpoints, trusted_clouds, url_host
from core.microsoft_login import check_credential
from core.runtime.background_tasks import BackgroundTasks
from core.runtime.backoff import NO_JITTER, Backoff

log = structlog.get_logger()

PATH = "/api/messages"
BODY_LIMIT_BYTES = 1 << 19
RETRY_AFTER_S = 5
BACKOFF = Backoff(first_s=1.0, limit_s=60.0, jitter=NO_JITTER)
BACKGROUND_CONCURRENCY, BACKGROUND_LIMIT = 4, 204  # greetings and accepted files: 4 run, 200 wait
UPLOAD_RETRY = RetryPolicy(give_up_after_s=60.0)  # a person waits, and so do other background tasks


class TeamsAdapter:
    """Implements `bindings.hosting.process.Adapter`."""

    def __init__(self, settings: Settings, metrics: BotMetrics) -> None:
        """Raises ConfigError if a secret is missing, or if callers are not checked on a public address."""
        self._settings = section = settings.teams
        self._metrics = metrics
        self._http = transport.build_client()
        self._credentials = build_credentials(section, self._http)
        self._hosts = build_trusted_hosts(section)
        endpoints = choose_endpoints(section)
        self._keys = SigningKeys(self._http, endpoints.openid_metadata_url)
        self._validator = TokenValidator(self._keys, section.app_id or "", endpoints.token_issuer)
        self._connector = Connector(self._http, self._credentials, self._hosts)
        self._graph = self._build_graph()
        self._files = TeamsFiles(self._http, self._credentials, self._hosts, self._graph)
        self._pending = PendingFiles(settings.data_folder / "parcels" / "teams")
        self._tasks = BackgroundTasks(concurrency=BACKGROUND_CONCURRENCY, limit=BACKGROUND_LIMIT)
        self._intake: Intake | None = None
        self._turns: TurnHandler | None = None
        streams = ChatStreams(time.monotonic)
        self.platform: Platform = TeamsPlatform(
            self._connector, self._files, streams, self._pending, self._stop_answer, self._graph
        )

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return [web.post(PATH, self.receive)]

    async def connect(self, intake: Intake) -> None:
        """Raises ConfigError if Microsoft rejects the bot. If Microsoft is unreachable, events are accepted anyway."""
        self._intake = intake
        context = DeliveryContext(retry=UPLOAD_RETRY)
        consents = FileConsents(self._connector, self._files, self._pending, self._hosts, context)
        options = MappingOptions(self._settings.tenant_id, self._graph.file_address if self._graph else None)
        self._turns = TurnHandler(intake, self._connector, consents, self._tasks, options)
        if self._credentials is None:
            log.warning("teams_unauthenticated", host=self._settings.host)
        try:
            await self._log_in()
        except CredentialsRefused as exc:
            raise ConfigError(exc.message) from exc
        except DeliveryError as exc:
            log.warning("teams_unreachable", problem=exc.message)

    async def run(self) -> None:
        """Logs in, with growing pauses between attempts; logs failures once the pauses reach their limit."""
        for pause_s in BACKOFF.pauses():
            try:
                await self._log_in()
                break
            except DeliveryError as exc:
                if pause_s == BACKOFF.limit_s:
                    log.warning("teams_unreachable", problem=exc.message)
                await asyncio.sleep(pause_s)
        log.info("teams_connected")
        await asyncio.Event().wait()

    async def stop_taking(self) -> None:
        """Does nothing: the webhook server answers 503 from now on."""

    async def close(self) -> None:
        await self._tasks.close()
        await self._http.aclose()

    async def receive(self, request: web.Request) -> web.Response:
        """Handles POST /api/messages."""
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        claims = await self._authenticate(request)
        try:
            activity = activities.parse_activity(await read_body(request))
        except BadRequest as exc:
            log.info("activity_malformed", problem=exc.message)
            raise web.HTTPBadRequest from exc
        self._authorize(activity, claims)
        return await self._handle(activity)

    async def _authenticate(self, request: web.Request) -> TokenClaims | None:
        """Returns None with TEAMS_ALLOW_UNAUTHENTICATED, where any program on this machine may call."""
        if self._credentials is None:
            return None
        try:
            return await self._validator.validate(request.headers.get("Authorization"))
        except TokenRefused as exc:
            log.info("token_refused", problem=exc.message)
            raise web.HTTPUnauthorized from exc
        except DeliveryError as exc:
            raise service_unavailable() from exc

    def _authorize(self, activity: Activity, claims: TokenClaims | None) -> None:
        """Raises HTTPForbidden unless the token vouches for the activity, and the tenant is the configured one."""
        problem, tenant = "", self._settings.tenant_id
        if not self._hosts.is_connector(activity.service_url or ""):
            problem = "the service URL is not Microsoft's"
        elif claims is not None and not is_same_url(claims.service_url, activity.service_url or ""):
            problem = "the service URL differs from the token's"
        elif claims is not None and claims.channels and activity.channel_id not in claims.channels:
            problem = "the token's key is not endorsed for the channel"
        elif tenant is not None and activities.tenant_id(activity).casefold() != tenant.casefold():
            problem = "the tenant is not TEAMS_TENANT_ID"
        if problem:
            log.warning("activity_refused", problem=problem, host=transport.url_host(activity.service_url or ""))
            raise web.HTTPForbidden

    async def _handle(self, activity: Activity) -> web.Response:
        assert self._turns is not None, "the webhook server opens after connect"
        try:
            response = await self._turns.handle(activity)
        except CspsError as exc:
            # Teams delivers an activity again that is not acknowledged.
            log.warning("activity_failed", code=exc.code, problem=exc.message)
            raise service_unavailable() from exc
        if response is None:
            return web.Response(status=202)
        return web.json_response(response.body or {}, status=response.status)

    def _build_graph(self) -> GraphReader | None:
        """Returns None unless TEAMS_GRAPH is on. The bot logs in to Graph as to the connector, with another scope."""
        section = self._settings
        if not section.graph:
            return None
        url = choose_endpoints(section).graph_url
        credentials = build_credentials(section.model_copy(update={"oauth_scope": url}), self._http)
        return GraphReader(self._http, url, credentials, self._credentials, self._hosts, section.app_id or "")

    async def _stop_answer(self, place: Place, ref: str) -> None:
        assert self._intake is not None, "answers are written after connect"
        await self._intake.stop_answer(place, ref)

    async def _log_in(self) -> None:
        """Fetches a token and the signing keys. Raises DeliveryError."""
        if self._credentials is not None:
            await self._credentials.token()
            await self._keys.prepare()
        self._metrics.connected.set(1)


@dataclass
class TeamsPlatform:
    """Implements `bindings.incoming.Platform`."""

    connector: Connector
    files: TeamsFiles
    streams: ChatStreams
    pending: PendingFiles
    stop_answer: StopAnswer
    graph: GraphReader | None = None
    name: str = "teams"

    def outlet(self, incoming: IncomingMessage) -> TeamsOutlet:
        return TeamsOutlet(incoming, self.connector, self.streams, self.pending, self.stop_answer)

    async def thread_messages(self, incoming: IncomingMessage) -> ThreadMessages:
        """Returns nothing without TEAMS_GRAPH: the connector gives no messages."""
        return await self.graph.thread_messages(incoming) if self.graph else ThreadMessages()

    async def fetch(self, file: AttachedFile, limit_bytes: int) -> bytes:
        return await self.files.fetch(file.url, limit_bytes)

    async def forget(self, place: Place) -> None:
        await self.pending.remove_conversation(place.route["conversation"])

    async def purge(self) -> None:
        await self.pending.purge()


def build(settings: Settings, metrics: BotMetrics) -> TeamsAdapter:
    return TeamsAdapter(settings, metrics)


def build_trusted_hosts(settings: TeamsSettings) -> TrustedHosts:
    """Trusts connectors on this machine only in the playground, or if the login service is there, as in tests."""
    if settings.allow_unauthenticated:
        return TrustedHosts((), loopback=True)
    return TrustedHosts(trusted_clouds(settings), loopback=is_loopback(url_host(settings.login_url or "")))


def build_credentials(settings: TeamsSettings, http: httpx.AsyncClient) -> Credentials | None:
    """Returns None if callers are not checked and calls carry no token. Raises ConfigError."""
    if settings.allow_unauthenticated:
        if not is_loopback(settings.host):
            raise ConfigError(
                "TEAMS_ALLOW_UNAUTHENTICATED lets any caller act as Microsoft, so it is accepted only on this machine: "
                f"TEAMS_HOST is {settings.host}; set it to 127.0.0.1, or unset TEAMS_ALLOW_UNAUTHENTICATED"
            )
        return None
    check_credential(settings)
    if settings.login_url and parse_url(settings.login_url) is None:
        raise ConfigError("TEAMS_LOGIN_URL is not a URL: leave it empty for Microsoft's own")
    if foreign := find_foreign_endpoints(settings):
        names = ", ".join(each.variable for each in foreign)
        log.warning("teams_cloud_mixed", cloud=settings.cloud, variables=names)
    return Credentials(http, settings)


def is_same_url(first: str, second: str) -> bool:
    return first.rstrip("/").casefold() == second.rstrip("/").casefold()


async def read_body(request: web.Request) -> bytes:
    """Raises HTTPRequestEntityTooLarge, before it reads the body if the length is known."""
    if request.content_length is not None and request.content_length > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT_BYTES, request.content_length)
    body = await request.read()
    if len(body) > BODY_LIMIT_BYTES:
        raise web.HTTPRequestEntityTooLarge(BODY_LIMIT_BYTES, len(body))
    return body


def service_unavailable() -> web.HTTPServiceUnavailable:
    return web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)})
