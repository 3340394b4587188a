"""Streamed responses that show when they are incomplete, and disconnections that are noticed early.

A chunked body that simply ends looks complete. So a failure closes the connection without the last chunk.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aiohttp import HttpVersion11, web

from core.openai import sse
from web.service import SERVICE

SSE = {"Content-Type": sse.CONTENT_TYPE}


class ClientGone(ConnectionError):
    """The client disconnected, or takes no more data."""


class StreamedResponse:
    """Starts with its first bytes; until then an error can still have a status of its own."""

    def __init__(self, request: web.Request, headers: Mapping[str, str]) -> None:
        self._request = request
        self._timeout_s = request.app[SERVICE].limits.send_timeout_s
        # Buffering proxies would hold the text back.
        self.response = web.StreamResponse(headers={**headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        request[STREAM] = self

    @property
    def started(self) -> bool:
        return self.response.prepared

    async def start(self) -> None:
        if not self.started:
            await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """Raises ClientGone if the client disconnected or took nothing for `send_timeout_s`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.start()
                await self.response.write(data)
        except (TimeoutError, ConnectionError) as exc:
            self.abort(at_once=True)
            raise ClientGone from exc

    def abort(self, *, at_once: bool = False) -> None:
        """Closes the connection without ending the body, so that the client sees an incomplete response.

        HTTP/1.0 has no chunks, so only a reset (RST) shows it. A reset, also `at_once`, drops unsent data.
        """
        transport = self._request.transport
        if not isinstance(transport, asyncio.Transport):
            return
        if at_once or self._request.version < HttpVersion11:
            reset(transport)
        else:
            transport.close()


def reset(transport: asyncio.Transport) -> None:
    """Resets the connection: the client sees an error, and the kernel keeps no data for it."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


STREAM = web.RequestKey("stream", StreamedResponse)


@contextmanager
def cancel_on_hangup(request: web.Request) -> Iterator[None]:
    """Drops the connection of a client that hangs up while the block runs, which cancels the handler.

    While nothing is read from a connection, unread data hides its end from asyncio. Linux reports the end
    (EPOLLRDHUP); elsewhere the next write fails.
    """
    transport = request.transport
    if not isinstance(transport, asyncio.Transport) or not hasattr(select, "EPOLLRDHUP"):
        yield
        return
    loop = asyncio.get_running_loop()
    # A selector of its own: asyncio's watches the socket for reading and writing only.
    with select.epoll() as hangup:
        hangup.register(transport.get_extra_info("socket").fileno(), select.EPOLLRDHUP)
        loop.add_reader(hangup.fileno(), drop_connection, loop, hangup, transport)
        try:
            yield
        finally:
            loop.remove_reader(hangup.fileno())


def drop_connection(loop: asyncio.AbstractEventLoop, hangup: select.epoll, transport: asyncio.Transport) -> None:
    loop.remove_reader(hangup.fileno())
    transport.abort()
