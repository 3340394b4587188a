"""/read: a file in, its text out. Limits number, size and time; the engine reads the file, and nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict

from aiohttp import web

from core import strict_json
from core.contract import Attachment
from core.errors import Overloaded, ParameterRefused
from core.openai.public.input_files import InputFile, read_files
from core.runtime.file_names import clean_name
from core.runtime.keyed_limiter import KeyedLimiter
from web import request_body
from web.problems import MediaTypeRefused
from web.service import SERVICE, Service

NAME_LIMIT_CHARS = 255  # of file systems
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class FileUpload:
    """`limit`: files in memory at once; other uploads wait. No user has over half of the slots, even a slow one."""

    def __init__(self, limit: int) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._per_user: KeyedLimiter[None] = KeyedLimiter(max(1, limit // 2))

    async def limits(self, request: web.Request) -> web.Response:
        """GET /read: the size limits, so that a client need not send a file to learn that it is too large."""
        settings = request.app[SERVICE].settings
        return web.json_response(
            {"file_limit_bytes": settings.file_limit_bytes, "prompt_limit_bytes": settings.body_limit_bytes}
        )

    async def read(self, request: web.Request) -> web.Response:
        """POST /read?name=report.pdf."""
        service = request.app[SERVICE]
        name = parse_name(request)
        check_media_type(request)
        async with self.slot(service, service.user_id(request)):
            file = await service.engine.read(name, await read_file(request, service), request.content_type)
        answer = strict_json.dump(asdict(file))
        return web.Response(body=answer, content_type="application/json")

    async def read_all(self, service: Service, files: Sequence[InputFile], user: str) -> tuple[Attachment, ...]:
        """The texts of files that came within a request. Raises UnreadableDocument, Overloaded."""
        if not files:
            return ()
        async with self.slot(service, user):
            return await read_files(service.engine, files)

    @asynccontextmanager
    async def slot(self, service: Service, user: str) -> AsyncIterator[None]:
        """Raises Overloaded if no slot becomes free within the read timeout."""
        async with AsyncExitStack() as slots:
            try:
                async with asyncio.timeout(service.settings.read_timeout_s):
                    await slots.enter_async_context(self._per_user.slot(user))
                    await slots.enter_async_context(self._slots)
            except TimeoutError as exc:
                busy = "too many files are being read at once"
                raise Overloaded(busy, retry_after_s=service.limits.retry_after_s) from exc
            yield


async def read_file(request: web.Request, service: Service) -> bytes:
    """Gives a file the same time per byte as other bodies. Raises BodyTooLarge, BodyTimeout, BadRequest."""
    settings = service.settings
    length = min(request.content_length or settings.file_limit_bytes, settings.file_limit_bytes)
    factor = max(1.0, length / settings.body_limit_bytes)
    return await request_body.read_bytes(request, settings.file_limit_bytes, settings.read_timeout_s * factor)


def parse_name(request: web.Request) -> str:
    """The last part of a path, on one line, without unprintable characters. Raises ParameterRefused."""
    name = clean_name(request_body.parse_form_field(request.raw_path.partition("?")[2], "name"))
    if not name:
        raise ParameterRefused("send the file's name as the URL-encoded parameter `name`", "name")
    if len(name) > NAME_LIMIT_CHARS:
        raise ParameterRefused(f"`name` may have at most {NAME_LIMIT_CHARS} characters", "name")
    return name


def check_media_type(request: web.Request) -> None:
    """Raises MediaTypeRefused."""
    if request.content_type in FORMS:
        raise MediaTypeRefused("send the file itself as the body, and its own media type as Content-Type; not a form")
    request_body.check_uncompressed(request)
