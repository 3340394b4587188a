"""Passes a request to the worker of its model, and the answer back as it comes. Tells a stream that it waits."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from core.errors import CspsError, ModelUnavailable
from core.model.host.tickets import Ticket
from core.model.host.worker_process import WorkerGone, WorkerProcess
from core.model.http_service import pick_headers, send
from core.openai import sse
from core.openai.response_objects import error_body

FIRST_COMMENT_AFTER_S = 0.3  # an error of a model that is loaded still gets its own HTTP status
COMMENT_INTERVAL_S = 1.0
ANSWER_HEADERS = ("Content-Type", "Cache-Control", "Retry-After")
STREAM_HEADERS = {"Content-Type": sse.CONTENT_TYPE, "Cache-Control": "no-store"}
OK = 200
EVENT_END = b"\n\n"
DIED = "the model's process ended before its answer"
RETRY_AFTER_S = 1.0
UNREACHED = (WorkerGone, aiohttp.ClientConnectorError)  # the worker got nothing of the request
TRIES = 3


async def answer(request: web.Request, body: bytes, ticket: Ticket, *, streams: bool) -> web.StreamResponse:
    """Answers `request` by the worker that `ticket` waits for. `streams`: the answer is a stream of events."""
    try:
        for _ in range(TRIES):
            worker = await ticket.wait(FIRST_COMMENT_AFTER_S if streams else None)
            if worker is None:
                return await answer_late(request, body, ticket)
            try:
                return await pass_on(request, body, worker)
            except UNREACHED:
                await ticket.renew()
        raise ModelUnavailable(DIED, retry_after_s=RETRY_AFTER_S)
    finally:
        ticket.release()


async def pass_on(request: web.Request, body: bytes, worker: WorkerProcess) -> web.StreamResponse:
    """Raises ModelUnavailable if the worker dies before its answer begins; one of UNREACHED if it was gone already."""
    try:
        async with post(request, body, worker) as upstream:
            headers = pick_headers(upstream.headers, ANSWER_HEADERS)
            if not is_stream(upstream):
                # Read in full first: a worker that dies within its answer gives an error, not half an object.
                return web.Response(status=upstream.status, headers=headers, body=await upstream.read())
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            await copy_events(request, upstream, response)
            return response
    except UNREACHED:
        raise
    except aiohttp.ClientError as exc:
        raise ModelUnavailable(DIED, retry_after_s=RETRY_AFTER_S) from exc


async def answer_late(request: web.Request, body: bytes, ticket: Ticket) -> web.StreamResponse:
    """Streams comments until the model is loaded, then its answer. A failure becomes an event."""
    response = web.StreamResponse(headers=STREAM_HEADERS)
    await response.prepare(request)
    try:
        for _ in range(TRIES):
            while (worker := await ticket.wait(0)) is None:
                await send(request, response, encode_loading(ticket.expected_wait_s))
                await ticket.wait(COMMENT_INTERVAL_S)
            try:
                return await append_answer(request, body, worker, response)
            except UNREACHED:
                await ticket.renew()
        raise ModelUnavailable(DIED)
    except CspsError as exc:
        await send(request, response, sse.encode_event(error_body(exc)))
        await response.write_eof()
    return response


async def append_answer(
    request: web.Request, body: bytes, worker: WorkerProcess, response: web.StreamResponse
) -> web.StreamResponse:
    """Raises what `pass_on` raises. A refusal becomes the last event."""
    try:
        async with post(request, body, worker) as upstream:
            if is_stream(upstream):
                await copy_events(request, upstream, response)
                return response
            refusal = await upstream.read()
    except UNREACHED:
        raise
    except aiohttp.ClientError as exc:
        raise ModelUnavailable(DIED) from exc
    await send(request, response, b"data: " + refusal.replace(b"\n", b" ") + EVENT_END)
    await response.write_eof()
    return response


def post(request: web.Request, body: bytes, worker: WorkerProcess) -> aiohttp.client._RequestContextManager:
    return worker.http.post(request.path, data=body, headers={"Content-Type": "application/json"})


def is_stream(upstream: aiohttp.ClientResponse) -> bool:
    return upstream.status == OK and upstream.headers.get("Content-Type") == sse.CONTENT_TYPE


async def copy_events(request: web.Request, upstream: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    """Copies whole events as they come. A worker that dies ends the stream with an error event."""
    rest = b""
    try:
        async for chunk in upstream.content.iter_any():
            whole, end, rest = (rest + chunk).rpartition(EVENT_END)
            if end:
                await send(request, response, whole + end)
    except aiohttp.ClientError:
        await send(request, response, sse.encode_event(error_body(ModelUnavailable(DIED))))
    await response.write_eof()


def encode_loading(wait_s: float | None) -> bytes:
    wait = "" if wait_s is None else f" wait_s={wait_s:.1f}"
    return sse.encode_comment(f"loading{wait}")
