"""Answers malformed and half-sent requests in our own form. aiohttp alone sends its banner and page, or nothing.

aiohttp has no public hook for this: the classes here override methods of its runner, server and request handler, and
read `_messages`, `_waiter` and `_next_keepalive_close_time`. Checked against aiohttp 3.14.5; the tests of this module
fail if another version works differently.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

SERVER_NAME = "csps-llm"
LINGER_S = 1.0  # for the rest of a refused request: a connection closed over unread data may lose the answer
EOF_GRACE_S = 0.5  # for the answer to a client that ended its side: most have gone, and their slots should be free
LINE_LIMIT_BYTES = 16_384  # above aiohttp's limit of a header, so that its errors tell the two apart
HEAD_START_BYTES = 1024
REQUEST_LINE = re.compile(rb"\s*[A-Z]+ (/[^\s?#]*)")
VERSIONS = (HttpVersion10, HttpVersion11)
CONTINUE = "100-continue"
KEPT_HEADERS = (hdrs.ALLOW, hdrs.RETRY_AFTER)
TOO_MANY_HEADERS = "Too many headers received"  # aiohttp's message; the error has no class of its own


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that no handler gave. `path`: the path of the request, if it could be read."""

    status: int
    reason: str
    path: str = ""


BuildRefusal = Callable[[Refusal], web.Response]


class HeadTimeout(HttpProcessingError):
    code = HTTPStatus.REQUEST_TIMEOUT


class HeadIncomplete(HttpProcessingError):
    code = HTTPStatus.BAD_REQUEST


def problem_response(refusal: Refusal) -> web.Response:
    """Answers with problem details (RFC 9457)."""
    title = HTTPStatus(refusal.status).phrase
    body = {"type": "about:blank", "title": title, "status": refusal.status, "detail": refusal.reason}
    return web.json_response(body, status=refusal.status, content_type="application/problem+json")


def build_malformed(exc: HttpProcessingError, head: bytes, *, line_limit: int, timeout_s: float) -> Refusal:
    """Returns the refusal for an error of the parser. It quotes nothing of the request."""
    match = REQUEST_LINE.match(head)
    path = match[1].decode("latin-1") if match else ""
    if isinstance(exc, HeadTimeout):
        return Refusal(408, f"the head of the request did not arrive within {timeout_s:g} s", path)
    if isinstance(exc, LineTooLong) and exc.args[1] == line_limit:
        return Refusal(414, f"the path with its query may have at most {line_limit} bytes", path)
    if isinstance(exc, LineTooLong) or exc.message == TOO_MANY_HEADERS:
        return Refusal(431, "the header fields are too long, or too many", path)
    return Refusal(400, "the request is not well-formed HTTP", path)


class StrictRunner(web.AppRunner):
    """Runs an application whose malformed requests get the response of `build_refusal`."""

    def __init__(self, app: web.Application, build_refusal: BuildRefusal = problem_response, **options: Any) -> None:
        options.setdefault("max_line_size", LINE_LIMIT_BYTES)
        options.setdefault("lingering_time", LINGER_S)
        super().__init__(app, **options)
        self._build_refusal = build_refusal
        app.on_response_prepare.append(name_server)

    async def _make_server(self) -> web.Server:
        return StrictServer(await super()._make_server(), self._build_refusal)


async def name_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Replaces aiohttp's banner, which names its version and Python's."""
    response.headers.setdefault(hdrs.SERVER, SERVER_NAME)


class StrictServer(web.Server):
    """Has the connections of `server`, and answers what its application does not answer."""

    def __init__(self, server: web.Server, build_refusal: BuildRefusal) -> None:
        super().__init__(
            self._answer,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            **server._kwargs,
        )
        self._handle = server.request_handler
        self._build_refusal = build_refusal

    def __call__(self) -> RequestHandler:
        return StrictRequestHandler(self, loop=self._loop, **self._kwargs)

    def refuse(self, refusal: Refusal) -> web.Response:
        response = self._build_refusal(refusal)
        response.headers.setdefault(hdrs.SERVER, SERVER_NAME)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request._version not in VERSIONS:  # `version` would keep it for the answer
            request._version = HttpVersion10
            response = self.refuse(Refusal(400, "send the request as HTTP/1.1", request.path))
            response.force_close()
            return response
        if request.headers.get(hdrs.EXPECT, CONTINUE).lower() != CONTINUE:  # aiohttp's own refusal quotes the header
            return self.refuse(Refusal(417, f"an Expect header may only be {CONTINUE}", request.path))
        try:
            return await self._handle(request)
        except web.HTTPException as exc:  # of a router, or of a handler, if no middleware translated it
            if exc.status < HTTPStatus.BAD_REQUEST:
                raise
            response = self.refuse(Refusal(exc.status, exc.reason, request.path))
            response.headers.update({name: exc.headers[name] for name in KEPT_HEADERS if name in exc.headers})
            return response


class StrictRequestHandler(RequestHandler):
    """One connection. It closes after a malformed request, once the client had a moment to read the answer."""

    __slots__ = ("_body", "_eof", "_gone", "_head", "_malformed", "_server", "_unanswered")

    def __init__(self, server: StrictServer, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._body: StreamReader = EMPTY_PAYLOAD  # of the latest request
        self._head = b""  # the first bytes of a request whose head has not arrived whole
        self._unanswered = 0  # requests
        self._malformed = False  # what follows cannot be read
        self._eof = False
        self._gone: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        if self._malformed:
            return
        if self._upgraded or self._payload_parser is not None:
            super().data_received(data)
            return
        if not self._head and self._body.is_eof():
            self._head = data[:HEAD_START_BYTES]
            self._next_keepalive_close_time = self._loop.time() + self.keepalive_timeout
        count = self._request_count
        super().data_received(data)
        if self._request_count > count:
            self._unanswered += self._request_count - count
            self._take_message()

    def _take_message(self) -> None:
        message, payload = self._messages[-1]
        if not isinstance(message, _ErrInfo):
            self._body, self._head = payload, b""
        elif self._body.is_eof():
            self._malformed = True
        else:  # the parser leaves the handler waiting for the rest of this body
            self._messages.pop()
            self._unanswered -= 1
            self._break_body()

    def eof_received(self) -> bool | None:  # type: ignore[override] # asyncio's: None in aiohttp
        """Answers a client that ended its side, unless it has gone. True keeps the connection open for the answer."""
        self._eof = True
        if self._upgraded or self._payload_parser is not None or self._has_begun_answer():
            return False
        if self._head and self._is_idle() and not self._malformed:
            self._queue_error(HeadIncomplete())
        elif self._unanswered and not self._body.is_eof():
            self._break_body()
        if self._unanswered:
            self._loop.call_later(EOF_GRACE_S, self._drop_unanswered)
        return bool(self._unanswered)

    def _drop_unanswered(self) -> None:
        if self._unanswered and not self._has_begun_answer() and self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        super().handle_error(request, status, exc, message)  # logs it; raises if an answer has begun
        if isinstance(exc, HttpProcessingError):
            self._malformed = True
            line_limit, timeout_s = self.max_line_size, self.keepalive_timeout
            refusal = build_malformed(exc, self._head, line_limit=line_limit, timeout_s=timeout_s)
        else:
            refusal = Refusal(status, "something went wrong on our side", request.path)
        response = self._server.refuse(refusal)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        self._unanswered -= 1
        if (self._malformed or self._eof) and not self._messages:
            self.close()
            await self._linger()
        return finished

    def _process_keepalive(self) -> None:
        if self._head and self._is_idle() and self._loop.time() >= self._next_keepalive_close_time:
            self._queue_error(HeadTimeout())
        else:
            super()._process_keepalive()

    def _is_idle(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _has_begun_answer(self) -> bool:
        return self._current_request is not None and self._current_request.writer.output_size > 0

    def _queue_error(self, exc: HttpProcessingError) -> None:
        """Has the idle handler answer this error, as it answers those of the parser."""
        self._malformed = True
        self._unanswered += 1
        self._messages.append((_ErrInfo(status=exc.code, exc=exc, message=exc.message), EMPTY_PAYLOAD))
        if self._waiter is not None:
            self._waiter.set_result(None)

    def _break_body(self) -> None:
        """Ends a body that will not arrive whole: its handler answers 400 now, instead of waiting for its deadline."""
        self._malformed = True
        if self._unanswered:
            self._body.set_exception(web.RequestPayloadError("the body is not well-formed HTTP"))
        else:
            self.close()
        self._body.feed_eof()

    async def _linger(self) -> None:
        """Ends our side, and waits until the client has closed its own."""
        if self.transport is None or self._eof:
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._gone = self._loop.create_future()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await self._gone
