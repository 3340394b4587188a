"""Sites with hostile responses: `python -m benchmarks.hostile_bodies` serves them by name and prints its port.

Each site is a function that writes to one connection until it is closed. The sites run in their own process, so that
their CPU time does not count.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import socket
import zlib
from collections.abc import Awaitable, Callable
from functools import cache
from urllib.parse import unquote

Writer = asyncio.StreamWriter
Site = Callable[[Writer], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB_BYTES = 128 * 2**20
SITES: dict[str, Site] = {}


def register_site(name: str) -> Callable[[Site], Site]:
    def register(function: Site) -> Site:
        SITES[name] = function
        return function

    return register


def register_reply(name: str, *parts: bytes, stays: bool = False) -> None:
    """Registers a site that sends this once, and then closes or `stays`."""

    async def send(writer: Writer) -> None:
        writer.write(b"".join(parts))
        await writer.drain()
        if stays:
            await wait_until_closed(writer)

    SITES[name] = send


def register_stream(name: str, head: bytes, part: bytes, pause_s: float = 0.0) -> None:
    """Registers a site that sends `part` after `head` forever."""

    async def send(writer: Writer) -> None:
        writer.write(head)
        # Many parts at once without a pause, so that the reader is the slow side.
        burst = part if pause_s else part * max(1, 2**16 // len(part))
        while True:
            writer.write(burst)
            await writer.drain()
            await asyncio.sleep(pause_s)

    SITES[name] = send


async def wait_until_closed(writer: Writer) -> None:
    """Waits until the other side closes."""
    while not writer.is_closing():
        writer.write(b"")
        await asyncio.sleep(0.1)


def register_encoded(name: str, body: Callable[[], bytes]) -> None:
    """Registers a site whose body claims the content coding `name`."""

    async def send(writer: Writer) -> None:
        packed = await asyncio.to_thread(body)
        coding = name.split(":")[0].encode()
        writer.write(OK + b"Content-Encoding: " + coding + b"\r\nContent-Length: %d\r\n\r\n" % len(packed))
        writer.write(packed)
        await writer.drain()

    SITES[name] = send


@cache
def gzip_bomb() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES))


@cache
def zlib_bomb() -> bytes:
    return zlib.compress(bytes(BOMB_BYTES), 9)


# ---------------------------------------------------------------- slow
register_reply("silence", stays=True)
register_reply("silence after the head", OK, b"Content-Length: 100\r\n\r\n", stays=True)
register_stream("dripping head", b"HTTP/1.1 200 OK\r\nX: ", b"x", pause_s=0.2)
register_stream("dripping body", OK + b"\r\n", b"x", pause_s=0.2)
register_stream("dripping chunks", CHUNKED, b"1\r\nx\r\n", pause_s=0.2)
register_stream("dripping redirects", b"HTTP/1.1 302 Found\r\nX: ", b"x", pause_s=0.2)
# ---------------------------------------------------------------- long
register_stream("endless body", OK + b"\r\n", b"<!-- " * 200)
register_stream("endless chunks", CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n")
register_stream("chunks of one byte", CHUNKED, b"1\r\nx\r\n")
register_stream("endless extension of a chunk", CHUNKED + b"1;", b"x" * 1024)
register_stream("chunks with long extensions", CHUNKED, b"1;" + b"x" * 4000 + b"\r\nx\r\n")
register_stream("endless size of a chunk", CHUNKED, b"0" * 1024)
register_stream("endless trailers", CHUNKED + b"0\r\n", b"A: b\r\n")
register_stream("endless headers", b"HTTP/1.1 200 OK\r\n", b"A: b\r\n")
register_stream("one endless header", b"HTTP/1.1 200 OK\r\nA: ", b"b" * 1024)
register_stream("endless folded header", b"HTTP/1.1 200 OK\r\nA: b\r\n", b" c\r\n")
register_stream("endless reason", b"HTTP/1.1 200 ", b"OK " * 1024)
register_stream("endless first line", b"", b"x" * 1024)
register_stream("endless blank lines", b"", b"\r\n")
register_stream("endless 100 Continue", b"", b"HTTP/1.1 100 Continue\r\n\r\n")
register_stream("endless 103 Early Hints", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n")
register_reply("many headers", OK, b"A: b\r\n" * 2000, b"\r\nx")
register_reply("as many headers as are read", OK, b"A: b\r\n" * 990, b"\r\nx")
register_reply("many cookies", OK, b"Set-Cookie: a=b; expires=Mon 01 Jan 2030\r\n" * 190, b"\r\nx")
register_reply(
    "a content type to parse for long", b"HTTP/1.1 200 OK\r\nContent-Type: text/html", b';a="' * 3500, b"\r\n\r\nx"
)
register_reply("a long address to redirect to", b"HTTP/1.1 302 Found\r\nLocation: /", b"a/../" * 3000, b"\r\n\r\n")
register_reply(
    "a host of many digits to redirect to", b"HTTP/1.1 302 Found\r\nLocation: http://", "٠".encode() * 2000, b"\r\n\r\n"
)
# ---------------------------------------------------------------- packed
register_encoded("gzip", gzip_bomb)
register_encoded("deflate", zlib_bomb)
register_encoded("deflate:raw", lambda: zlib_bomb()[2:-4])
register_encoded("gzip, gzip", lambda: gzip.compress(gzip_bomb()))
register_encoded("gzip:cut", lambda: gzip.compress(b"<p>Hello</p>" * 1000)[:-20])
register_encoded("gzip:none", lambda: b"<p>Hello</p>")
register_encoded("gzip:members", lambda: gzip.compress(b"") * 100_000)
register_encoded("br", lambda: b"\xcf\xff\xff\x7f\xf8" + b"\x00" * 800)
register_encoded("zstd", lambda: b"\x28\xb5\x2f\xfd\xa4\x00\x00\x00\x40" + b"\x02\x00\x10" * 8000)
register_stream("deflate of empty blocks", OK + b"Content-Encoding: deflate\r\n\r\n\x78\x9c", b"\x00\x00\x00\xff\xff")
# ---------------------------------------------------------------- wrong
register_reply("ten gigabytes announced", OK, b"Content-Length: 10000000000\r\n\r\nx", stays=True)
register_reply("more announced than sent", OK, b"Content-Length: 1000\r\n\r\nx")
register_reply("less announced than sent", OK, b"Content-Length: 1\r\n\r\n", b"x" * 2**20)
register_reply("two lengths", OK, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
register_reply("a negative length", OK, b"Content-Length: -1\r\n\r\nx")
register_reply("a length of many digits", OK, b"Content-Length: ", b"9" * 6000, b"\r\n\r\nx", stays=True)
register_reply("length and chunks", OK, b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n")
register_reply("a huge chunk", CHUNKED, b"FFFFFFFFFFFFFFFF\r\n", b"x" * 2**16, stays=True)
register_reply("a chunk that is none", CHUNKED, b"-1\r\nx\r\n", stays=True)
register_reply("half a head", OK)
register_reply("half a chunk", CHUNKED, b"10\r\nx")
register_reply("no HTTP", b"SSH-2.0-OpenSSH_9.9\r\n", stays=True)
register_reply("old HTTP", b"<html>Hello", stays=True)
register_reply("NUL in a header", OK, b"X: a\x00b\r\n\r\nx")
register_reply("another protocol", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", stays=True)
register_reply("a film", b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n", b"x" * 2**20, stays=True)


@register_site("torn down")
async def reset(writer: Writer) -> None:
    writer.write(OK + b"Content-Length: 100\r\n\r\nx")
    await writer.drain()
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@register_site("endless redirects")
async def redirect(writer: Writer) -> None:
    name = b"endless%20redirects"
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /" + name + b"?%d\r\n\r\n" % next(numbers))


numbers = itertools.count()


async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode().removeprefix("/").partition("?")[0]
        await SITES[unquote(path)](writer)
    writer.close()


async def main() -> None:
    gzip_bomb(), zlib_bomb()  # built before anybody waits for them
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
