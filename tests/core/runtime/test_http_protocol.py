"""Malformed and half-sent requests get an answer in our own form, without the framework's banner."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from core.errors import ConfigError
from core.runtime.http_protocol import LINE_LIMIT_BYTES
from core.runtime.http_server import serve_app

POST = b"POST /body HTTP/1.1\r\nHost: h\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED: dict[str, tuple[bytes, int]] = {
    "nonsense": (b"\x00\x01\x02\r\n\r\n", 400),
    "words": (b"hello there\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2 in words": (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 400),
    "HTTP/9.9": (b"GET / HTTP/9.9\r\nHost: h\r\n\r\n", 400),
    "HTTP/1.x": (b"GET / HTTP/1.x\r\nHost: h\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "no target": (b"GET  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "made-up method": (b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", 400),
    "SMTP": (b"EHLO example.org\r\n", 400),
    "bad target": (b"GET http:// HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "bad authority": (b"CONNECT h:x HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "header without a colon": (GET + b"X-A\r\n\r\n", 400),
    "header of control characters": (GET + b"X-\x00\x01: x\r\n\r\n", 400),
    "NUL in a value": (GET + b"X-A: a\x00b\r\n\r\n", 400),
    "folded header": (GET + b"X-A: b\r\n c: d\r\n\r\n", 400),
    "space before the colon": (GET + b"X-A : b\r\n\r\n", 400),
    "lonely line feeds": (b"GET / HTTP/1.1\nHost: h\n\n", 400),
    "negative length": (POST + b"Content-Length: -1\r\n\r\n", 400),
    "length of letters": (POST + b"Content-Length: x\r\n\r\n", 400),
    "huge length": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
    "length and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "bad chunk": (CHUNKED + b"zz\r\n", 400),
    "endless chunk size": (CHUNKED + b"f" * 20 + b"\r\n", 400),
    "chunk without its end": (CHUNKED + b"1\r\nabc", 400),
    "long target": (b"GET /" + b"x" * 10 * LINE_LIMIT_BYTES + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
    "long header": (GET + b"X-A: " + b"x" * 1_000_000 + b"\r\n\r\n", 431),
    "long name of a header": (GET + b"x" * 100_000 + b": a\r\n\r\n", 431),
    "many headers": (GET + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + b"\r\n", 431),
    "unknown expectation": (POST + b"Expect: tea\r\nContent-Length: 0\r\n\r\n", 417),
    "expectation of half a character": (POST + b"Expect: \xff\r\nContent-Length: 0\r\n\r\n", 417),
    "unknown path": (b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    "half a character in the target": (b"GET /%ff HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    "wrong method": (b"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    "CONNECT": (b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    "large body": (POST + b"Content-Length: 3000\r\n\r\n" + b"x" * 3000, 413),
    "defect": (b"GET /defect HTTP/1.1\r\nHost: h\r\n\r\n", 500),
}


@dataclass
class Server:
    port: int
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that waits 0.3 s for a request."""
    app = web.Application(client_max_size=1024)
    running = Server(0)

    async def root(_request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async def body(request: web.Request) -> web.Response:
        running.reading.set()
        try:
            return web.Response(body=await request.read())
        except web.RequestPayloadError:
            return web.json_response({"detail": "broken body"}, status=400)

    async def forever(_request: web.Request) -> web.Response:
        running.reading.set()
        try:
            await asyncio.Event().wait()
        finally:
            running.cancelled.set()
        raise AssertionError

    async def defect(_request: web.Request) -> web.Response:
        raise KeyError("secret")

    app.add_routes(
        [web.get("/", root), web.post("/body", body), web.get("/defect", defect), web.get("/forever", forever)]
    )
    async with serve_app(
        app,
        lambda runner: web.TCPSite(runner, "127.0.0.1", 0),
        lambda exc: ConfigError(str(exc)),
        handler_cancellation=True,
        keepalive_timeout=0.3,
    ) as site:
        running.port = site.port
        yield running


class Connection:
    """A client that sees all bytes that come back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def finish(self) -> bytes:
        """What arrives until the server closes; it fails with a reset."""
        async with asyncio.timeout(10):
            received = await self.reader.read()
        self.writer.close()
        return received


async def send(port: int, data: bytes, *, ends: bool = False) -> bytes:
    connection = await Connection.open(port)
    connection.writer.write(data)
    if ends:
        connection.writer.write_eof()
    return await connection.finish()


def parse(received: bytes) -> tuple[int, str, bytes]:
    """The status, the head and the body of the first response."""
    head, _, body = received.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
    assert status, received[:200]
    return int(status[1]), head.decode("latin-1"), body


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_request_gets_an_answer_of_ours(server: Server, name: str) -> None:
    """The answer has problem details and our name; neither the framework's banner nor anything of the request."""
    data, expected = MALFORMED[name]
    status, head, body = parse(await send(server.port, data))

    assert expected == status
    assert "\r\nServer: csps-llm" in head
    problem = json.loads(body)
    assert (problem["status"], bool(problem["detail"])) == (expected, True)
    assert not any(word in (head + body.decode()).lower() for word in ("python", "aiohttp", "secret", "xxx"))
    assert ("Allow: GET,HEAD" in head) is (expected == 405)


@pytest.mark.parametrize("half", [b"G", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h", GET, b"\r\n\r\n"])
async def test_a_head_that_does_not_arrive_is_408(server: Server, half: bytes) -> None:
    """The answer comes at the read timeout."""
    status, _, body = parse(await send(server.port, half))
    assert (status, json.loads(body)["detail"]) == (408, "the head of the request did not arrive within 0.3 s")


async def test_an_idle_connection_closes_without_words(server: Server) -> None:
    """A client that sent nothing expects no answer."""
    assert await send(server.port, b"") == b""


@pytest.mark.parametrize(
    "half", [b"nonsense\r\n\r\n", b"GET / HT", GET, POST + b"Content-Length: 9\r\n\r\nhalf", CHUNKED + b"5\r\nab"]
)
async def test_a_request_that_ends_half_way_is_400_at_once(server: Server, half: bytes) -> None:
    """The client has ended its side and still reads."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    status, _, body = parse(await send(server.port, half, ends=True))

    assert (status, bool(json.loads(body)["detail"])) == (400, True)
    assert loop.time() - began < 0.3, "before the read timeout"


async def test_a_whole_request_is_answered_to_a_client_that_ended_its_side(server: Server) -> None:
    """Some clients half-close a connection after their request, such as `nc -N`. Pipelined ones get all answers."""
    received = await send(server.port, (GET + b"\r\n") * 2, ends=True)
    assert received.count(b"fine") == 2


async def test_a_client_that_has_gone_frees_its_handler(server: Server) -> None:
    """Nobody waits for an answer that takes long."""
    connection = await Connection.open(server.port)
    connection.writer.write(b"GET /forever HTTP/1.1\r\nHost: h\r\n\r\n")
    await server.reading.wait()
    connection.writer.close()
    async with asyncio.timeout(10):
        await server.cancelled.wait()


async def test_a_body_that_breaks_is_400_at_once(server: Server) -> None:
    """The handler does not wait for the rest of a body after a bad chunk."""
    connection = await Connection.open(server.port)
    connection.writer.write(CHUNKED + b"2\r\nab\r\n")
    await server.reading.wait()
    connection.writer.write(b"nonsense\r\n" + b"x" * 100_000)
    status, _, body = parse(await connection.finish())

    assert (status, json.loads(body)) == (400, {"detail": "broken body"})


async def test_requests_before_a_malformed_one_are_answered(server: Server) -> None:
    """Pipelined requests that arrived earlier keep their answers; the malformed one ends the connection."""
    connection = await Connection.open(server.port)
    connection.writer.write(GET + b"\r\n")
    assert await connection.reader.readuntil(b"fine")
    connection.writer.write(b"nonsense\r\n\r\n" + GET + b"\r\n")
    rest = await connection.finish()

    assert parse(rest)[0] == 400
    assert rest.count(b"HTTP/1.") == 1
