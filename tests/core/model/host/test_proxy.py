"""The host passes answers on as they come. A worker that dies breaks only its own, and leaves no half event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient

from core.errors import ModelRefused
from core.model.host import proxy
from core.model.host.tickets import PooledWorker, Ticket
from core.model.host.worker_process import WorkerProcess
from core.model.http_service import errors_as_json
from core.openai import sse
from core.openai.stream_reader import StreamReader
from tests.core.model.host.support_workers import deployment

CHAT = "/v1/chat/completions"
MODEL = deployment("a")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def chunk(text: str, reason: str | None = None) -> bytes:
    return sse.encode_event({"model": "a", "choices": [{"delta": {"content": text}, "finish_reason": reason}]})


async def prepare(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": sse.CONTENT_TYPE})
    await response.prepare(request)
    return response


class WorkerApp:
    """A worker's HTTP server on a Unix socket, whose handler a test chooses."""

    def __init__(self, socket: Path, handler: Handler) -> None:
        self.socket = socket
        self.bodies: list[bytes] = []
        self._handler = handler

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        return await self._handler(request)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[WorkerProcess]:
        app = web.Application()
        app.router.add_post(CHAT, self._handle)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        await web.UnixSite(runner, str(self.socket)).start()
        worker = WorkerProcess(replace(MODEL.options, socket=str(self.socket)))
        try:
            yield worker
        finally:
            await worker.http.close()
            await runner.cleanup()


class FakeOffice:
    """Stands in for the pool: notes the release of its ticket."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.ticket = Ticket(self, MODEL, 0.0)
        self.updates = 0

    def expected_wait_s(self, _deployment: object) -> float:
        return 7.25

    def release(self, _ticket: Ticket) -> None:
        self.released.set()

    def update(self) -> None:
        self.updates += 1

    def give(self, worker: WorkerProcess) -> FakeOffice:
        self.worker = PooledWorker(worker, MODEL, MODEL.memory, 0.0, 0.0)
        self.ticket.grant(self.worker)
        return self


async def client_of(
    aiohttp_client: AiohttpClient, office: FakeOffice, *, streams: bool = True
) -> aiohttp.ClientSession:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await proxy.answer(request, await request.read(), office.ticket, streams=streams)

    app = web.Application(middlewares=[errors_as_json])
    app.router.add_post(CHAT, handle)
    return cast(aiohttp.ClientSession, await aiohttp_client(app, server_kwargs={"handler_cancellation": True}))


async def test_each_event_arrives_when_it_is_sent(aiohttp_client: AiohttpClient, tmp_path: Path) -> None:
    """The worker sends the second one only after the client has the first. The body arrives unchanged."""
    seen = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = await prepare(request)
        await response.write(chunk("one"))
        await seen.wait()
        await response.write(chunk(" two", "stop") + sse.encode_done())
        return response

    app = WorkerApp(tmp_path / "w.sock", handle)
    async with app.serving() as worker:
        client = await client_of(aiohttp_client, office := FakeOffice().give(worker))
        async with client.post(CHAT, data=b'{"stream": true, "x": "\xc3\xa9"}') as response:
            first = await response.content.readuntil(b"\n\n")
            seen.set()
            rest = await response.read()

    assert chunk("one") == first
    assert chunk(" two", "stop") + sse.encode_done() == rest
    assert [b'{"stream": true, "x": "\xc3\xa9"}'] == app.bodies
    assert office.released.is_set()


async def test_a_worker_that_dies_within_an_event_leaves_no_half_event(
    aiohttp_client: AiohttpClient, tmp_path: Path
) -> None:
    """The stream ends with an error that tells clients to continue the answer elsewhere."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = await prepare(request)
        await response.write(chunk("one") + chunk("two")[:20])
        await asyncio.sleep(0)
        assert request.transport is not None
        request.transport.abort()
        return response

    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        client = await client_of(aiohttp_client, FakeOffice().give(worker))
        async with client.post(CHAT, data=b"{}") as response:
            events = (await response.read()).split(b"\n\n")

    assert [chunk("one").strip(), b""] == [events[0], events[-1]]
    assert "model_unavailable" == json.loads(events[1].removeprefix(b"data: "))["error"]["code"]
    assert 3 == len(events)


@pytest.mark.parametrize("streams", [True, False])
async def test_a_worker_that_dies_before_its_answer_is_a_503(
    aiohttp_client: AiohttpClient, tmp_path: Path, streams: bool
) -> None:
    """With Retry-After: the host starts it again."""

    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        client = await client_of(aiohttp_client, FakeOffice().give(worker), streams=streams)
        async with client.post(CHAT, data=b"{}") as response:
            assert (503, "1") == (response.status, response.headers["Retry-After"])
            assert "model_unavailable" == (await response.json())["error"]["code"]


async def test_a_refusal_keeps_its_status(aiohttp_client: AiohttpClient, tmp_path: Path) -> None:
    """And its Retry-After."""

    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"code": "overloaded"}}, status=503, headers={"Retry-After": "9"})

    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        client = await client_of(aiohttp_client, FakeOffice().give(worker))
        async with client.post(CHAT, data=b"{}") as response:
            assert (503, "9") == (response.status, response.headers["Retry-After"])
            assert {"error": {"code": "overloaded"}} == await response.json()


async def test_a_waiting_stream_says_so_with_the_expected_time(
    aiohttp_client: AiohttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients of OpenAI skip the comments. The answer follows in the same stream."""
    monkeypatch.setattr(proxy, "FIRST_COMMENT_AFTER_S", 0.0)
    monkeypatch.setattr(proxy, "COMMENT_INTERVAL_S", 0.001)

    async def handle(request: web.Request) -> web.StreamResponse:
        response = await prepare(request)
        await response.write(chunk("one", "stop") + sse.encode_done())
        return response

    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        client = await client_of(aiohttp_client, office := FakeOffice())
        async with client.post(CHAT, data=b"{}") as response:
            assert b": loading wait_s=7.2\n\n" == await response.content.readuntil(b"\n\n")
            assert b": loading wait_s=7.2\n\n" == await response.content.readuntil(b"\n\n")
            office.give(worker)
            rest = await response.read()

    assert rest.endswith(chunk("one", "stop") + sse.encode_done())


async def test_a_failure_after_the_comments_is_an_event(
    aiohttp_client: AiohttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status 200 is out already, whether the load or the worker fails."""
    monkeypatch.setattr(proxy, "FIRST_COMMENT_AFTER_S", 0.0)
    monkeypatch.setattr(proxy, "COMMENT_INTERVAL_S", 0.001)
    refused = FakeOffice()
    client = await client_of(aiohttp_client, refused)
    async with client.post(CHAT, data=b"{}") as response:
        await response.content.readuntil(b"\n\n")
        refused.ticket.refuse(ModelRefused("a.gguf is cut"))
        rest = await response.read()
    with pytest.raises(ModelRefused, match="model_refused"):
        list(StreamReader().feed(rest))

    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"code": "context_length_exceeded", "tokens": 9, "limit": 5}}, status=400)

    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        client = await client_of(aiohttp_client, office := FakeOffice())
        async with client.post(CHAT, data=b"{}") as response:
            await response.content.readuntil(b"\n\n")
            office.give(worker)
            *_, last, end = (await response.read()).split(b"\n\n")
    assert ("context_length_exceeded", b"") == (json.loads(last.removeprefix(b"data: "))["error"]["code"], end)


@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_client_that_leaves_gives_its_place_back(
    aiohttp_client: AiohttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_loaded: bool
) -> None:
    """The worker loses the connection too, and stops generating."""
    monkeypatch.setattr(proxy, "FIRST_COMMENT_AFTER_S", 0.0)
    cancelled = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        response = await prepare(request)
        await response.write(chunk("one"))
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return response

    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        office = FakeOffice().give(worker) if is_loaded else FakeOffice()
        client = await client_of(aiohttp_client, office)
        response = await client.post(CHAT, data=b"{}")
        await response.content.readuntil(b"\n\n")
        response.close()
        await asyncio.wait_for(office.released.wait(), 10)
        if is_loaded:
            await asyncio.wait_for(cancelled.wait(), 10)


@pytest.mark.parametrize("streams", [True, False])
async def test_a_request_that_reached_no_worker_waits_for_the_next_one(
    aiohttp_client: AiohttpClient, tmp_path: Path, streams: bool
) -> None:
    """The worker has ended, and the pool learns it a moment later. Nobody sees an error."""

    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"answered": True})

    gone = WorkerProcess(replace(MODEL.options, socket=str(tmp_path / "gone.sock")))
    async with WorkerApp(tmp_path / "w.sock", handle).serving() as worker:
        client = await client_of(aiohttp_client, office := FakeOffice().give(gone), streams=streams)
        asking = asyncio.create_task(client.post(CHAT, data=b"{}"))
        office.worker.gone.set()
        while not office.updates:
            await asyncio.sleep(0)
        office.give(worker)
        async with await asking as response:
            assert {"answered": True} == await response.json()
    await gone.http.close()
