"""Serves everything at the root and under WEB_PREFIX: a proxy may remove the prefix from requests or leave it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from core.errors import ConfigError
from web.service import SERVICE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class MountedRouter:
    """Adds each route twice if there is a prefix."""

    def __init__(self, router: web.UrlDispatcher, prefix: str) -> None:
        self._router = router
        self._prefix = prefix
        if prefix:
            self._router.add_get(prefix, redirect_to_folder)

    def add_route(self, method: str, path: str, handler: Handler) -> None:
        """Raises ConfigError if the prefix is a path of the service itself: one address would have two meanings."""
        if self._prefix and first_part(path) == first_part(self._prefix):
            raise ConfigError(f"WEB_PREFIX: {first_part(path)} is a path of the service itself; choose another one")
        self.add_hint(method, path, handler)

    def add_hint(self, method: str, path: str, handler: Handler) -> None:
        """Adds a route whose handler only says which path is right: the prefix may hide it."""
        for prefix in dict.fromkeys(("", self._prefix)):
            self._router.add_route(method, prefix + path, handler)

    def add_get(self, path: str, handler: Handler) -> None:
        """Adds a route that also answers HEAD."""
        self.add_route("GET", path, handler)
        self.add_route("HEAD", path, handler)


async def redirect_to_folder(request: web.Request) -> web.StreamResponse:
    """GET /chat: the page's addresses are relative to /chat/."""
    folder = request.path.rpartition("/")[2] + "/"
    query = f"?{request.query_string}" if request.query_string else ""
    return web.Response(status=302, headers={"Location": folder + query})


def first_part(path: str) -> str:
    return "/" + path.split("/")[1]


def service_path(request: web.Request) -> str:
    """The path of a request without WEB_PREFIX."""
    return without_prefix(request.path, request.app[SERVICE].settings.prefix)


def without_prefix(path: str, prefix: str) -> str:
    return path.removeprefix(prefix) if prefix and path.startswith(f"{prefix}/") else path
