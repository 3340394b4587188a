"""What a process prints: a pipe to read it from, and its lines. Knows nothing of processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

LINE_LIMIT_BYTES = 64 * 1024


class Output:
    """A pipe whose `sink` a process is started with.

    It is ours and not asyncio's, because with that a process would not count as ended while a child of its own still
    holds the pipe open.
    """

    def __init__(self) -> None:
        source, sink = os.pipe()
        self._source = os.fdopen(source, "rb", buffering=0)
        self.sink = os.fdopen(sink, "wb", buffering=0)
        self._transport: asyncio.ReadTransport | None = None

    async def reader(self) -> asyncio.StreamReader:
        """To be called when the process has its copy of the sink: ours is closed, so that there is an end."""
        self.sink.close()
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._source)
        return reader

    def close(self) -> None:
        self.sink.close()
        (self._transport or self._source).close()


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Lines as they come, over-long ones in pieces: `readline` would raise."""
    rest = b""
    while chunk := await stream.read(LINE_LIMIT_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) >= LINE_LIMIT_BYTES:
            whole, rest = [*whole, rest], b""
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace")
