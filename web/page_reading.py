"""/read/page: the address of a page, feed or file of the Web in; what an answer would be based on out.

Bounds the number of requests by client. The engine fetches; neither the address nor the text is logged or stored here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from core import strict_json
from core.contract import Language
from core.errors import FetchFailed, FetchRefused, Overloaded, UnreadableDocument
from core.runtime.keyed_limiter import KeyedLimiter
from core.runtime.rate_limit import RateLimit
from core.texts import error_text
from web import problems, request_body
from web.service import SERVICE

URL_LIMIT_CHARS = 2020  # of an address that can begin a prompt
PAGES_AT_ONCE = 8
PAGES_AT_ONCE_OF_A_CLIENT = 2
PAGES_A_MINUTE_OF_A_CLIENT = 30


class PageRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    url: str = Field(min_length=1, max_length=URL_LIMIT_CHARS)
    language: Language = "en"  # of the reason for a person


class PageReading:
    """One per process. Without bounds, anybody could have this service visit sites much faster than by asking."""

    def __init__(self) -> None:
        self._rate = RateLimit(PAGES_A_MINUTE_OF_A_CLIENT, 60)
        self._of_client: KeyedLimiter[None] = KeyedLimiter(PAGES_AT_ONCE_OF_A_CLIENT)
        self._all = asyncio.Semaphore(PAGES_AT_ONCE)

    async def read(self, request: web.Request) -> web.Response:
        """POST /read/page."""
        service = request.app[SERVICE]
        fields = await request_body.read_json(request, PageRequest)
        try:
            async with self._slot(service.user_id(request)):
                page = await service.engine.read_page(fields.url)
        except (FetchRefused, FetchFailed, UnreadableDocument, Overloaded) as exc:
            service.metrics.count_error(exc)
            return problems.build_response(exc, "problem", error_text(exc, fields.language))
        return web.Response(body=strict_json.dump(asdict(page)), content_type="application/json")

    @asynccontextmanager
    async def _slot(self, client: str) -> AsyncIterator[None]:
        """Raises Overloaded for a client that asks too often. Others wait for those before them."""
        if wait_s := self._rate.take(client):
            busy = f"a client may have {PAGES_A_MINUTE_OF_A_CLIENT} pages read a minute"
            raise Overloaded(busy, retry_after_s=wait_s)
        async with AsyncExitStack() as slots:
            await slots.enter_async_context(self._of_client.slot(client))
            await slots.enter_async_context(self._all)
            yield
