"""Hostile input at every endpoint gets a 4xx with a reason, never a 5xx, and reaches no log."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from structlog.testing import capture_logs

from core.configuration.settings import Settings
from core.contract import Prompt, Text
from core.errors import CspsError
from tests.support.fake_engine import FakeEngine
from tests.web.support_site import Site, site
from web.service import WebLimits

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
MULTIPART = "Content-Type: multipart/form-data; boundary=x"


def request(line: str, *headers: str, body: bytes = b"", host: str = "localhost") -> bytes:
    length = (f"Content-Length: {len(body)}",) if body or line.startswith("POST") else ()
    head = "\r\n".join((f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", *length, *headers))
    return head.encode("latin-1") + b"\r\n\r\n" + body


CHAT = b'{"model": "whisper", "messages": [{"role": "user", "content": "Hi"}]%s}'
ASK = b'{"model": "whisper", "input": %s}'
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

HOSTILE: dict[str, tuple[bytes, int]] = {
    "no such path": (request("GET /admin"), 404),
    "path of php": (request("GET /index.php?id=1%27"), 404),
    "dots": (request("GET /../../etc/passwd"), 404),
    "dots in static": (request("GET /static/../../../etc/passwd"), 404),
    "encoded dots in static": (request("GET /static/%2e%2e%2f%2e%2e%2fetc/passwd"), 404),
    "NUL in static": (request("GET /static/%00.html"), 404),
    "NUL in personality": (request("GET /gpt/%00?prompt=Hi"), 404),
    "half a character in personality": (request("GET /gpt/%ff?prompt=Hi"), 404),
    "slash in personality": (request("GET /gpt/whisper%2f..?prompt=Hi"), 404),
    "personality of another case": (request("GET /gpt/WHISPER?prompt=Hi"), 404),
    "long personality": (request(f"GET /describe/{'x' * 9000}"), 404),
    "brackets in personality": (request("GET /describe/{personality}"), 404),
    "template in personality": (request("GET /describe/%7B%7B7*7%7D%7D"), 404),
    "long target": (request(f"GET /gpt/whisper?prompt={'x' * 20_000}"), 414),
    "longer target": (request(f"GET /gpt/whisper?prompt={'x' * 200_000}"), 414),
    "no prompt": (request("GET /gpt/whisper"), 400),
    "raw bytes in query": (request("GET /gpt/whisper?prompt=\xff\xfe"), 400),
    "surrogate in query": (request("GET /gpt/whisper?prompt=%ED%A0%80"), 400),
    "prompt twice": (request("GET /gpt/whisper?prompt=a&prompt=b"), 400),
    "TRACE": (request("TRACE /gpt/whisper?prompt=Hi"), 405),
    "CONNECT": (request("CONNECT evil.example:443"), 404),
    "made-up method": (request("BREW /gpt/whisper"), 400),
    "method of WebDAV": (request("PROPFIND /gpt/whisper"), 405),
    "DELETE": (request("DELETE /v1/models/whisper"), 405),
    "HEAD": (request("HEAD /gpt/whisper?prompt=Hi"), 405),
    "multipart": (request("POST /gpt/whisper", MULTIPART, body=b"--x--"), 415),
    "no type": (request("POST /gpt/whisper", body=b"prompt=Hi"), 415),
    "JSON to gpt": (request("POST /gpt/whisper", JSON, body=b'{"prompt": "Hi"}'), 415),
    "form to toil": (request("POST /toil/whisper", FORM, body=b"prompt=Hi"), 415),
    "form that is not UTF-8": (request("POST /gpt/whisper", FORM, body=b"prompt=\xff"), 400),
    "form of many fields": (request("POST /gpt/whisper", FORM, body=b"&".join([b"a=1"] * 9999)), 400),
    "large form": (request("POST /gpt/whisper", FORM, body=b"prompt=" + b"x" * 2**21), 413),
    "large body announced": (
        request("POST /toil/whisper", JSON).replace(b"Content-Length: 0", b"Content-Length: 99999999999"),
        413,
    ),
    "compressed body": (request("POST /toil/whisper", JSON, "Content-Encoding: br", body=b"x"), 400),
    "compressed nonsense": (request("POST /toil/whisper", JSON, "Content-Encoding: gzip", body=b"x"), 415),
    "negative length": (request("GET /describe", "Content-Length: -1"), 400),
    "two lengths": (request("GET /describe", "Content-Length: 1", "Content-Length: 2"), 400),
    "length and chunks": (request("POST /toil/whisper", JSON, "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "bad chunks": (
        request("POST /toil/whisper", JSON, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        + b"zz\r\n",
        400,
    ),
    "header of garbage": (request("GET /describe", "\x00\x01: x"), 400),
    "folded header": (request("GET /describe", "X-A: b\r\n c: d"), 400),
    "long header": (request("GET /describe", f"X-A: {'x' * 100_000}"), 431),
    "many headers": (request("GET /describe", *(f"X-{n}: 1" for n in range(500))), 431),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "old HTTP": (b"GET /\r\n\r\n", 400),
    "HTTP of the future": (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
    "no Host": (b"GET /describe HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "unknown expectation": (request("POST /toil/whisper", JSON, "Expect: tea", body=b"{}"), 417),
    "two Hosts": (request("GET /describe", "Host: evil.example"), 400),
    "foreign Host": (request("GET /static/index.html", host="evil.example"), 421),
    "foreign Host with our name in it": (request("GET /describe", host="localhost.evil.example"), 421),
    "Host of garbage": (request("GET /describe", host="a b"), 400),
    "foreign target": (request("GET http://evil.example/describe", host="evil.example"), 421),
    "foreign Origin": (request("POST /toil/whisper", JSON, "Origin: https://evil.example", body=b"{}"), 403),
    "null Origin": (request("GET /gpt/whisper?prompt=Hi", "Origin: null"), 403),
    "cross-site": (request("GET /gpt/whisper?prompt=Hi", "Sec-Fetch-Site: cross-site"), 403),
    "same-site": (request("GET /describe", "Sec-Fetch-Site: same-site"), 403),
    "foreign WebSocket": (request("GET /gpt-socket/whisper", *UPGRADE, KEY, "Origin: http://evil.example"), 403),
    "WebSocket to nobody": (request("GET /gpt-socket/nobody", *UPGRADE, KEY), 404),
    "WebSocket without key": (request("GET /gpt-socket/whisper", *UPGRADE), 426),
    "WebSocket with a bad key": (request("GET /gpt-socket/whisper", *UPGRADE, "Sec-WebSocket-Key: x"), 426),
    "WebSocket of an old version": (request("GET /gpt-socket/whisper", "Upgrade: websocket", KEY), 426),
    "WebSocket by POST": (request("POST /gpt-socket/whisper", *UPGRADE, KEY), 405),
    "foreign subprotocol": (request("GET /gpt-socket/whisper", *UPGRADE, KEY, "Sec-WebSocket-Protocol: x"), 400),
    "upgrade to h2c": (request("POST /toil/whisper", "Upgrade: h2c", "Connection: Upgrade", JSON, body=b"{}"), 400),
    "empty JSON": (request("POST /toil/whisper", JSON), 400),
    "nesting bomb": (request("POST /toil/whisper", JSON, body=b"[" * 2**19), 400),
    "nested schema": (
        request("POST /toil/whisper", JSON, body=b'{"prompt":"a","schema":' + b'{"a":' * 900 + b"1" + b"}" * 901),
        400,
    ),
    "huge number": (request("POST /toil/whisper", JSON, body=b'{"prompt": ' + b"9" * 9000 + b"}"), 400),
    "NaN": (request("POST /toil/whisper", JSON, body=b'{"prompt": "a", "schema": {"const": NaN}}'), 400),
    "key twice": (request("POST /toil/whisper", JSON, body=b'{"prompt": "a", "prompt": "b"}'), 400),
    "prototype": (request("POST /toil/whisper", JSON, body=b'{"prompt": "a", "__proto__": {}}'), 400),
    "surrogate": (request("POST /toil/whisper", JSON, body=b'{"prompt": "\\udc00"}'), 400),
    "UTF-16": (request("POST /toil/whisper", JSON, body='{"prompt": "a"}'.encode("utf-16")), 400),
    "chat without messages": (request("POST /v1/chat/completions", JSON, body=b'{"model": "whisper"}'), 400),
    "chat with tools": (request("POST /v1/chat/completions", JSON, body=CHAT % b', "tools": [1]'), 400),
    "chat in many answers": (request("POST /v1/chat/completions", JSON, body=CHAT % b', "n": 99'), 400),
    "chat of nobody": (request("POST /v1/chat/completions", JSON, body=CHAT.replace(b"whisper", b"x") % b""), 404),
    "response without input": (request("POST /v1/responses", JSON, body=b'{"model": "whisper"}'), 400),
    "response to an item of nothing": (request("POST /v1/responses", JSON, body=ASK % b"[{}]"), 400),
    "response to a nested item": (request("POST /v1/responses", JSON, body=ASK % (b"[" * 60 + b"]" * 60)), 400),
    "response to many items": (request("POST /v1/responses", JSON, body=ASK % (b"[" + b"{}," * 9999 + b"{}]")), 400),
    "response of nobody": (request("POST /v1/responses", JSON, body=ASK.replace(b"whisper", b"x") % b'"Hi"'), 404),
    "stored response": (request("GET /v1/responses/resp_%00%ff"), 404),
    "list of responses": (request("GET /v1/responses"), 405),
    "embeddings of nothing": (request("POST /v1/embeddings", JSON, body=b"{}"), 400),
    "other part of OpenAI's": (request("POST /v1/images/generations", JSON, body=b"{}"), 404),
}


async def send(port: int, data: bytes) -> bytes:
    """All bytes that come back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_requests_are_refused_with_a_reason(whisper: Site, name: str) -> None:
    """The engine is not called, and the service goes on serving."""
    data, expected = HOSTILE[name]
    received = await send(whisper.port, data)

    head, _, body = received.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/[01]\.[0-9] (\d{3}) ", head)
    assert status, received[:200]
    assert expected == int(status[1])
    assert body or name == "HEAD"
    assert b"\r\nServer: csps-llm\r\n" in head
    assert b"\r\nContent-Security-Policy: default-src 'none'" in head
    assert (whisper.engine.prompts, whisper.engine.tasks) == ([], [])
    async with whisper.http.get("/healthz") as response:
        assert response.status == 200


def planted_requests() -> Iterator[bytes]:
    """Requests with the same secret in every place that may hold a person's text or address."""
    yield request("GET /gpt/whisper?prompt=PLANTED")
    yield request("GET /PLANTED?prompt=PLANTED")
    yield request("GET /gpt/PLANTED?prompt=PLANTED")
    yield request("GET /static/PLANTED.html")
    yield request("PLANTED /gpt/whisper")
    yield request(f"GET /gpt/whisper?prompt=PLANTED{'x' * 200_000}")
    yield b"PLANTED\x00 nonsense\r\n\r\n"
    yield request("GET /describe", "PLANTED\x01: PLANTED")
    yield request("POST /gpt/whisper", FORM, body=b"prompt=PLANTED")
    yield request("POST /toil/whisper", JSON, body=b'{"prompt": "PLANTED", "PLANTED": 1}')
    yield request("POST /toil/whisper", JSON, body=b'{"prompt": "PLANTED"}')
    yield request("POST /v1/chat/completions", JSON, body=CHAT.replace(b"Hi", b"PLANTED") % b"")
    yield request("POST /v1/responses", JSON, body=ASK % b'[{"role": "user", "content": "PLANTED"}]')
    yield request("POST /v1/responses", JSON, body=ASK % b'[{"type": "PLANTED", "id": "PLANTED"}]')
    yield request("GET /v1/responses/PLANTED")
    yield request("GET /describe", "Origin: https://PLANTED.example", host="PLANTED.example")
    yield request("GET /gpt-socket/whisper", *UPGRADE, KEY, "Sec-WebSocket-Protocol: PLANTED")


@pytest.mark.parametrize("failure", [None, CspsError("about PLANTED"), ValueError("PLANTED")])
async def test_log_holds_nothing_of_a_request(
    own_settings: Settings, failure: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has no prompts, paths, names or addresses, even after a defect."""
    engine = FakeEngine([failure], failure) if failure else FakeEngine()
    with capture_logs() as events:
        async with site(own_settings, engine) as running:
            for data in planted_requests():
                await send(running.port, data)

    # core.runtime.log shows the place of an exception, not its message.
    logged = [{**event, "exc_info": None} for event in events]
    assert {"request", "request_malformed"} <= {event["event"] for event in events}
    assert "planted" not in str(logged).lower()
    assert "planted" not in caplog.text.lower()
    assert "127.0.0.1" not in str(logged) + caplog.text


async def test_missing_body_is_408(own_settings: Settings) -> None:
    """The response comes within the deadline, and the connection is closed."""
    async with site(own_settings, read_timeout_s=1.0) as running:
        half = request("POST /toil/whisper", JSON).replace(b"Content-Length: 0", b"Content-Length: 99") + b'{"pr'
        assert (await send(running.port, half)).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("half", [b"GET /gpt/whi", b"GET /describe HTTP/1.1\r\nHost: loc"])
async def test_missing_request_head_is_408(own_settings: Settings, half: bytes) -> None:
    """The service answers, and closes a connection that never becomes a request."""
    async with site(own_settings, read_timeout_s=0.1) as running:
        assert (await send(running.port, half)).startswith(b"HTTP/1.0 408 ")
        assert await send(running.port, b"") == b""


@pytest.mark.parametrize(("path", "kind"), [("/v1/models", b'{"error"'), ("/toil/x", b'{"type"'), ("/gpt/x", b"the")])
async def test_a_malformed_request_gets_the_form_of_its_path(whisper: Site, path: str, kind: bytes) -> None:
    """A program that sends a bad header still reads the answer as those of its endpoint."""
    received = await send(whisper.port, request(f"POST {path}", "\x00: x"))
    assert received.startswith(b"HTTP/1.0 400 ")
    assert received.partition(b"\r\n\r\n")[2].startswith(kind)


async def test_connections_are_limited(own_settings: Settings) -> None:
    """Above the limit, requests get 503 with Retry-After, except for health; a freed place is used again."""
    async with site(own_settings, connections=2) as running:
        async with running.plain() as _first, running.plain() as _second:
            async with running.http.get("/gpt/whisper?prompt=Hi") as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "5")
                assert await response.text()
            async with running.http.get("/healthz") as response:
                assert response.status == 200
        await running.service.gate.wait_idle()
        async with running.http.get("/gpt/whisper?prompt=Hi") as response:
            assert response.status == 200


def count_connections(port: int) -> int:
    """The service's connections in the kernel's table."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    return sum(row[1].endswith(f":{port:04X}") and row[3] == established for row in rows)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has TCP_USER_TIMEOUT")
async def test_stalled_file_download_is_dropped(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes no data does not keep its connection."""
    lost = asyncio.Event()
    connection_lost = RequestHandler.connection_lost

    def report(handler: RequestHandler[web.Request], exc: BaseException | None) -> None:
        connection_lost(handler, exc)
        lost.set()

    monkeypatch.setattr(RequestHandler, "connection_lost", report)
    async with site(own_settings, limits=WebLimits(send_timeout_s=0.5)) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            ask = b"GET /static/vendor/marked.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
            await loop.sock_sendall(client, ask)
            assert await loop.sock_recv(client, 1)
            assert count_connections(running.port) == 1
            await loop.sock_sendall(client, ask * 200)
            async with asyncio.timeout(20):
                await lost.wait()
                await running.service.gate.wait_idle()
            assert count_connections(running.port) == 0


async def test_stalled_answer_frees_its_slot(own_settings: Settings) -> None:
    """A client that takes nothing of an HTTP answer is dropped."""

    def endless(_prompt: Prompt) -> Iterator[Text]:
        while True:
            yield Text("x" * 65_536)

    async with site(own_settings, FakeEngine(endless), WebLimits(send_timeout_s=0.2)) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1)
        writer.write(request("GET /gpt/whisper?prompt=Hi"))
        await running.engine.cancelled.wait()
        await running.service.gate.wait_idle()
        writer.transport.abort()
