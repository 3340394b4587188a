"""Finds the caller of each request, once, before its handler runs."""

from __future__ import annotations

from aiohttp import web

from web.identity.caller import CALLER, Caller, read_proxy_headers
from web.service import SERVICE, Handler


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    service = request.app[SERVICE]
    request[CALLER] = Caller(read_proxy_headers(request, service.settings, service.identity))
    return await handler(request)
