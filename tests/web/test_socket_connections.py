"""Connections to /gpt-socket: which are accepted, which frames, and disconnections."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from core.configuration.settings import Settings
from core.contract import Prompt, Text
from tests.support.fake_engine import FakeEngine, ReplyStep
from tests.web.support_site import Site, receive_answer, site
from tests.web.support_socket import DONE, PROMPT, receive_close_code
from web.service import WebLimits


async def test_closed_socket_cancels_the_answer(own_settings: Settings) -> None:
    """It frees its slot at once."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running:
        async with running.plain() as socket:
            await socket.send_str("Hi")
            await running.engine.started.wait()
        await running.engine.cancelled.wait()
        assert running.metric("csps_web_replies_running") == 0


async def test_lost_connection_cancels_the_answer(own_settings: Settings) -> None:
    """This includes a loss without a closing frame."""
    async with site(own_settings, FakeEngine([asyncio.Event(), DONE])) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(handshake(running.port) + client_frame(b"Hi"))
        await running.engine.started.wait()
        writer.transport.abort()
        await running.engine.cancelled.wait()


async def test_client_without_pong_is_dropped(own_settings: Settings) -> None:
    """A client that answers no ping is dropped and its answer cancelled."""
    limits = WebLimits(heartbeat_s=0.05)
    async with (
        site(own_settings, FakeEngine([asyncio.Event(), DONE]), limits) as running,
        running.plain(autoping=False) as socket,
    ):
        await socket.send_str("Hi")
        await running.engine.cancelled.wait()


async def test_stalled_client_is_dropped(own_settings: Settings) -> None:
    """A client that does not read frees its slot."""

    def endless(_prompt: Prompt) -> Iterator[ReplyStep]:
        while True:
            yield Text("x" * 65_536)

    limits = WebLimits(send_timeout_s=0.2)
    async with site(own_settings, FakeEngine(endless), limits) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1)
        writer.write(handshake(running.port) + client_frame(b"Hi"))
        await running.engine.cancelled.wait()
        await running.service.gate.wait_idle()
        writer.transport.abort()


def handshake(port: int) -> bytes:
    return (
        f"GET /gpt-socket/whisper HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def client_frame(text: bytes) -> bytes:
    """A masked text frame with a zero mask."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


# ---------------------------------------------------------------- what closes a connection


async def test_eight_prompts_may_wait(own_settings: Settings) -> None:
    """Beside the running one, eight prompts wait; a ninth closes the socket with 1008."""
    gate = asyncio.Event()
    async with site(own_settings, FakeEngine([gate, Text("a"), DONE])) as running:
        async with running.plain() as socket:
            for number in range(9):
                await socket.send_str(str(number))
            gate.set()
            assert [await receive_answer(socket) for _ in range(9)] == [["a"]] * 9

        gate.clear()
        async with running.plain() as socket:
            for number in range(10):
                await socket.send_str(str(number))
            assert await receive_close_code(socket) == 1008


async def test_binary_frame_is_refused(whisper: Site) -> None:
    """It closes the socket with 1003."""
    async with whisper.plain() as socket:
        await socket.send_bytes(b"Hi")
        assert await receive_close_code(socket) == 1003


async def test_large_frame_is_refused(own_settings: Settings) -> None:
    """Above the limit, it closes the socket with 1009."""
    async with site(own_settings, body_limit_bytes=2048) as running, running.plain() as socket:
        await socket.send_str("x" * 2000)
        await receive_answer(socket)
        await socket.send_str("x" * 3000)
        assert await receive_close_code(socket) == 1009


async def test_frame_that_is_not_utf8_is_refused(whisper: Site) -> None:
    """It closes the socket with 1007."""
    async with whisper.plain() as socket:
        await socket.send_frame(b"\xff\xfe", WSMsgType.TEXT)
        assert await receive_close_code(socket) == 1007


# ---------------------------------------------------------------- refused before the upgrade


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/gpt-socket/nobody", {}, 404),
        ("/gpt-socket/", {}, 404),
        ("/gpt-socket/whisper", {"Origin": "https://evil.example"}, 403),
        ("/gpt-socket/whisper", {"Origin": "null"}, 403),
        ("/gpt-socket/whisper", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/gpt-socket/whisper", {"Host": "evil.example"}, 421),
        ("/gpt-socket/whisper", {"Sec-WebSocket-Protocol": "csps-llm.v9"}, 400),
    ],
)
async def test_invalid_handshake_has_a_status(whisper: Site, path: str, headers: dict[str, str], status: int) -> None:
    """It is refused with a status, not with an upgrade and a closing frame."""
    with pytest.raises(WSServerHandshakeError) as refusal:
        await whisper.http.ws_connect(path, headers=headers)

    assert status == refusal.value.status


async def test_own_origin_may_connect(whisper: Site) -> None:
    """The page's own origin is accepted by each name of the loopback."""
    for name in ("localhost", "127.0.0.1", "[::1]"):
        async with whisper.plain(headers={"Origin": f"http://{name}:{whisper.port}"}) as socket:
            await socket.send_str("Hi")
            await receive_answer(socket)


async def test_plain_get_is_426(whisper: Site) -> None:
    """The response says that this is a WebSocket endpoint."""
    async with whisper.http.get("/gpt-socket/whisper") as response:
        assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
        assert "WebSocket" in await response.text()


async def test_garbage_ends_only_its_own_connection(whisper: Site) -> None:
    """Other connections go on."""
    for garbage in (b"\x00" * 64, b"\xff" * 64, b"\x8f\x80\0\0\0\0"):
        reader, writer = await asyncio.open_connection("127.0.0.1", whisper.port)
        writer.write(handshake(whisper.port) + garbage)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.transport.abort()

    async with whisper.plain() as socket:
        await socket.send_str(json.dumps(PROMPT))
        assert await receive_answer(socket) == ["Hello", " world."]
