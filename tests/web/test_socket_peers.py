"""Who may connect to /gpt-socket, what they may send, and what becomes of an answer whose reader is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from core.configuration.settings import Settings
from core.contract import Prompt, Text
from tests.support.fakes import FakeEngine, ReplyStep
from tests.web.support_site import Site, answer, site
from tests.web.support_socket import DONE, PROMPT, closing
from web.limits import Limits


async def test_closing_cancels(own_settings: Settings) -> None:
    """A closed socket frees its slot at once."""
    async with site(own_settings, FakeEngine([Text("a"), asyncio.Event(), DONE])) as running:
        async with running.plain() as socket:
            await socket.send_str("Hi")
            await running.engine.started.wait()
        await running.engine.cancelled.wait()
        assert running.count("csps_web_replies_running") == 0


async def test_a_client_that_vanishes_cancels(own_settings: Settings) -> None:
    """A connection torn down without a closing frame frees its slot, too."""
    async with site(own_settings, FakeEngine([asyncio.Event(), DONE])) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(handshake(running.port) + client_frame(b"Hi"))
        await running.engine.started.wait()
        writer.transport.abort()
        await running.engine.cancelled.wait()


async def test_a_silent_peer_is_noticed(own_settings: Settings) -> None:
    """One that answers no ping, as behind a cable that was pulled, is cut off and its answer cancelled."""
    limits = Limits(heartbeat_s=0.05)
    async with (
        site(own_settings, FakeEngine([asyncio.Event(), DONE]), limits) as running,
        running.plain(autoping=False) as socket,
    ):
        await socket.send_str("Hi")
        await running.engine.cancelled.wait()


async def test_a_reader_that_takes_nothing_is_cut_off(own_settings: Settings) -> None:
    """A client that does not read is given up, so that its slot is free for others."""

    def endless(_prompt: Prompt) -> Iterator[ReplyStep]:
        while True:
            yield Text("x" * 65_536)

    limits = Limits(send_timeout_s=0.2)
    async with site(own_settings, FakeEngine(endless), limits) as running:
        _reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1)
        writer.write(handshake(running.port) + client_frame(b"Hi"))
        await running.engine.cancelled.wait()
        await running.service.life.idle()
        writer.transport.abort()


def handshake(port: int) -> bytes:
    return (
        f"GET /gpt-socket/whisper HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def client_frame(text: bytes) -> bytes:
    """A masked text frame whose mask is zero."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


# ---------------------------------------------------------------- what closes a connection


async def test_eight_prompts_may_wait(own_settings: Settings) -> None:
    """Beside the one that is being answered, eight wait; a ninth closes the connection with 1008."""
    gate = asyncio.Event()
    async with site(own_settings, FakeEngine([gate, Text("a"), DONE])) as running:
        async with running.plain() as socket:
            for number in range(9):
                await socket.send_str(str(number))
            gate.set()
            assert [await answer(socket) for _ in range(9)] == [["a"]] * 9

        gate.clear()
        async with running.plain() as socket:
            for number in range(10):
                await socket.send_str(str(number))
            assert await closing(socket) == 1008


async def test_binary_frames_are_refused(whisper: Site) -> None:
    """A binary frame closes with 1003."""
    async with whisper.plain() as socket:
        await socket.send_bytes(b"Hi")
        assert await closing(socket) == 1003


async def test_frames_are_limited_in_size(own_settings: Settings) -> None:
    """A frame above the limit closes with 1009; one below is a prompt."""
    async with site(own_settings, body_limit_bytes=2048) as running, running.plain() as socket:
        await socket.send_str("x" * 2000)
        await answer(socket)
        await socket.send_str("x" * 3000)
        assert await closing(socket) == 1009


async def test_frames_must_be_utf8(whisper: Site) -> None:
    """Text that is none closes with 1007."""
    async with whisper.plain() as socket:
        await socket.send_frame(b"\xff\xfe", WSMsgType.TEXT)
        assert await closing(socket) == 1007


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
async def test_refused_handshakes(whisper: Site, path: str, headers: dict[str, str], status: int) -> None:
    """What can be refused is refused with a status, not with an upgrade and a closing frame."""
    with pytest.raises(WSServerHandshakeError) as refusal:
        await whisper.http.ws_connect(path, headers=headers)

    assert status == refusal.value.status


async def test_own_origin_may_connect(whisper: Site) -> None:
    """The page's own origin is allowed, by whichever name of the loopback."""
    for name in ("localhost", "127.0.0.1", "[::1]"):
        async with whisper.plain(headers={"Origin": f"http://{name}:{whisper.port}"}) as socket:
            await socket.send_str("Hi")
            await answer(socket)


async def test_without_an_upgrade(whisper: Site) -> None:
    """A plain GET is told what this endpoint is."""
    async with whisper.http.get("/gpt-socket/whisper") as response:
        assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
        assert "WebSocket" in await response.text()


async def test_frames_of_garbage_do_no_harm(whisper: Site) -> None:
    """Bytes that are no frames at all end their own connection and no other."""
    for garbage in (b"\x00" * 64, b"\xff" * 64, b"\x8f\x80\0\0\0\0"):
        reader, writer = await asyncio.open_connection("127.0.0.1", whisper.port)
        writer.write(handshake(whisper.port) + garbage)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.transport.abort()

    async with whisper.plain() as socket:
        await socket.send_str(json.dumps(PROMPT))
        assert await answer(socket) == ["Hello", " world."]
