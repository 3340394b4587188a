"""Puts the web application together: every route, and what stands before it. All wiring of the process is here."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from core.configuration.settings import Settings
from core.contract import Engine
from web import edge, guard, openai, status
from web.gpt import gpt
from web.life import Life
from web.limits import Limits
from web.metrics import Metrics
from web.peers import Peers
from web.read import Files
from web.service import SERVICE, Service
from web.sockets import gpt_socket
from web.static import Pages
from web.toil import check, toil
from web.toil_batch import toil_batch

PAGES = Path(__file__).resolve().parent / "pages"


def create_app(
    engine: Engine, settings: Settings, limits: Limits | None = None, pages: Path = PAGES
) -> web.Application:
    """Raises ConfigError for a WEB_ORIGINS or WEB_TRUSTED that cannot be meant."""
    limits = limits or Limits(batch_rows=settings.model.slots)
    app = web.Application(
        middlewares=[edge.observe, edge.translate, edge.admit], client_max_size=settings.web.body_limit_bytes
    )
    life = Life(settings.web.connections, settings.web.drain_s, limits.retry_after_s)
    app[SERVICE] = Service(engine, settings.web, limits, life, Metrics(), Peers.of(settings.web.trusted))
    app[edge.GUARD] = guard.build(settings.web.host, settings.web.origins)
    app.on_response_prepare.extend([edge.add_headers, edge.bound_sending])
    add_routes(app, Pages(pages), Files(limits.files))
    return app


def add_routes(app: web.Application, pages: Pages, files: Files) -> None:
    router = app.router
    router.add_get("/", pages.start)
    router.add_get("/static/{path:.*}", pages.file)
    # Without HEAD: it would write a whole answer and throw it away.
    for method, path, handler in (
        ("GET", "/gpt-socket/{personality}", gpt_socket),
        ("GET", "/gpt/{personality}", gpt),
        ("POST", "/gpt/{personality}", gpt),
        ("POST", "/toil/{personality}", toil),
        ("POST", "/toil/{personality}/batch", toil_batch),
        ("POST", "/toil/{personality}/check", check),
        ("GET", "/read", files.limits),
        ("POST", "/read", files.read),
        ("POST", "/v1/chat/completions", openai.chat_completions),
        ("GET", "/v1/models", openai.models),
        ("GET", "/v1/models/{personality}", openai.one_model),
        ("GET", "/describe", status.describe_all),
        ("GET", "/describe/{personality}", status.describe),
        ("GET", "/healthz", status.healthz),
        ("GET", "/readyz", status.readyz),
        ("GET", "/metrics", status.metrics),
    ):
        router.add_route(method, path, handler)
