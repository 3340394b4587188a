"""Lets pages of the origins in WEB_ORIGINS read the answers of /v1 (the Fetch standard's CORS). Without credentials.

The origin guard refuses the requests of other pages before they are answered.
"""

from __future__ import annotations

import re

from aiohttp import web

from web.middleware import GUARD
from web.mounting import service_path

ASKED_HEADERS = re.compile(r"[A-Za-z0-9, _-]{1,2000}", re.ASCII)  # OpenAI's client sends about ten of its own
EXPOSED = "X-Request-Id, X-Ignored-Parameters, X-Personal-Information-Masked, Retry-After"
MAX_AGE_S = 600


async def share(request: web.Request, response: web.StreamResponse) -> None:
    """Adds the header that allows the page to read this response."""
    origin = request.headers.get("Origin")
    if origin is None or not service_path(request).startswith(("/v1/", "/openai/")):
        return
    if origin in request.app[GUARD].extra_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers.add("Vary", "Origin")


class Preflight:
    """OPTIONS of a path that takes `methods`."""

    def __init__(self, methods: str) -> None:
        self._methods = methods

    async def answer(self, request: web.Request) -> web.Response:
        """`share` adds the origin, without which a browser ignores the rest."""
        headers = {"Allow": self._methods}
        if "Access-Control-Request-Method" in request.headers:
            asked = request.headers.get("Access-Control-Request-Headers", "")
            headers["Access-Control-Allow-Methods"] = self._methods
            headers["Access-Control-Max-Age"] = str(MAX_AGE_S)
            if ASKED_HEADERS.fullmatch(asked):
                headers["Access-Control-Allow-Headers"] = asked
        return web.Response(status=204, headers=headers)
