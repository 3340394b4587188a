"""Notices that a client left while nothing is being read from it.

A connection that is not read from, because what it sent is more than can be taken now, hides its end behind what is
still unread: asyncio would see it only when reading goes on. Linux tells (EPOLLRDHUP); elsewhere the next write does.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web


@contextmanager
def watched(request: web.Request) -> Iterator[None]:
    """While the block runs, a client that hangs up has its connection dropped, and with it the handler cancelled."""
    transport = request.transport
    if not isinstance(transport, asyncio.Transport) or not hasattr(select, "EPOLLRDHUP"):
        yield
        return
    loop = asyncio.get_running_loop()
    # Beside asyncio's own selector, which holds the socket for reading and for writing and knows no third way.
    with select.epoll() as hangup:
        hangup.register(transport.get_extra_info("socket").fileno(), select.EPOLLRDHUP)
        loop.add_reader(hangup.fileno(), gone, loop, hangup, transport)
        try:
            yield
        finally:
            loop.remove_reader(hangup.fileno())


def gone(loop: asyncio.AbstractEventLoop, hangup: select.epoll, transport: asyncio.Transport) -> None:
    loop.remove_reader(hangup.fileno())
    transport.abort()
