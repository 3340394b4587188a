"""Shared by the HTTP servers of the host and of its workers: errors as OpenAI's objects, bodies, slow clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

import structlog
from aiohttp import web

from core import strict_json
from core.errors import BadRequest, CspsError
from core.openai.response_objects import error_body, http_error_body, openai_status
from core.runtime.http_protocol import Refusal

log = structlog.get_logger()

BODY_LIMIT_BYTES = 8 * 1024 * 1024
BODY_TIMEOUT_S = 30.0  # for a whole request to arrive
VALUES_LIMIT = 4 * strict_json.VALUES_LIMIT  # what is enforced of a schema may be larger than the schema
SEND_TIMEOUT_S = 60.0  # a client that reads nothing for this long is dropped, which frees its slot
CLIENT_DISCONNECTED = 499  # nginx's status; nobody receives it

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns each failure into OpenAI's error object with its status. The object quotes nothing of the request."""
    try:
        return await handler(request)
    except CspsError as exc:
        return error_response(exc)
    except web.HTTPException as exc:
        return web.json_response(http_error_body(exc.reason, exc.status), status=exc.status)
    except ConnectionResetError:
        log.info("client_disconnected")
        return web.Response(status=CLIENT_DISCONNECTED)


def error_response(exc: CspsError) -> web.Response:
    headers = {} if exc.retry_after_s is None else {"Retry-After": str(max(1, round(exc.retry_after_s)))}
    return web.json_response(error_body(exc), status=openai_status(exc), headers=headers)


def refusal_response(refusal: Refusal) -> web.Response:
    """Answers a malformed request."""
    return web.json_response(http_error_body(refusal.reason, refusal.status), status=refusal.status)


async def read_body(request: web.Request) -> bytes:
    """Returns the whole body. Raises BadRequest, or HTTPRequestTimeout if it arrives too slowly."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError as exc:
        raise web.HTTPRequestTimeout(reason=f"the body did not arrive within {BODY_TIMEOUT_S:g} s") from exc
    except web.RequestPayloadError as exc:
        raise BadRequest("the body is not well-formed HTTP") from exc


def parse_json(body: bytes) -> object:
    """Raises BadRequest."""
    strict_json.check_size(body, VALUES_LIMIT)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise BadRequest("the body is not valid JSON in UTF-8") from exc


async def json_body(request: web.Request) -> object:
    return parse_json(await read_body(request))


async def send(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Writes to the client. Raises TimeoutError, and drops the connection, if the client reads nothing for long."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await response.write(data)
    except TimeoutError:
        log.warning("client_dropped", after_s=SEND_TIMEOUT_S)
        if request.transport:
            request.transport.abort()
        raise


def pick_headers(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
