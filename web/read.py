"""/read: a file in, its text out, to be attached to a prompt. Nothing is kept.

How files are read is the engine's matter; here is only how many of them, how large and how long on their way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from core import strict_json
from core.errors import Overloaded, ParameterRefused
from core.runtime.keyed_limiter import KeyedLimiter
from web import body
from web.problems import MediaTypeRefused
from web.service import SERVICE, Service

NAME_LIMIT_CHARS = 255  # of file systems
FOLDERS = re.compile(r"[/\\]")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class Files:
    """`at_once`: how many are held in memory; the others wait where they come from.

    Nobody has more than half of the places, however slowly their files arrive.
    """

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._per_user: KeyedLimiter[None] = KeyedLimiter(max(1, at_once // 2))

    async def limits(self, request: web.Request) -> web.Response:
        """GET /read: how much can be sent, so that nobody has to send it to learn that it is too much."""
        settings = request.app[SERVICE].settings
        return web.json_response(
            {"file_limit_bytes": settings.file_limit_bytes, "prompt_limit_bytes": settings.body_limit_bytes}
        )

    async def read(self, request: web.Request) -> web.Response:
        """POST /read?name=report.pdf."""
        service = request.app[SERVICE]
        name = name_of(request)
        check_file(request)
        async with self._place(service, service.user_of(request)):
            file = await service.engine.read(name, await body_of(request, service), request.content_type)
        answer = strict_json.dump({"name": file.name, "text": file.text, "cut": file.cut})
        return web.Response(body=answer, content_type="application/json")

    @asynccontextmanager
    async def _place(self, service: Service, user: str) -> AsyncIterator[None]:
        """Raises Overloaded when there is none for as long as a request may take to arrive."""
        async with AsyncExitStack() as places:
            try:
                async with asyncio.timeout(service.settings.read_timeout_s):
                    await places.enter_async_context(self._per_user.slot(user))
                    await places.enter_async_context(self._places)
            except TimeoutError as exc:
                busy = "too many files are being read at once"
                raise Overloaded(busy, retry_after_s=service.limits.retry_after_s) from exc
            yield


async def body_of(request: web.Request, service: Service) -> bytes:
    """Raises TooLarge, TooSlow, BadRequest. It has to come as fast as other bodies must, and no faster."""
    settings = service.settings
    length = min(request.content_length or settings.file_limit_bytes, settings.file_limit_bytes)
    times = max(1.0, length / settings.body_limit_bytes)
    return await body.whole(request, settings.file_limit_bytes, settings.read_timeout_s * times)


def name_of(request: web.Request) -> str:
    """The last part of a path, on one line, without what could make it look like another. Raises ParameterRefused."""
    given = body.form_field(request.raw_path.partition("?")[2], "name")
    shown = "".join(char for char in FOLDERS.split(given)[-1] if char.isprintable())
    name = " ".join(shown.split())
    if not name.strip("."):
        raise ParameterRefused("send the file's name as the URL-encoded parameter `name`", "name")
    if len(name) > NAME_LIMIT_CHARS:
        raise ParameterRefused(f"`name` may have at most {NAME_LIMIT_CHARS} characters", "name")
    return name


def check_file(request: web.Request) -> None:
    """Raises MediaTypeRefused."""
    if request.content_type in FORMS:
        raise MediaTypeRefused("send the file itself as the body, and its own media type as Content-Type; not a form")
    body.check_uncompressed(request)
