"""A website on a free port of loopback, and a fetcher that may reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from core.rag.fetching.fetch import Fetcher

AGENT = "csps-llm/1 (+https://example.org/complaints)"
Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class WallClock:
    """A wall clock that the test sets."""

    def __init__(self) -> None:
        self.moment = datetime(2025, 6, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Website:
    """Serves pages by path, 404 elsewhere, and records requests."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[web.BaseRequest] = []
        self.origin = ""  # "127.0.0.1:port"

    def page(self, path: str, text: str = "", status: int = 200, **headers: str) -> None:
        """`max_age="1"` sets the header Max-Age."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(body=text.encode(), status=status, headers={"Content-Type": "text/html"} | named)

        self.pages[path] = answer

    def url(self, path: str) -> str:
        return f"http://{self.origin}{path}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        if request.path not in self.pages:
            return web.Response(status=404)
        return await self.pages[request.path](request)


@asynccontextmanager
async def website(**options: Any) -> AsyncIterator[Website]:
    site = Website()
    runner = web.ServerRunner(web.Server(site.handle, handler_cancellation=True), shutdown_timeout=0)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0, **options)
    await listener.start()
    host, port = runner.addresses[0][:2]
    site.origin = f"{host}:{port}"
    try:
        yield site
    finally:
        await runner.cleanup()


def fetcher(site: Website, folder: Path | None = None, **options: Any) -> Fetcher:
    return Fetcher(folder, (site.origin,), user_agent=AGENT, **options)
