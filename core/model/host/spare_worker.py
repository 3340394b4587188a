"""A worker that is started before its options are known. Imports only the standard library.

Importing llama.cpp takes a worker about as long as the host needs for its own imports and for choosing a model. The
spare worker does it at the same time, so that the first answer comes earlier. It waits for its options on its standard
input, and ends if that is closed without any.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

FROM_STANDARD_INPUT = "-"
PROJECT_ROOT = Path(__file__).resolve().parents[3]


class SpareWorker:
    """A process with the methods of asyncio's, which cannot start one before there is an event loop."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.model.worker", FROM_STANDARD_INPUT, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT_ROOT,
        )
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def begin(self, options: str) -> None:
        """Hands over the options. Raises OSError if the process has ended."""
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            stdin.write(options.encode())

    def discard(self) -> None:
        """Ends the process if it still runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def kill(self) -> None:
        self._process.kill()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def wait(self) -> int:
        return await asyncio.to_thread(self._process.wait)

    async def lines(self, limit_bytes: int) -> AsyncIterator[bytes]:
        """Yields the lines of its standard output."""
        assert self._process.stdout is not None
        reader = asyncio.StreamReader(limit_bytes)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout)
        try:
            async for line in reader:
                yield line
        finally:
            transport.close()
