"""Builds the web application, with every route and middleware, and serves it until it is drained."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import structlog
from aiohttp import web
from prometheus_client.registry import Collector

from core.access.key_store import ApiKeyStore
from core.administration.desk import AdministrationDesk
from core.configuration.setting_sections import WebSettings
from core.configuration.settings import Settings
from core.contract import Engine
from core.local_time import local_clock
from core.openai.public.embeddings import PublicEncoder
from core.rag.embeddings import CountingEmbedder, LocalEmbedder
from core.rag.facts.editing import FactsEditing
from core.rag.facts.schedule import RefreshSchedule
from core.runtime.addresses import listen_url
from core.runtime.http_server import listen_error, serve_app
from web import middleware, origin_guard, status
from web.about import AboutPages
from web.admin.access import AdminAccess
from web.admin.endpoints import AdminEndpoints
from web.client_identity import ClientIdentity
from web.conversations import ConversationEndpoints
from web.facts import FactsEndpoints, FactsMetrics
from web.file_upload import FileUpload
from web.gpt import gpt
from web.gpt_form import GptForm, redirect_to_form
from web.identity.caller import find_names, require_known_people
from web.identity.keys import KEYS, KeyRing, parse_required
from web.identity.limits import CallerLimits
from web.mounting import MountedRouter
from web.page_reading import PageReading
from web.running_answers import RUNNING_ANSWERS, RunningAnswers
from web.service import SERVICE, DrainGate, Service, WebLimits, WebMetrics
from web.sockets import gpt_socket
from web.static_files import STATIC, StaticFiles
from web.toil import check, toil
from web.toil_batch import toil_batch
from web.v1.cross_origin import share
from web.v1.embeddings import ENCODER
from web.v1.routes import add_v1_routes

log = structlog.get_logger()

PAGES = Path(__file__).resolve().parent / "pages"
DOCUMENTS = {"/": "index.html", "/toil": "toil.html"}
CANCEL_S = 0.5  # for handlers that are cancelled after the drain


def create_app(
    engine: Engine,
    settings: Settings,
    limits: WebLimits | None = None,
    pages: Path = PAGES,
    *,
    editing: FactsEditing | None = None,
    schedule: RefreshSchedule | None = None,
    metrics: Sequence[Collector] = (),
    encoder: CountingEmbedder | None = None,
    desk: AdministrationDesk | None = None,
    keys: ApiKeyStore | None = None,
) -> web.Application:
    """`metrics`: further ones for /metrics. `encoder`: the bundled one; None: in this process. `desk`: None where
    nobody administers. `keys`: None where nobody has keys.

    Raises ConfigError for an invalid WEB_ORIGINS, WEB_PREFIX, WEB_TRUSTED or WEB_KEYS_REQUIRED, or a half-set
    WEB_USER_HEADER.
    """
    limits = limits or WebLimits(batch_rows=settings.model.slots)
    app = web.Application(
        middlewares=[middleware.observe, middleware.translate, middleware.admit, middleware.identify],
        client_max_size=settings.web.body_limit_bytes,
    )
    gate = DrainGate(settings.web.connections, settings.web.drain_s, limits.retry_after_s)
    require_known_people(settings.web)
    identity = ClientIdentity.parse(settings.web.trusted)
    ring = app[KEYS] = KeyRing(keys, parse_required(settings.web.keys_required))
    callers = CallerLimits(ring, settings.web.person_rate, settings.web.person_tokens_per_day)
    app[SERVICE] = Service(engine, settings.web, limits, gate, WebMetrics(), identity, callers)
    answers = app[RUNNING_ANSWERS] = RunningAnswers(app[SERVICE])
    app.on_shutdown.append(lambda _app: answers.close())
    app[ENCODER] = PublicEncoder(encoder or LocalEmbedder(threads=1))
    app[middleware.GUARD] = origin_guard.build_guard(settings.web.host, settings.web.origins)
    app.on_response_prepare.extend([middleware.add_headers, middleware.bound_sending, share])
    if schedule is not None:
        app[SERVICE].metrics.registry.register(FactsMetrics(schedule))
    for each in metrics:
        app[SERVICE].metrics.registry.register(each)
    files = FileUpload(limits.files)
    static = app[STATIC] = StaticFiles(pages, settings.web.prefix)
    app.on_startup.append(static.load)
    router = MountedRouter(app.router, settings.web.prefix)
    add_routes(router, static, files, FactsEndpoints(editing, files))
    about = AboutPages(static, settings)
    for path in ("/about/{paper}", "/about/{language}/{paper}"):
        router.add_get(path, about.show)
    add_conversation_routes(router, ConversationEndpoints(timedelta(days=settings.data.keep_days)))
    if desk is not None:
        add_admin_routes(router, settings, desk, static)
    return app


def add_routes(router: MountedRouter, pages: StaticFiles, files: FileUpload, facts: FactsEndpoints) -> None:
    for path, document in DOCUMENTS.items():
        router.add_get(path, pages.document(document))
    router.add_get("/static/{path:.*}", pages.file)
    form = GptForm(pages)
    router.add_get("/gpt", form.show)
    router.add_route("POST", "/gpt", form.answer)
    router.add_get("/gpt/", redirect_to_form)
    # Without HEAD: it would generate a whole answer and discard it.
    for method, path, handler in (
        ("GET", "/gpt-socket/{personality}", gpt_socket),
        ("GET", "/gpt/{personality}", gpt),
        ("POST", "/gpt/{personality}", gpt),
        ("POST", "/toil/{personality}", toil),
        ("POST", "/toil/{personality}/batch", toil_batch),
        ("POST", "/toil/{personality}/check", check),
        ("GET", "/read", files.limits),
        ("POST", "/read", files.read),
        ("POST", "/read/page", PageReading().read),
        ("GET", "/facts", facts.collections),
        ("POST", "/facts/{collection}", facts.add),
        ("GET", "/describe", status.describe_all),
        ("GET", "/describe/{personality}", status.describe),
        ("GET", "/healthz", status.healthz),
        ("GET", "/readyz", status.readyz),
        ("GET", "/metrics", status.metrics),
    ):
        router.add_route(method, path, handler)
    add_v1_routes(router, files)


def add_admin_routes(router: MountedRouter, settings: Settings, desk: AdministrationDesk, files: StaticFiles) -> None:
    router.add_route("GET", "/metrics/all", status.AllMetrics(desk.process_metrics).show)
    access = AdminAccess(settings.admin, find_names)
    AdminEndpoints(access, desk, files, local_clock(settings.time.zone)).add_routes(router)


def add_conversation_routes(router: MountedRouter, endpoints: ConversationEndpoints) -> None:
    for method, path, handler in (
        ("GET", "/conversations", endpoints.list),
        ("DELETE", "/conversations", endpoints.delete_all),
        ("GET", "/conversations/{conversation}", endpoints.show),
        ("PATCH", "/conversations/{conversation}", endpoints.change),
        ("DELETE", "/conversations/{conversation}", endpoints.delete),
        ("POST", "/conversations/{conversation}/ratings", endpoints.rate),
    ):
        router.add_route(method, path, handler)


@asynccontextmanager
async def serve(app: web.Application, settings: WebSettings) -> AsyncIterator[str]:
    """Serves while the block runs. Yields the URL, with the real port for port 0.

    On leaving, it is not ready for `settings.notice_s`, then refuses new requests, lets running ones finish within
    `settings.drain_s`, and closes the rest.
    Raises ConfigError if it cannot listen on the address.
    """
    host, port = settings.host, settings.port
    async with serve_app(
        app,
        lambda runner: web.TCPSite(runner, host, port),
        lambda exc: listen_error(exc, host, port, "HOST", "PORT"),
        middleware.build_refusals(app[SERVICE]),
        handler_cancellation=True,  # a client that disconnects frees its slot
        keepalive_timeout=settings.read_timeout_s,  # also bounds the arrival of a request's head
        max_line_size=app[SERVICE].limits.line_bytes,
        shutdown_timeout=CANCEL_S,
    ) as site:
        try:
            yield listen_url(host, site.port)
        finally:
            await drain(app[SERVICE], app[RUNNING_ANSWERS], settings.notice_s)


async def drain(service: Service, answers: RunningAnswers, notice_s: float) -> None:
    """`notice_s`: until a balancer, which asks /readyz, sends no more requests."""
    service.gate.end()
    with suppress(TimeoutError):
        async with asyncio.timeout(notice_s):
            await service.gate.stopping.wait()
    service.gate.stop()
    try:
        async with asyncio.timeout(service.gate.drain_s + service.limits.grace_s):
            await answers.drain(service.gate.drain_s)
            await service.gate.wait_idle()
    except TimeoutError:
        log.warning("drain_timed_out", active=service.gate.active)
