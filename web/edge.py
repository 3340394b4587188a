"""What happens to every request on its way in and out: counted, admitted, its errors put into words.

Outermost `observe`, then `translate`, then `admit`. None knows what an endpoint does.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import WSCloseCode, web

from core.errors import CspsError, FetchRefused, PromptTooLong, UnreadableDocument
from web import problems
from web.guard import ALWAYS_OPEN, Call, Guard
from web.problems import Internal, TargetTooLong
from web.service import SERVICE
from web.sockets import SOCKET
from web.streaming import STREAM, Gone, Stream

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
GUARD: web.AppKey[Guard] = web.AppKey("guard", Guard)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
LOST = (None, WSCloseCode.ABNORMAL_CLOSURE)  # how a WebSocket ends without a word
QUIET_ROUTES = frozenset(
    {"/static/{path}", "/healthz", "/readyz", "/metrics"}
)  # asked for often, and of little interest
CLIENT_LEFT = 499  # nginx's number for it; nobody receives it
PERSONS = (PromptTooLong, FetchRefused, UnreadableDocument)  # not a program's doing

SECURITY_HEADERS = {
    # 'self' covers ws: to the same host and port (CSP3, "does url match expression"), so the page may open its socket.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types csps-llm",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "csps-llm",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On each response, streams and upgrades included."""
    response.headers.update(SECURITY_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    if request_id := request.get(REQUEST_ID):
        response.headers["X-Request-Id"] = request_id


async def bound_sending(request: web.Request, _: web.StreamResponse) -> None:
    """Drops a client that takes nothing for `send_timeout_s`: aiohttp itself waits for ever to hand a response over.

    Linux counts the time; elsewhere only what `Stream` and the sockets write is bounded.
    """
    transport = request.transport
    if USER_TIMEOUT is not None and isinstance(transport, asyncio.Transport):
        limit_ms = int(request.app[SERVICE].limits.send_timeout_s * 1000)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, limit_ms)


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One event a request, by its route's pattern: a path may hold anything, and a query holds a prompt."""
    began = time.monotonic()
    request[REQUEST_ID] = secrets.token_hex(8)
    status = CLIENT_LEFT
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            if (socket := request.get(SOCKET)) is not None:
                # Its handler is cancelled when the connection ends, in whichever way it does.
                status = socket.status if socket.close_code not in LOST else CLIENT_LEFT
            route = route_of(request)
            request.app[SERVICE].metrics.answered(route, request.method, status)
            duration_ms = round((time.monotonic() - began) * 1000)
            level = "debug" if route in QUIET_ROUTES else "info"
            getattr(log, level)(
                "request", method=request.method[:16], route=route, status=status, duration_ms=duration_ms
            )


def route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


@web.middleware
async def translate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors in the form of the route; once an answer has begun, by breaking it off."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        error = problems.of_http(exc)
    except CspsError as exc:
        error = exc
    except Gone:
        log.info("client_left", route=route_of(request))
        return unheard(request)
    except Exception:  # the last resort: whatever it is, the caller gets an answer, and we get a trace
        log.exception("request_failed", route=route_of(request))
        error = Internal()
    return await told(request, error)


def unheard(request: web.Request) -> web.StreamResponse:
    """aiohttp wants a response also where nobody is left to read it."""
    stream: Stream | None = request.get(STREAM)
    return stream.response if stream else web.Response(status=CLIENT_LEFT)


async def told(request: web.Request, error: CspsError) -> web.StreamResponse:
    request.app[SERVICE].metrics.errors.labels(error.code).inc()
    stream: Stream | None = request.get(STREAM)
    if stream and stream.begun:
        log.info("answer_broken_off", code=error.code)
        stream.cut()
        return stream.response
    form = problems.form_of(request.path)
    return problems.response(error, form, await words_for(request, error) if form == "text" else None)


async def words_for(request: web.Request, error: CspsError) -> str | None:
    """What a person should read; None for what a program did wrong, where the error's own message is more exact."""
    if error.status < 500 and not isinstance(error, PERSONS):
        return None
    personality = request.match_info.get("personality")
    language = await request.app[SERVICE].language(personality) if personality else None
    return problems.sentence(error, language)


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses whom `web.guard` refuses, and everybody when there is no room or no time left."""
    service = request.app[SERVICE]
    request.app[GUARD].check(call_of(request))
    if len(request.raw_path.encode(errors="surrogateescape")) > service.limits.target_bytes:
        raise TargetTooLong(f"the path with its query may have at most {service.limits.target_bytes} bytes; use POST")
    if request.path in ALWAYS_OPEN:
        return await handler(request)
    with service.life.work():
        return await handler(request)


def call_of(request: web.Request) -> Call:
    ip, port = "127.0.0.1", 0
    if isinstance(request.transport, asyncio.Transport):
        ip, port = request.transport.get_extra_info("sockname")[:2]
    return Call(
        path=request.path,
        hosts=request.headers.getall("Host", []),
        origins=request.headers.getall("Origin", []),
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        local_ip=ip.partition("%")[0],
        local_port=port,
    )
