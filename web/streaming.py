"""A response that is written while it comes into being, and that shows when it breaks off.

A chunked body that simply ended would look whole. So after a failure the connection is cut instead of the last chunk.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping

from aiohttp import HttpVersion11, web

from web.service import SERVICE


class Gone(ConnectionError):
    """The client left, or takes nothing any more."""


class Stream:
    """Begun by its first bytes: until then an error can still be a status of its own."""

    def __init__(self, request: web.Request, headers: Mapping[str, str]) -> None:
        self._request = request
        self._timeout_s = request.app[SERVICE].limits.send_timeout_s
        # Proxies that buffer would hold the words back.
        self.response = web.StreamResponse(headers={**headers, "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        request[STREAM] = self

    @property
    def begun(self) -> bool:
        return self.response.prepared

    async def begin(self) -> None:
        if not self.begun:
            await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """Raises Gone when the client left, or took nothing for as long as `send_timeout_s`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.begin()
                await self.response.write(data)
        except (TimeoutError, ConnectionError) as exc:
            self.cut(at_once=True)
            raise Gone from exc

    def cut(self, *, at_once: bool = False) -> None:
        """Ends the connection without ending the body: what was written arrives, and is seen to be a part.

        HTTP/1.0 has no chunks, so only a reset tells; that, or `at_once`, drops what is still in the buffer.
        """
        transport = self._request.transport
        if not isinstance(transport, asyncio.Transport):
            return
        if at_once or self._request.version < HttpVersion11:
            reset(transport)
        else:
            transport.close()


def reset(transport: asyncio.Transport) -> None:
    """Drops the connection so that the peer sees an error (RST), and the kernel keeps nothing for it."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


STREAM = web.RequestKey("stream", Stream)
