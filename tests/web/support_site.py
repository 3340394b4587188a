"""A real web process on a free port, with a fake engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, web

from core.access.key_store import ApiKeyStore
from core.administration.desk import AdministrationDesk
from core.configuration.settings import Settings
from core.rag.embeddings import CountingEmbedder
from core.rag.facts.editing import FactsEditing
from core.rag.facts.schedule import RefreshSchedule
from tests.support.fake_engine import FakeEngine
from web.app import create_app, serve
from web.service import SERVICE, Service, WebLimits
from web.socket_frames import SUBPROTOCOL


@dataclass(frozen=True)
class Site:
    """`http` sends requests relative to the site's root; `url` ends in a slash."""

    url: str
    app: web.Application
    engine: FakeEngine
    http: ClientSession

    @property
    def service(self) -> Service:
        return self.app[SERVICE]

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def plain(
        self, personality: str = "whisper", **options: Any
    ) -> AbstractAsyncContextManager[ClientWebSocketResponse]:
        return self.http.ws_connect(f"/gpt-socket/{personality}", **options)

    def v1(self, personality: str = "whisper", **options: Any) -> AbstractAsyncContextManager[ClientWebSocketResponse]:
        return self.http.ws_connect(f"/gpt-socket/{personality}", protocols=(SUBPROTOCOL,), **options)

    def metric(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.service.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def site(
    settings: Settings,
    engine: FakeEngine | None = None,
    limits: WebLimits | None = None,
    *,
    editing: FactsEditing | None = None,
    schedule: RefreshSchedule | None = None,
    encoder: CountingEmbedder | None = None,
    desk: AdministrationDesk | None = None,
    keys: ApiKeyStore | None = None,
    **web_settings: Any,
) -> AsyncIterator[Site]:
    """Stops without a drain time, because some tests leave answers unfinished on purpose."""
    engine = engine or FakeEngine()
    changed = settings.web.model_copy(update={"port": 0, "drain_s": 0.0, **web_settings})
    app = create_app(
        engine,
        settings.model_copy(update={"web": changed}),
        limits,
        editing=editing,
        schedule=schedule,
        encoder=encoder,
        desk=desk,
        keys=keys,
    )
    async with serve(app, changed) as url, ClientSession(base_url=url) as http:
        yield Site(url, app, engine, http)


async def receive_answer(socket: ClientWebSocketResponse) -> list[str]:
    """A plain socket's frames up to, and without, `<END>`."""
    frames = []
    while (frame := await socket.receive_str()) != "<END>":
        frames.append(frame)
    return frames


async def receive_until(socket: ClientWebSocketResponse, *kinds: str) -> list[dict[str, Any]]:
    """A v1 socket's frames up to, and with, the first one of `kinds`."""
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] not in kinds:
        frames.append(await socket.receive_json())
    return frames
