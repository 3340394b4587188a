"""Middleware: `observe` (outermost) counts and logs, `translate` formats errors, `admit` refuses, `identify` finds who.

Knows no endpoint.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time

import structlog
from aiohttp import WSCloseCode, hdrs, web

from core.errors import CspsError, FetchRefused, PromptTooLong, UnreadableDocument
from core.runtime import traces
from core.runtime.http_protocol import SERVER_NAME, BuildRefusal, Refusal
from web import problems
from web.identity.caller import CALLER, Caller, read_proxy_headers
from web.identity.keys import KEYS, read_key
from web.missing_page import find_missing_page
from web.mounting import service_path, without_prefix
from web.origin_guard import ALWAYS_OPEN, GuardedRequest, OriginGuard
from web.problems import HttpRefused, InternalError, TargetTooLong
from web.service import SERVICE, Handler, Service
from web.sockets import SOCKET
from web.streaming import STREAM, ClientGone, StreamedResponse

log = structlog.get_logger()

GUARD: web.AppKey[OriginGuard] = web.AppKey("guard", OriginGuard)
REQUEST_ID: web.RequestKey[str] = web.RequestKey("request_id", str)
USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
LOST = (None, WSCloseCode.ABNORMAL_CLOSURE)  # the close codes of a WebSocket without a closing frame
# Frequent requests, which are logged at debug level.
QUIET_ROUTES = frozenset(
    {
        *("/", "/static/{path}", "/healthz", "/readyz", "/metrics", "/metrics/all"),
        "/describe/{personality}",  # every open page asks for it while a model is downloaded
    }
)
CLIENT_DISCONNECTED = 499  # as in nginx's logs; it is never sent
USER_ERRORS = (PromptTooLong, FetchRefused, UnreadableDocument)  # 4xx caused by the person, not by the client

SECURITY_HEADERS = {
    # 'self' covers ws: to the same host and port (CSP3, "does url match expression"), so the page may open its socket.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types csps-llm",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # The microphone is for speech input; the browser asks the person before the page hears anything.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": SERVER_NAME,
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Adds headers to each response, streams and upgrades included."""
    response.headers.update(SECURITY_HEADERS)
    path = service_path(request)
    if path == "/gpt" or path == "/admin" or path.startswith("/admin/"):
        # With "no-referrer", browsers would send a form with `Origin: null`, which no request may have.
        response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    if request_id := request.get(REQUEST_ID):
        response.headers["X-Request-Id"] = request_id


def build_refusals(service: Service) -> BuildRefusal:
    """Returns the builder of responses to requests that reach no route, nor the middleware: malformed ones."""

    def build(refusal: Refusal) -> web.Response:
        error = HttpRefused(refusal.status, refusal.reason)
        service.metrics.count_error(error)
        path = without_prefix(refusal.path, service.settings.prefix)
        response = problems.build_response(error, problems.error_form(path))
        response.headers.update({**SECURITY_HEADERS, "Cache-Control": "no-store"})
        return response

    return build


async def bound_sending(request: web.Request, _: web.StreamResponse) -> None:
    """Drops a client that takes no data for `send_timeout_s`; aiohttp alone would wait for ever.

    Linux enforces it (TCP_USER_TIMEOUT). Elsewhere, only streamed responses and sockets are bounded.
    """
    transport = request.transport
    if USER_TIMEOUT is not None and isinstance(transport, asyncio.Transport):
        limit_ms = int(request.app[SERVICE].limits.send_timeout_s * 1000)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, limit_ms)


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Logs one event per request, with its route's pattern: a path may hold anything, and a query holds a prompt."""
    started_s = time.monotonic()
    request[REQUEST_ID] = secrets.token_hex(8)
    status = CLIENT_DISCONNECTED
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        try:
            with traces.request_span("request") as span:
                response = await handler(request)
                status = response.status
                span.set(route=route_pattern(request), method=request.method[:16], status=status)
            return response
        finally:
            if (socket := request.get(SOCKET)) is not None:
                # The handler is cancelled however the connection ends, so only the close code shows how.
                status = socket.status if socket.close_code not in LOST else CLIENT_DISCONNECTED
            route = route_pattern(request)
            request.app[SERVICE].metrics.count_request(route, request.method, status)
            duration_ms = round((time.monotonic() - started_s) * 1000)
            write = log.debug if route in QUIET_ROUTES else log.info
            write("request", method=request.method[:16], route=route, status=status, duration_ms=duration_ms)


def route_pattern(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return without_prefix(resource.canonical, request.app[SERVICE].settings.prefix) if resource else "unknown"


@web.middleware
async def translate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Sends errors in the form of the route. Aborts a response that has started."""
    try:
        return await handler(request)
    except web.HTTPException as exc:
        error = problems.translate_http_error(exc)
    except CspsError as exc:
        error = exc
    except ClientGone:
        log.info("client_disconnected", route=route_pattern(request))
        stream: StreamedResponse | None = request.get(STREAM)
        # aiohttp requires a response even if nobody is left to read it.
        return stream.response if stream else web.Response(status=CLIENT_DISCONNECTED)
    except Exception:  # the last resort: the client gets an error, and the log a traceback
        log.exception("request_failed", route=route_pattern(request))
        error = InternalError()
    return await respond(request, error)


async def respond(request: web.Request, error: CspsError) -> web.StreamResponse:
    request.app[SERVICE].metrics.count_error(error)
    stream: StreamedResponse | None = request.get(STREAM)
    if stream and stream.started:
        log.info("response_aborted", code=error.code)
        stream.abort()
        return stream.response
    if (page := find_missing_page(request, error)) is not None:
        return page
    form = problems.error_form(service_path(request))
    return problems.build_response(error, form, await person_text(request, error) if form == "text" else None)


async def person_text(request: web.Request, error: CspsError) -> str | None:
    """The text for a person; None for a client's mistake, because the error's own message is more exact."""
    if error.status < 500 and not isinstance(error, USER_ERRORS):
        return None
    personality = request.match_info.get("personality")
    language = await request.app[SERVICE].language(personality) if personality else None
    return problems.person_text(error, language)


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses requests by `web.origin_guard`, above the connection limit, and while the service stops."""
    service = request.app[SERVICE]
    request.app[GUARD].check(describe_request(request))
    if len(request.raw_path.encode(errors="surrogateescape")) > service.limits.target_bytes:
        raise TargetTooLong(f"the path with its query may have at most {service.limits.target_bytes} bytes; use POST")
    if service_path(request) in ALWAYS_OPEN:
        return await handler(request)
    with service.gate.admit():
        return await handler(request)


def describe_request(request: web.Request) -> GuardedRequest:
    ip, port = "127.0.0.1", 0
    if isinstance(request.transport, asyncio.Transport):
        ip, port = request.transport.get_extra_info("sockname")[:2]
    return GuardedRequest(
        path=service_path(request),
        method=request.method,
        hosts=request.headers.getall("Host", []),
        origins=request.headers.getall("Origin", []),
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        local_ip=ip.partition("%")[0],
        local_port=port,
    )


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds the caller, once, before the handler runs. Raises KeyRefused, ScopeRefused, StorageError."""
    service = request.app[SERVICE]
    person = read_proxy_headers(request, service.settings, service.identity)
    key = None
    if request.method != hdrs.METH_OPTIONS:  # a browser asks without the key whether its page may send one
        secret = read_key(request)
        key = await request.app[KEYS].admit(secret, service_path(request), is_signed_in=person is not None)
    request[CALLER] = Caller(person, key)
    return await handler(request)
