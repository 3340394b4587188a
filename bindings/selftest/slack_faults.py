"""Faults that the stand-in for Slack injects into calls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web


@dataclass
class Trouble:
    """A scripted failure of one call. With `done`, the call takes effect first."""

    status: int = 200
    error: str = "internal_error"
    retry_after_s: str | None = None
    done: bool = False
    needed: str | None = None
    cut: bool = False  # breaks the connection
    raw: str | None = None  # a body that is not JSON


def trouble_response(request: web.Request, trouble: Trouble) -> web.StreamResponse:
    if trouble.cut:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.abort()
        return web.Response()
    headers = {} if trouble.retry_after_s is None else {"Retry-After": trouble.retry_after_s}
    if trouble.raw is not None:
        return web.Response(status=trouble.status, text=trouble.raw, content_type="text/html", headers=headers)
    answer = {"ok": False, "error": trouble.error, **({"needed": trouble.needed} if trouble.needed else {})}
    return web.json_response(answer, status=trouble.status, headers=headers)
